"""Records of entries that this run has published itself: they are computed once, and not read from the log again.

Batch after batch is taken, and one step of the index then covers all of them. 16 bytes are held for each record.
Each run of that step sorts its own records: which runs these are is not known before.
"""

from __future__ import annotations

from collections.abc import Collection

from tiles.entries.key_kinds import may_have
from tiles.entries.kind import LEAF
from tiles.index.order import Records, between, in_order
from tiles.index.record import leaf_records, records_of
from tiles.notes.index_head import MAX_COVERED, RUN_ENTRIES
from tiles.tree.bundle import decode_entries
from tiles.tree.merkle import HASH_SIZE
from tiles.tree.plan import Plan


class Fresh:
    """The records of entries, batch after batch.

    entries   how many were taken since `drop`
    """

    def __init__(self) -> None:
        self.entries = 0
        self._kinds: dict[str, _Records] = {}
        self._stop = -1

    def take(self, plan: Plan, kinds: Collection[str]) -> None:
        """Take the entries of a batch, of which keys of some kinds count. What came before a gap is forgotten."""
        first, before = plan.base, self._kinds if plan.base == self._stop else {}
        self.entries = plan.count + (self.entries if before else 0)
        self._kinds, self._stop = {}, -1  # if an error breaks off what follows, nothing is known
        some = [kind for kind in kinds if kind != LEAF and any(map(plan.holds, may_have(kind)))]
        entries = [entry for piece in plan.pieces for entry in decode_entries(piece)] if some else []
        taken = {kind: before.get(kind) or _Records(first) for kind in kinds}
        stop = first + plan.count
        cut = max(first, stop // RUN_ENTRIES * RUN_ENTRIES)  # no index covers what is beyond, until more is there
        for kind, records in taken.items():
            if kind == LEAF:
                records.add(leaf_records(plan.leaves[: (cut - first) * HASH_SIZE], first), cut)
                records.add(leaf_records(plan.leaves[(cut - first) * HASH_SIZE :], cut), stop)
            else:
                have = entries if kind in some else []
                records.add(records_of(kind, have[: cut - first], first), cut)
                records.add(records_of(kind, have[cut - first :], cut), stop)
        self._kinds, self._stop = taken, stop

    def first(self, kind: str) -> int:
        """Return from which entry on all records of a kind are there; MAX_COVERED if none are."""
        return self._kinds[kind].start if kind in self._kinds else MAX_COVERED

    def records(self, kind: str, start: int, stop: int) -> Records:
        """Yield the records of the entries [start, stop) in order. start: not before `first`"""
        return self._kinds[kind].in_order(start, stop) if kind in self._kinds else iter(())

    def drop(self) -> None:
        """Forget the entries that an index can cover."""
        self.entries = 0
        for records in self._kinds.values():
            records.drop()


class _Records:
    """The records of one kind, of the entries from `start` on, in their order."""

    def __init__(self, start: int) -> None:
        self.start = start
        self._parts: list[tuple[int, bytes]] = []  # where the entries of each part end, and their records, joined
        self._stop = start

    def add(self, records: bytes, stop: int) -> None:
        """Add the records of the next entries, up to `stop`."""
        if stop > self._stop:
            self._parts.append((stop, records))
            self._stop = stop

    def in_order(self, start: int, stop: int) -> Records:
        found, first = [], self.start
        for end, records in self._parts:
            if start < end and first < stop:
                found.append(records if start <= first and end <= stop else between(records, start, stop))
            first = end
        return in_order(found)

    def drop(self) -> None:
        """Forget the records that an index can cover: no part has both those and others."""
        cut = max(self.start, self._stop // RUN_ENTRIES * RUN_ENTRIES)
        self.start, self._parts = cut, [part for part in self._parts if part[0] > cut]
