"""Steps 3 and 4 of the commit for entries that a caller gives: what is new → plan → staged batch.

The next batch is planned on top of one that is committed and not published yet. Its own commit decides it: where the
log has gone on otherwise, it is planned again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import overload

from tiles.errors import AccessError, Refused, UsageError
from tiles.records.staged_batch import Batch
from tiles.store import Store
from tiles.tree.bundle import check_entry_sizes, decode_entries
from tiles.tree.edge import Edge
from tiles.tree.merkle import TreeHead, leaf_hashes, split_hashes
from tiles.tree.plan import Plan, plan
from tiles.write.commit import Committer
from tiles.write.once import Once, Wanted, anyway
from tiles.write.own_tree import OwnTree
from tiles.write.state import State

MAX_BATCH = 1 << 20  # entries of one commit
AHEAD = 4096  # entries: below, what a second thread costs is more than it saves, where no store answers over a network

Staged = tuple[Plan, Batch, str]  # a batch that is staged: its plan, and the digest by which a head names it


@dataclass(frozen=True, slots=True)
class Ahead:
    """The next batch of one caller, as far as it is decided.

    entries   what the caller wants logged; none at the end
    since     the tree that all else is for; None: nothing is decided
    wanted    what of it is new
    staged    the new entries, staged
    """

    entries: Sequence[bytes] = field(repr=False)
    since: TreeHead | None = None
    wanted: Wanted | None = None
    staged: Staged | None = None


class Encoded(Sequence[bytes]):
    """Entries as a plan holds them, decoded each time somebody asks for them.

    Once a batch is staged, few ask. The list of its entries would take as much memory as all else that is held of it.
    """

    def __init__(self, planned: Plan) -> None:
        self._pieces = planned.pieces
        self._count = planned.count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        return (entry for piece in self._pieces for entry in decode_entries(piece))

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[bytes]: ...
    def __getitem__(self, at: int | slice) -> bytes | Sequence[bytes]:
        return list(self)[at]


class Planner:
    """Plans batches of one log.

    once   decides what is new; None: whatever is to be logged is logged
    """

    def __init__(self, tree: OwnTree, committer: Committer, once: Once | None) -> None:
        self._tree = tree
        self._committer = committer
        self._once = once

    def on(self, state: State, edge: Edge, ahead: Ahead) -> tuple[Ahead, Wanted]:
        """Return the batch, planned on a published state, and staged unless nothing in it is new.

        edge   the right edge of its tree
        Raises Refused if something is new, and the log is frozen.
        """
        tree = state.head.tree
        wanted = ahead.wanted
        if ahead.since != tree or wanted is None:
            wanted = self._look(ahead.entries, edge, tree.size, wanted)
        staged = ahead.staged if ahead.since == tree else None
        if wanted.new and staged is None:
            check_open(state)
            staged = self._stage(edge, wanted, state)
        return self._lean(Ahead(ahead.entries, tree, wanted, staged)), wanted

    def ahead(self, edge: Edge, published: Edge, entries: Sequence[bytes]) -> Ahead:
        """Return the next batch, planned on what is committed, as far as that can be done now.

        edge        the right edge of the committed tree
        published   that of the tree that it was committed on
        """
        if not entries:
            return Ahead(entries)
        wanted = None
        with suppress(AccessError):  # then the rest is done when its turn comes
            wanted = self._look(entries, published, edge.size, None)
            return self._lean(Ahead(entries, edge.tree, wanted, self._stage(edge, wanted) if wanted.new else None))
        return Ahead(entries, edge.tree if wanted else None, wanted)

    def committed(self, planned: Plan) -> None:
        """Take note that this was committed."""
        if self._once:
            self._once.committed(planned.base, split_hashes(planned.leaves))

    def is_batch_of(self, batch: Batch, entries: Sequence[bytes], tree: TreeHead) -> bool:
        """Whether a batch that an earlier run has committed is exactly these entries. tree: the published one"""
        there = dict(batch.already)
        if batch.took or batch.count + len(there) != len(entries):
            return False
        entries = list(entries)
        if [entry for position, entry in enumerate(entries) if position not in there] != batch.entries():
            return False
        leaves = leaf_hashes([entries[position] for position in there])
        return all(
            self._tree.leaf_hash(tree, index) == leaf for index, leaf in zip(there.values(), leaves, strict=True)
        )

    def _look(self, entries: Sequence[bytes], published: Edge, size: int, before: Wanted | None) -> Wanted:
        if self._once is None:
            return anyway(entries, size)
        return self._once.look(entries, None, published, size, before)

    def _stage(self, edge: Edge, wanted: Wanted, on: State | None = None) -> Staged:
        planned = plan(edge, wanted.new)
        batch = Batch(planned.base, planned.count, already=wanted.already)
        return planned, batch, self._committer.stage(batch, planned.pieces, on=on, planned=planned)

    def _lean(self, ahead: Ahead) -> Ahead:
        """Return a batch in less memory: what is staged is held by its plan, if all that was wanted is new."""
        if ahead.staged is None or self._once is not None:
            return ahead
        planned = ahead.staged[0]
        encoded = Encoded(planned)
        return replace(ahead, entries=encoded, wanted=anyway(encoded, planned.base))


def is_planned_ahead(private: Store, entries: int) -> bool:
    """Tell whether to plan and stage the next batch while one is published. entries: of that one

    In a bucket, always: to stage is a request, and others are waited for meanwhile.
    """
    return private.parallel > 1 or entries >= AHEAD


def checked(entries: Sequence[bytes], *, at_end: bool = False) -> Sequence[bytes]:
    """Return the entries. Raises UsageError if they cannot be a batch. at_end: the sequence may be empty."""
    if not (0 if at_end else 1) <= len(entries) <= MAX_BATCH:
        raise UsageError(f"a batch has 1 to {MAX_BATCH} entries, not {len(entries)}")
    check_entry_sizes(entries)
    return entries


def check_open(state: State) -> None:
    """Raise Refused if nothing can be added any more."""
    if state.head.frozen:
        raise Refused(f"the log {state.head.origin} is frozen at size {state.head.tree.size}")
