"""What a log keeps beside its tree, copied by a mirror that is to have all of it; each verified as far as it can be.

    keys/…           the log has signed it, by a key that is known or that one of these leads to
    checkpoints/…    a key that the log has or had then has signed it, and its tree is a beginning of the mirrored one
    withheld/…       the log has signed it, and its leaf hashes are in the tree
    payload/…        the content has the SHA-256 that its name says
    index/…/head     the log has signed it, for a tree that is a beginning of the mirrored one
    index/…          the objects of live runs are copied as they are: `tiletree index check` computes them again

The page is not copied: it is a program, nobody has signed it, and `tiletree page` writes the same. Objects are found by
listing the log, so it has to be a directory or a bucket. It all comes after the tree is published, and can be made
again: a run that dies here has lost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from tiles.entries.payload import MAX_PAYLOAD_SIZE
from tiles.errors import LogError, Malformed, NotFound, TooLong, VerificationError
from tiles.index.opened import note_keys
from tiles.index.run import FILE_SIZE
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.index_head import MAX_HEAD_SIZE, open_index_head
from tiles.notes.key_change import MAX_KEY_CHANGE_SIZE, read_key_change
from tiles.notes.key_history import KeyHistory
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.withheld import MAX_WITHHELD_SIZE
from tiles.read.client import LogClient
from tiles.read.key_changes import history_of_client
from tiles.read.withheld import WithheldEntries
from tiles.records.paths import (
    CHECKPOINTS,
    INDEX,
    KEYS,
    PAYLOADS,
    WITHHELD,
    head_kind,
    is_day_path,
    kept_size,
    key_change_number,
    payload_path,
    run_of,
    withheld_bundle,
)
from tiles.store import Differs, Store
from tiles.write.copying import replace_object

MAX_TOLD = 1000  # objects that are named in a report


@dataclass(slots=True)
class Extras:
    """What a run copied of these.

    copied       how many objects
    unverified   how many of them only their author's word, or nothing, stands for
    left         paths of objects that were not copied, and why, up to MAX_TOLD
    """

    copied: int = 0
    unverified: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)


def copy_extras(client: LogClient, listing: Store, target: Store) -> Extras:
    """Copy what a log keeps beside its tree, and return what was copied and what was not.

    client    has visited the log, whose tree the mirror has published
    listing   the log, in a store that lists it
    """
    return _Copying(client, listing, target).run()


class _Copying:
    def __init__(self, client: LogClient, listing: Store, target: Store) -> None:
        self._client = client
        self._origin = client.accepted.signed.origin
        self._signers = client.policy.without_quorum()
        self._history = KeyHistory(())
        self._withheld = WithheldEntries.of(client)
        self._listing = listing
        self._target = target
        self._done = Extras()

    def run(self) -> Extras:
        try:
            self._history = history_of_client(self._client)
        except LogError as error:
            self._done.left.append((KEYS, error.message))
        for prefix, check in (
            (KEYS, self._statement),
            (CHECKPOINTS, self._checkpoint),
            (PAYLOADS, self._payload),
            (INDEX, self._of_run),
        ):
            there = {each.path for each in self._target.list(prefix)}
            for path in self._paths(prefix):
                if path not in there and head_kind(path) is None:
                    self._copy(path, check, self._create)
        self._target.barrier()  # an index head is never ahead of its runs
        for path in self._paths(WITHHELD):
            self._copy(path, self._record, self._replace)
        for path in self._paths(INDEX):
            if head_kind(path) is not None:
                self._copy(path, self._head, self._replace)
        self._target.barrier()
        return self._done

    def _paths(self, prefix: str) -> Iterator[str]:
        return (each.path for each in self._listing.list(prefix))

    def _copy(self, path: str, check: Callable[[str, bytes], None], write: Callable[[str, bytes], None]) -> None:
        try:
            data = self._listing.read(path, _limit(path)).data
            check(path, data)
            write(path, data)
        except (LogError, NotFound, TooLong) as error:
            if len(self._done.left) < MAX_TOLD:
                self._done.left.append((path, error.message))
        else:
            self._done.copied += 1

    def _create(self, path: str, data: bytes) -> None:
        try:
            self._target.create({path: data})
        except Differs as error:
            raise VerificationError(
                f"the mirror has another content there: {error.message}",
                evidence={path: error.found, "expected": data},
            ) from error

    def _replace(self, path: str, data: bytes) -> None:
        replace_object(self._target, path, data)

    # ---- what is known of each

    def _statement(self, path: str, data: bytes) -> None:
        change, _ = read_key_change(data)
        if change.number != key_change_number(path) or change not in [each.change for each in self._history.said]:
            raise VerificationError("is no statement of the log that a known key has signed")

    def _checkpoint(self, path: str, data: bytes) -> None:
        size = kept_size(path)
        if size is None and not is_day_path(path):
            raise Malformed("path", "no kept checkpoint has it")
        signed = self._history.accept(self._signers, parse_signed_checkpoint(data), self._origin).signed
        if size is not None and signed.tree.size != size:
            raise VerificationError(f"is of size {signed.tree.size}")
        self._check_beginning(signed.tree.size, signed.tree)

    def _check_beginning(self, size: int, tree: object) -> None:
        if size > self._client.tree.size:
            raise VerificationError(f"is of size {size}, and the mirror has {self._client.tree.size} entries by now")
        if (known := self._client.tree_at(size)) != tree:
            raise VerificationError(f"is of {tree}, and the log had {known}")

    def _payload(self, path: str, data: bytes) -> None:
        if payload_path(sha256(data).hexdigest()) != path:
            raise VerificationError("the content has another SHA-256 than the name")

    def _record(self, path: str, data: bytes) -> None:
        bundle = withheld_bundle(path)
        if bundle is None:
            raise Malformed("path", "no record of withheld entries has it")
        if not self._withheld.of_bundle(bundle):
            raise VerificationError("withholds nothing")
        if self._listing.read(path, MAX_WITHHELD_SIZE).data != data:
            raise VerificationError("is being changed; the next run copies it")

    def _of_run(self, path: str, data: bytes) -> None:  # noqa: ARG002
        if run_of(path) is None:
            raise Malformed("path", "no object of an index has it")
        self._done.unverified += 1

    def _head(self, path: str, data: bytes) -> None:
        head = open_index_head(data, note_keys(self._client.policy, self._origin))
        if (head.origin, head.kind) != (self._origin, head_kind(path)):
            raise VerificationError(f"is that of {head.kind} of {head.origin}")
        self._check_beginning(head.tree.size, head.tree)


def _limit(path: str) -> int:
    """Return how many bytes an object has at most."""
    if path.startswith(PAYLOADS):
        return MAX_PAYLOAD_SIZE
    if path.startswith(CHECKPOINTS):
        return MAX_NOTE_SIZE
    if path.startswith(WITHHELD):
        return MAX_WITHHELD_SIZE
    if path.startswith(KEYS):
        return MAX_KEY_CHANGE_SIZE
    return MAX_HEAD_SIZE if head_kind(path) is not None else FILE_SIZE
