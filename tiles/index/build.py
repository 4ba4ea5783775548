"""Building an index of one kind of keys, step by step, until it covers what it can of a log; docs/index-format.md.

Each step covers up to STEP entries more, or all whose records are there already (`tiles.index.fresh`). It may die
anywhere, and others may build at the same time:

1. read the index head       nothing was written
2. create the new live runs  they are a function of the entries, so whoever comes next creates the same objects
3. barrier                   the same
4. swap the index head       readers find the new runs; the old ones stay until they are collected

A run is merged from the live ones whose entries it covers, each believed only if it leads to the root in the head,
which the same key signed, and from the records of the entries that no head covered. What is missing or damaged there is
computed from the entries again; that takes 16 bytes of memory for each record of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, count, pairwise
from typing import Protocol, runtime_checkable

from tiles.entries.kind import LEAF
from tiles.errors import Conflict, LogError, NotFound, OutcomeUnknown, TooLong, VerificationError
from tiles.index.fresh import Fresh
from tiles.index.order import few_at_a_time, in_order, merged
from tiles.index.record import leaf_records, records_of
from tiles.index.run import RunWriter
from tiles.index.run_reader import RunReader
from tiles.notes.index_head import (
    MAX_COVERED,
    MAX_HEAD_SIZE,
    RUN_ENTRIES,
    IndexHead,
    Run,
    check_kind,
    live_runs,
    open_index_head,
    run_range,
)
from tiles.notes.keys import VerifierKey
from tiles.records.paths import index_head_path
from tiles.retry import Clock, Pauses, attempts
from tiles.store import Store, StoreFetcher, Version
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead

STEP = 16 * RUN_ENTRIES  # entries that one head covers more than the one before, at most

# how often one step is begun again because somebody else was faster
_OTHER_BUILDERS = Pauses(100, 0.1, 5.0)
_FASTER_ONES = Pauses(3, 0.05, 0.5)

Told = Callable[[int], None]


class Entries(Protocol):
    """The log that is indexed, as somebody reads it who believes only what leads to its checkpoint."""

    @property
    def tree(self) -> TreeHead:
        """Size and root."""
        ...

    def tree_at(self, size: int) -> TreeHead:
        """Return the tree that the log had at a size up to its own."""
        ...

    def entries(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """Yield (index, entry) for start ≤ index < stop."""
        ...

    def leaves(self, start: int, stop: int) -> Iterator[Sequence[Hash]]:
        """Yield the leaf hashes of the entries [start, stop), several at a time, in order."""
        ...


@runtime_checkable
class ComputesRecords(Protocol):
    """A log that may have records of its entries, because others compute them."""

    def records(self, kind: str, start: int, stop: int) -> bytes | None:
        """Return the records of the entries [start, stop), sorted and joined; None if they are to be computed."""
        ...


class IndexBuilder:
    """Builds one index.

    store      where it is put: the public part of the log, or a place of the builder's own
    log        what is indexed
    sign       returns the whole signed note of a head
    verifier   of what `sign` signs
    fresh      records that are there already
    others     further keys, by which the head that is there may be signed
    """

    def __init__(
        self,
        store: Store,
        log: Entries,
        sign: Callable[[IndexHead], bytes],
        verifier: VerifierKey,
        fresh: Fresh | None = None,
        others: Sequence[VerifierKey] = (),
    ) -> None:
        self._store = store
        self._fetcher = StoreFetcher(store)
        self._log = log
        self._sign = sign
        self._verifiers = (verifier, *others)
        self._fresh = fresh or Fresh()

    def build(self, origin: str, kind: str, clock: Clock | None = None, told: Told | None = None) -> IndexHead:
        """Begin the index of a kind of keys, or catch up, and return its head.

        told   is called with the covered size, first with that of the head that was there
        Raises Conflict if others were faster each time; VerificationError if the index that is there is of another
        log, or was not signed by this key; Differs if it holds something else than what follows from the entries; what
        `log`, `sign` and the store raise.
        """
        check_kind(kind)
        found = self._read(origin, kind)
        head = found[0] or IndexHead(origin, kind, EMPTY_TREE, ())
        return self._advance(head, found[1], clock or Clock(), _OTHER_BUILDERS, told or _nobody)

    def check_place(self, origin: str, kind: str) -> None:
        """Raise Malformed, SignatureError or VerificationError if `build` cannot go on with what is there."""
        self._read(origin, kind)

    def step(self, origin: str, kind: str, clock: Clock, *, begin: bool) -> IndexHead | None:
        """Take one step, if there is anything to do, and return the head; None if there is none.

        begin   what to do where there is none
        Raises as `build` does. If others are faster, it soon gives up: they build the same.
        """
        found = self._read(origin, kind)
        if found[0] is None and not begin:
            return None
        head = found[0] or IndexHead(origin, kind, EMPTY_TREE, ())
        return self._advance(head, found[1], clock, _FASTER_ONES, _nobody, most=1)

    def _advance(
        self, head: IndexHead, version: Version | None, clock: Clock, tries: Pauses, told: Told, most: int | None = None
    ) -> IndexHead:
        """Take steps until all is covered, or as many, and return the head. version: None if there is none yet"""
        goal = min(self._log.tree.size, MAX_COVERED) // RUN_ENTRIES * RUN_ENTRIES
        told(head.tree.size)
        for _ in count() if most is None else range(most):
            for attempt in attempts(clock, tries):
                if attempt:
                    there, version = self._read(head.origin, head.kind)
                    head = there or head
                if version is not None and head.tree.size >= goal:
                    return head
                try:
                    head, version = self._step(head, version, goal)
                except (Conflict, OutcomeUnknown):
                    continue  # somebody else builds it too, or nobody knows: look again
                told(head.tree.size)
                break
            else:
                raise Conflict(f"{self._store.url}: the head of the index {head.kind} changes all the time")
        return head

    def _read(self, origin: str, kind: str) -> tuple[IndexHead | None, Version | None]:
        path = index_head_path(kind)
        try:
            found = self._store.read(path, MAX_HEAD_SIZE)
        except NotFound:
            return None, None
        head = open_index_head(found.data, self._verifiers)
        size = head.tree.size
        if (head.origin, head.kind) != (origin, kind) or (
            size <= self._log.tree.size and self._log.tree_at(size) != head.tree
        ):
            raise VerificationError(
                f"{self._store.url}/{path} is of {head.origin}, {head.kind}, {head.tree}, and the log {origin} does "
                "not begin with that",
                evidence={"index head": found.data},
            )
        return head, found.version

    def _step(self, old: IndexHead, version: Version | None, goal: int) -> tuple[IndexHead, Version]:
        covered = goal
        if old.tree.size + STEP < self._fresh.first(old.kind):  # more would have to be read from the log
            covered = min(goal, (old.tree.size // STEP + 1) * STEP)
        there = {(run.level, run.number): run for run in old.runs}
        runs = [there.get(place) or self._create(old.kind, place, old.runs) for place in live_runs(covered)]
        head = IndexHead(old.origin, old.kind, self._log.tree_at(covered), tuple(runs))
        self._store.barrier()
        return head, self._store.swap(index_head_path(old.kind), self._sign(head), version)

    def _create(self, kind: str, place: tuple[int, int], live: Sequence[Run]) -> Run:
        """Create the objects of a run, merged from those of the live ones that it covers, or else from the entries."""
        covers = run_range(*place)
        merged_here = [run for run in live if run.covers.start in covers]
        try:
            return self._write(kind, place, merged_here)
        except (NotFound, TooLong, LogError):
            if not merged_here:
                raise
            return self._write(kind, place, ())  # the objects that were created are right, and are created again

    def _write(self, kind: str, place: tuple[int, int], parts: Sequence[Run]) -> Run:
        """Create the objects of a run. parts: neighbouring runs that cover its first entries"""
        covers = run_range(*place)
        start = parts[-1].covers.stop if parts else covers.start
        sources = [few_at_a_time(RunReader(self._fetcher, kind, part).files()) for part in parts]
        first = min(max(self._fresh.first(kind), start), covers.stop)
        sources += [few_at_a_time([records]) for records in self._computed(kind, start, first)]
        sources.append(self._fresh.records(kind, first, covers.stop))
        writer = RunWriter(kind, *place)
        for records in merged(sources):
            self._store.create(dict(writer.add(records)))
        self._store.create(dict(writer.finish()))
        return writer.run

    def _computed(self, kind: str, start: int, stop: int) -> Iterator[bytes]:
        """Yield the records of the entries [start, stop), sorted and joined, those of some entries at a time."""
        for each, end in pairwise([*range(start, stop, STEP), stop]):
            found = self._log.records(kind, each, end) if isinstance(self._log, ComputesRecords) else None
            if found is not None:
                yield found
                continue
            if kind == LEAF:  # no entry has to be read for it
                records = leaf_records(b"".join(chain.from_iterable(self._log.leaves(each, end))), each)
            else:
                records = records_of(kind, (entry for _, entry in self._log.entries(each, end)), each)
            yield b"".join(in_order([records]))


def _nobody(_: int) -> None:
    """Do nothing: the caller did not ask to be told."""
