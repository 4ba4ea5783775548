"""A log in a test: its three stores, in memory or in directories, its key, and all that was ever seen of it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

from tests.support.check_log import Keys, ObjectHistory, check_log, committed
from tests.support.faults import Faults, GatedStore, RecordingStore
from tests.support.witnesses import InProcess, Witness, witness_key, witness_policy
from tiles.inbox.admission import Admission
from tiles.index.known import KnownEntries
from tiles.notes.keys import SeedKey, SigningKey, VerifierKey, signing_key
from tiles.notes.policy import Policy
from tiles.records.paths import ANCHOR
from tiles.signing.anchor import parse_anchor
from tiles.signing.signer import Signer
from tiles.store import Store
from tiles.store.directory import DirectoryStore
from tiles.store.memory import MemoryStore
from tiles.store.posix import Posix
from tiles.write.cosign import Witnessing
from tiles.write.sequencer import Sequencer

ORIGIN = "example.com/log"
NOW = 4_000_000_000.0  # so far ahead that no head, written by the real clock, is only seconds old
ROLES = ("public", "private", "anchor")

Contents = dict[str, dict[str, bytes]]  # role → path → content
Wrap = Callable[[Store, str], Store]


class NoSync(Posix):
    """System calls that make nothing last: no power is cut here."""

    def fsync(self, fd: int) -> None:
        """Do nothing."""

    def syncfs(self, fd: int) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class RecordingKey(SeedKey):
    """A signing key that takes down every text of a checkpoint that it signs."""

    texts: list[bytes] = field(default_factory=list, compare=False, repr=False)

    def sign(self, message: bytes) -> bytes:
        """Take it down and sign it."""
        if not message.startswith(b"tiletree/key-change/"):
            self.texts.append(message)
        return SeedKey.sign(self, message)


def recording_key(name: str = ORIGIN, seed: bytes = b"\x01" * 32, texts: Iterable[bytes] = ()) -> RecordingKey:
    """Return a key; the same one for the same name and seed."""
    key = signing_key(name, seed)
    return RecordingKey(key.verifier, key.seed, list(texts))


def some_entries(tag: str, count: int) -> list[bytes]:
    """Return entries that are all different, and from those of any other tag."""
    return [f"{tag} {number}".encode() for number in range(count)]


def not_wrapped(store: Store, _role: str) -> Store:
    """Return the store as it is."""
    return store


def faults_of(wrap: Wrap) -> Faults | None:
    """Return the faults that a run's stores are wrapped in, so that its requests to witnesses may have some, too."""
    owner = getattr(wrap, "__self__", None)
    return owner if isinstance(owner, Faults) else None


class World:
    """One log. Whoever writes to it through `sequencer` is seen.

    folder   where its directories are to be; None for memory
    others   further keys that the log may come to have
    """

    def __init__(
        self, folder: Path | None = None, key: RecordingKey | None = None, others: tuple[VerifierKey, ...] = ()
    ) -> None:
        self.folder = folder
        self.key = key or recording_key()
        self.stores: dict[str, Store] = {role: _new_store(folder, role) for role in ROLES}
        self.others = others
        self.history = ObjectHistory(self.verifiers)
        self.acknowledged: list[tuple[int, Sequence[bytes]]] = []
        self.now = NOW
        self.witnesses: dict[str, Witness] = {}  # by URL
        self.policy: Policy | None = None
        self.refreshed = b""  # the checkpoint that a `refresh` has answered with last
        self.writers = 0  # so far; each has random numbers of its own

    @property
    def verifier(self) -> VerifierKey:
        """The key that verifies the log."""
        return self.key.verifier

    @property
    def verifiers(self) -> Keys:
        """All keys of the log, where it may come to have others."""
        return (self.verifier, *self.others) if self.others else self.verifier

    def sequencer(
        self,
        wrap: Wrap = not_wrapped,
        *,
        key: SigningKey | None = None,
        policy: Policy | None = None,
        admission: Admission | None = None,
        sleep: Callable[[float], None] | None = None,
        how: Witnessing | None = None,
    ) -> Sequencer:
        """Return a new writer, as a new process would have it.

        wrap    what its stores are wrapped in
        sleep   instead of letting the clock go on at once
        how     how witnesses are asked; None: those of this world, as operations of the run
        """
        self.writers += 1
        if how is None:
            how = Witnessing(ways=InProcess(self.witnesses, faults_of(wrap)))
        recorded = RecordingStore(self.stores["public"], "public", self.history)
        public, private, anchor = (
            wrap(store, role)
            for store, role in zip((recorded, self.stores["private"], self.stores["anchor"]), ROLES, strict=True)
        )
        return Sequencer(
            public,
            private,
            Signer(key or self.key, anchor),
            policy=policy or self.policy,
            admission=admission,
            how=how,
            known=KnownEntries(public, self.verifier, lambda: None),
            now=lambda: self.now,
            sleep=sleep or self.pass_time,
            rng=random.Random(self.writers),
        )

    def witnessed(self, k: int, of: int, scheme: str = "http") -> World:
        """Let a new log have a policy of k of so many witnesses; return it."""
        self.witnesses = {
            f"{scheme}://w{n}.example": Witness(witness_key(n), [self.verifier], now=lambda: self.now)
            for n in range(of)
        }
        self.policy = witness_policy(self.verifier, self.witnesses, k)
        keys = tuple(each.key.verifier for each in self.witnesses.values())
        self.history.witnesses, self.history.quorum = keys, k
        return self

    def move_anchor(self, **changes: Any) -> None:
        """Change the anchor from outside: its origin, identity, tree or state."""
        anchor = parse_anchor(self.stores["anchor"].read(ANCHOR).data)
        self.put("anchor", ANCHOR, replace(anchor, **changes).data)

    def overtaken(self) -> tuple[Sequencer, list[str]]:
        """Return a run, and what is empty until another one has published, which it does before this one swaps."""
        begun: list[str] = []

        def gate(what: str) -> None:
            if what == "public swap checkpoint" and not begun:
                begun.append(what)
                self.pass_time(1000.0)
                self.sequencer().finish()

        return self.sequencer(lambda store, role: GatedStore(store, role, gate)), begun

    def pass_time(self, seconds: float) -> None:
        """Let the clock go on."""
        self.now += seconds

    def grown(self, *counts: int) -> World:
        """Create the log and add batches of that many entries; return it."""
        self.sequencer().create()
        for count in counts:
            self.append(some_entries(f"entry of {self.size()}", count))
        return self

    def append(self, entries: Sequence[bytes]) -> None:
        """Append entries by a new writer, and take down where they are."""
        done = self.sequencer().append(entries)
        self.acknowledged.append((done.first_index, list(entries)))

    def size(self) -> int:
        """Return how many entries are committed."""
        return len(self.committed() or ())

    def committed(self) -> tuple[bytes, ...] | None:
        """Return the committed entries, None before there is a head."""
        return committed(self.stores["public"], self.stores["private"], self.verifiers)

    def check(self, *, complete: bool = True, orphans: bool = False, repeated: Iterable[bytes] = ()) -> None:
        """Run `check_log`."""
        check_log(
            self.stores["public"],
            self.stores["private"],
            self.verifiers,
            signed=self.key.texts,
            seen=self.history,
            acknowledged=self.acknowledged,
            repeated=repeated,
            complete=complete,
            orphans=orphans,
        )

    def contents(self) -> Contents:
        """Return everything that is stored."""
        return {
            role: {listed.path: store.read(listed.path).data for listed in store.list("")}
            for role, store in self.stores.items()
        }

    def put(self, role: str, path: str, data: bytes | None) -> None:
        """Change an object behind everyone's back; None removes it."""
        self.stores[role].delete([path])
        if data is not None:
            self.stores[role].create({path: data})

    def restore(self, role: str, contents: Contents) -> None:
        """Put all of one part back to what it was."""
        store = self.stores[role]
        store.delete([listed.path for listed in store.list("")])
        store.create(contents[role])

    def copy(self, folder: Path | None = None) -> World:
        """Return an equal world that goes on by itself."""
        other = World(folder, recording_key(self.key.name, self.key.seed, self.key.texts), self.others)
        for role, objects in self.contents().items():
            other.stores[role].create(objects)
        other.history = self.history.copy()
        other.acknowledged = list(self.acknowledged)
        other.writers = self.writers
        other.policy = self.policy
        other.witnesses = other.copies(self.witnesses)
        return other

    def copies(self, witnesses: Mapping[str, Witness]) -> dict[str, Witness]:
        """Return witnesses that know as much as these, and go on by themselves, by the time of this world."""
        return {
            url: replace(each, seen=dict(each.seen), now=lambda: self.now, lock=Lock())
            for url, each in witnesses.items()
        }

    def remove(self) -> None:
        """Remove the directories."""
        if self.folder is not None:
            shutil.rmtree(self.folder)


def _new_store(folder: Path | None, role: str) -> Store:
    return MemoryStore(role) if folder is None else DirectoryStore(folder / role, NoSync())


@contextmanager
def explained(about: Callable[[], str]) -> Iterator[None]:
    """Say which schedule it was that failed."""
    try:
        yield
    except BaseException as error:
        error.add_note(about())
        raise
