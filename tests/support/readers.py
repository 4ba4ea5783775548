"""Logs to read in tests: their public objects in a dict, and fetchers that count, change and withhold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from threading import Lock

from tests.support.signed_text import LOG, ORIGIN, sign
from tiles.errors import AccessError, NotFound
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint, with_signatures
from tiles.notes.keys import SigningKey, signing_key
from tiles.notes.policy import policy_for
from tiles.records.paths import POLICY as POLICY_FILE
from tiles.signing.signer import Signer
from tiles.store.memory import MemoryStore
from tiles.tree.layout import CHECKPOINT
from tiles.write.sequencer import Sequencer

POLICY = policy_for(LOG.verifier)
OTHER_KEY = signing_key(ORIGIN, bytes([77]) * 32)  # of the same origin


def entry(index: int, tag: str = "entry") -> bytes:
    """Return the entry at an index: of many lengths, the empty one included. With the tag "same", all are equal."""
    if tag == "same":
        return b"same"
    return b"" if (index, tag) == (3, "entry") else f"{tag} {index} {'x' * (index % 50)}".encode()


@cache
def _log(sizes: tuple[int, ...], tag: str, same_up_to: int, key: SigningKey) -> dict[str, bytes]:
    public, memory = MemoryStore(), MemoryStore()
    sequencer = Sequencer(public, MemoryStore(), Signer(key, memory))
    sequencer.create()
    old = 0
    for size in sizes:
        batch = [entry(i, "entry" if i < same_up_to else tag) for i in range(old, size)]
        if batch:
            sequencer.append(batch)
        old = size
    return {listed.path: public.read(listed.path).data for listed in public.list("")}


def make_log(*sizes: int, tag: str = "entry", same_up_to: int = 0, key: SigningKey = LOG) -> dict[str, bytes]:
    """Return the public objects of a log that grew to each of these sizes, one after the other.

    tag, same_up_to   the entries from `same_up_to` on are those of another history: `entry(index, tag)`
    """
    return dict(_log(sizes, tag, same_up_to, key))


def cosigned(objects: Mapping[str, bytes], *by: SigningKey) -> dict[str, bytes]:
    """Return the log with the signatures of these keys added to its checkpoint."""
    signed = parse_signed_checkpoint(objects[CHECKPOINT])
    signatures = [*signed.note.signatures, *(sign(signed.checkpoint, key) for key in by)]
    return {**objects, CHECKPOINT: with_signatures(signed.checkpoint, signatures).data}


def renamed(objects: Mapping[str, bytes], key: SigningKey) -> dict[str, bytes]:
    """Return the log with a checkpoint and a policy of another key, whose name no log of this library could have."""
    checkpoint = Checkpoint(key.name, parse_signed_checkpoint(objects[CHECKPOINT]).tree)
    kept = {path: data for path, data in objects.items() if not path.startswith("checkpoints/")}
    signed = with_signatures(checkpoint, [sign(checkpoint, key)])
    return {**kept, CHECKPOINT: signed.data, POLICY_FILE: f"log {key.verifier.vkey}\nquorum none\n".encode()}


class Objects:
    """A fetcher of objects in a dict, which may change meanwhile; takes down what is asked for."""

    url = "test://log"

    def __init__(self, objects: Mapping[str, bytes], parallel: int = 1) -> None:
        self.objects = dict(objects)
        self.parallel = parallel
        self.asked: list[str] = []
        self.before: Callable[[str], None] = lambda _path: None
        self._lock = Lock()

    def fetch(self, path: str, limit: int) -> bytes:
        """Return an object."""
        with self._lock:
            self.asked.append(path)
        self.before(path)
        data = self.objects.get(path)
        if data is None:
            raise NotFound(f"{self.url}/{path}: not found")
        if len(data) > limit:
            raise AccessError(f"{self.url}/{path}: longer than {limit} bytes")
        return data

    @property
    def tiles_asked(self) -> list[str]:
        """The tiles, without bundles, that were asked for."""
        return [path for path in self.asked if path.startswith("tile/") and not path.startswith("tile/entries/")]
