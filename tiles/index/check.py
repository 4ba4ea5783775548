"""Checking an index: it is a function of the log's entries, so anyone can compute it again, and compare.

    head, verified  →  the same index, built again in a scratch place from the entries  →  what differs

What the head states of the log's tree or of a run, and what does not follow from the entries, is a lie of whoever
signed it. The head and the checkpoint show it to anyone who has the entries. An object that is not what the head stands
for is damage: the head is right, and the object can be put back.

The scratch place may be kept: what it covers is not computed again. It is believed like any other place of one's own.
The log is not blamed for what is damaged there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from tiles.errors import (
    AccessError,
    LogError,
    Malformed,
    NotFound,
    Refused,
    SignatureError,
    TooLong,
    VerificationError,
)
from tiles.index.build import ComputesRecords, Entries, IndexBuilder, Told
from tiles.index.opened import note_keys
from tiles.index.run_reader import RunReader
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.index_head import MAX_HEAD_SIZE, IndexHead, Run, open_index_head, sign_index_head
from tiles.notes.keys import VerifierKey, signing_key
from tiles.notes.policy import Policy
from tiles.records.paths import index_head_path, run_prefix
from tiles.store import Fetcher, Store, StoreFetcher
from tiles.tree.merkle import Hash, TreeHead
from tiles.user.seen_checkpoints import INDEX_HEAD

SCRATCH = signing_key("scratch", bytes(32))  # nobody believes what it signs but whoever has the scratch place

Damages = tuple[tuple[str, str], ...]  # paths, and what is wrong with each
Mend = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True)
class SignedHead:
    """An index head, and the note that it is from, which a key of the log has signed."""

    head: IndexHead
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of checking an index.

    lies      what the head states and what does not follow from the entries, in words
    damaged   paths of objects that are not what the head stands for, and what is wrong with each
    """

    lies: tuple[str, ...] = ()
    damaged: Damages = ()


def head_keys(policy: Policy, origin: str) -> list[VerifierKey]:
    """Return the keys of a log that sign index heads. Raises VerificationError if there is none."""
    if not (keys := note_keys(policy, origin)):
        raise VerificationError(f"no key that is trusted for {origin} signs anything but checkpoints")
    return keys


def open_head(data: bytes, keys: Sequence[VerifierKey]) -> SignedHead:
    """Return a head that one of the keys has signed. Raises Malformed; SignatureError."""
    return SignedHead(open_index_head(data, keys), data)


def read_head(fetcher: Fetcher, kind: str, keys: Sequence[VerifierKey]) -> SignedHead:
    """Return the head of the index of a kind of keys. Raises NotFound, AccessError; Malformed; SignatureError."""
    return open_head(fetcher.fetch(index_head_path(kind), MAX_HEAD_SIZE), keys)


def check_index(
    fetcher: Fetcher | None, log: Entries, origin: str, kind: str, head: IndexHead, scratch: Store,
    told: Told | None = None, mend: Mend | None = None, known: Collection[Run] = (),
) -> Checked:  # fmt: skip
    """Compute an index again, and return what differs.

    fetcher        where its objects are; None: only the head is checked
    log            its entries, verified
    origin, kind   of the log and the keys that the head has to be of
    scratch        where it is built again
    mend           is called with the path of each damaged object, and what it should be
    known          runs whose objects were compared before, and are not fetched again
    Raises AccessError for what cannot be read, and a LogError if the log is not sound; then nothing is known.
    """
    if head.tree.size > log.tree.size:
        raise AccessError(
            f"the index head covers {head.tree.size} entries, and the log has {log.tree.size}: it is an old copy"
        )
    if (head.origin, head.kind) != (origin, kind):  # it was put there by whoever can write there
        return Checked((), ((index_head_path(kind), f"is that of {head.kind} of {head.origin}"),))
    if (tree := log.tree_at(head.tree.size)) != head.tree:
        return Checked((f"it says that the log had {head.tree}; it had {tree}",))
    lies: list[str] = []
    right = _rebuilt(log, head, scratch, told)
    damaged: list[tuple[str, str]] = []
    for run, expected in zip(head.runs, right.runs, strict=True):
        if run != expected:
            lies.append(f"it says of a run {run.line!r}; of the entries it is {expected.line!r}")
        elif fetcher is not None and run not in known:
            differences = list(_differences(fetcher, scratch, run_prefix(kind, run.level, run.number)))
            if differences:
                _check_own(scratch, kind, run)
            for path, problem, data in differences:
                damaged.append((path, problem))
                if mend is not None:
                    mend(path, data)
    return Checked(tuple(lies), tuple(damaged))


def contradictions(one: IndexHead, other: IndexHead) -> Iterator[str]:
    """Yield what one of two heads of the same index states and the other one denies: nobody has to read the log."""
    if one.tree.size == other.tree.size and one.tree != other.tree:
        yield f"one says {one.tree}, the other {other.tree}"
    there = {(run.level, run.number): run for run in other.runs}
    for run in one.runs:
        if (same := there.get((run.level, run.number))) is not None and same != run:
            yield f"one says of a run {run.line!r}, the other {same.line!r}"


def evidence_of(
    signed: SignedHead, lies: Sequence[str], checkpoint: SignedCheckpoint, other: SignedHead | None = None
) -> dict[str, bytes]:
    """Return what shows a third party that a head is wrong.

    checkpoint   of the log whose entries say so
    other        a head that contradicts it, if there is one
    """
    shown = "".join(f"{lie}\n" for lie in lies).encode()
    found = {INDEX_HEAD: signed.data, "what-it-shows": shown, "checkpoint": checkpoint.data}
    return found | ({f"other-{INDEX_HEAD}": other.data} if other is not None else {})


class _Beginning:
    """The first entries of a log, and their records if the log has them (ComputesRecords)."""

    def __init__(self, log: Entries, tree: TreeHead) -> None:
        self._log = log
        self.tree = tree

    def tree_at(self, size: int) -> TreeHead:
        """Return the tree that the log had at a size."""
        return self._log.tree_at(size)

    def entries(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """Yield (index, entry) for start ≤ index < stop."""
        return self._log.entries(start, stop)

    def leaves(self, start: int, stop: int) -> Iterator[Sequence[Hash]]:
        """Yield the leaf hashes of the entries [start, stop)."""
        return self._log.leaves(start, stop)

    def records(self, kind: str, start: int, stop: int) -> bytes | None:
        """Return the records of the entries [start, stop); None if they are to be computed."""
        return self._log.records(kind, start, stop) if isinstance(self._log, ComputesRecords) else None


def _rebuilt(log: Entries, head: IndexHead, scratch: Store, told: Told | None) -> IndexHead:
    builder = IndexBuilder(
        scratch,
        _Beginning(log, head.tree),
        lambda made: sign_index_head(made, SCRATCH).data,
        SCRATCH.verifier,
    )
    try:
        builder.check_place(head.origin, head.kind)
    except (Malformed, SignatureError, VerificationError) as error:
        raise _unusable(scratch, f"is not what was computed of this log: {error.message}") from error
    right = builder.build(head.origin, head.kind, told=told)
    if right.tree != head.tree:
        raise AccessError(
            f"{scratch.url} covers {right.tree.size} entries by now, more than the head: name an empty place"
        )
    return right


def _check_own(scratch: Store, kind: str, run: Run) -> None:
    """Raise Refused unless a run in the scratch place is what it was when it was computed."""
    try:
        for _ in RunReader(StoreFetcher(scratch), kind, run).files():
            pass
    except (NotFound, TooLong, LogError) as error:
        raise _unusable(scratch, f"is damaged: {error.message}") from error


def _unusable(scratch: Store, problem: str) -> Refused:
    return Refused(f"{scratch.url} {problem}", hint="remove it: all of it is computed again")


def _differences(fetcher: Fetcher, scratch: Store, below: str) -> Iterator[tuple[str, str, bytes]]:
    for listed in scratch.list(below):
        right = scratch.read(listed.path).data
        try:
            found = fetcher.fetch(listed.path, len(right))
        except NotFound:
            yield listed.path, "is missing", right
        except TooLong:
            yield listed.path, f"is longer than {len(right)} bytes", right
        else:
            if found != right:
                yield listed.path, "is not what the head stands for", right
