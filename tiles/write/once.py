"""Logging equal entries once: which of those that somebody wants logged are there already, and where.

    entries + published tree → Known.find → Wanted (what is new, and where the others are) → plan, stage, commit

It is decided on the tree that the batch will be put on, and the swap of the head fails if another writer was faster:
then it is decided again, of what was new, by the entries that came in between. So the commit decides it, as it decides
order. An entry that is wanted twice in one batch is new at its first place, and already there at the others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tiles.tree.edge import Edge
from tiles.tree.merkle import Hash, leaf_hashes


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of some entries.

    indexes    where those are that are in the tree, by leaf hash; proven by the tree's own hashes
    complete   whether the others are not in the tree; False: they may be, where nobody could look
    """

    indexes: Mapping[Hash, int]
    complete: bool = True


class Known(Protocol):
    """Where the entries of one log are, by its index and its last entries (`tiles.index.known`)."""

    def find(self, leaves: Collection[Hash], edge: Edge, since: int) -> Found:
        """Return where in a published tree some leaf hashes are.

        edge    the right edge of the tree
        since   only entries from this index on are looked at
        Raises AccessError, or a LogError for a log that cannot be believed. An index that is absent, wrong or behind
        is no error: it only makes what is found incomplete.
        """
        ...


class Nowhere:
    """For logs in which nobody can look: nothing is known to be there."""

    def find(self, leaves: Collection[Hash], edge: Edge, since: int) -> Found:
        """Return nothing, which is complete for the empty tree only."""
        return Found({}, complete=not leaves or edge.size <= since)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants logged on top of a tree of `size` entries.

    new        what is to be logged: it comes to be at size, size + 1, …
    already    (position, index) of everything else, by position among all that was wanted
    complete   whether nothing in `new` is in the log so far, as far as it was to be logged once
    """

    size: int
    new: Sequence[bytes] = field(repr=False)
    already: tuple[tuple[int, int], ...] = field(default=(), repr=False)
    complete: bool = True


def anyway(entries: Sequence[bytes], size: int) -> Wanted:
    """Return what is logged whatever is there."""
    return Wanted(size, entries)


class Once:
    """Decides for one writer, batch after batch. Not to be shared between threads.

    What this writer has committed last is known to it, and in no index yet.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self._own: dict[Hash, int] = {}  # the entries that were committed last
        self._own_end = -1  # the size of the tree with them

    def look(
        self,
        entries: Sequence[bytes],
        asked: Sequence[bool] | None,
        published: Edge,
        size: int,
        before: Wanted | None = None,
    ) -> Wanted:
        """Return what of `entries` is new on top of `size` entries.

        asked       of each entry, whether it is to be logged once only; None: all are
        published   the right edge of the published tree; between it and `size` is what this writer committed last
        before      what was found on a beginning of that tree, for the same entries, before another writer was faster
        Raises what `Known.find` raises.
        """
        leaves = leaf_hashes(list(entries))
        first: dict[Hash, int] = {}  # by leaf hash, where it is or will be
        since, complete = 0, True
        if before is not None and before.size <= published.size:
            first.update((leaves[position], index) for position, index in before.already if index < before.size)
            since, complete = before.size, before.complete
        candidates = [leaf for n, leaf in enumerate(leaves) if (asked is None or asked[n]) and leaf not in first]
        found = self._known.find(set(candidates), published, since)
        first.update(found.indexes)
        if self._own_end == size:
            first.update((leaf, self._own[leaf]) for leaf in candidates if leaf in self._own)
        new: list[bytes] = []
        already: list[tuple[int, int]] = []
        for position, (leaf, entry) in enumerate(zip(leaves, entries, strict=True)):
            if (asked is None or asked[position]) and leaf in first:
                already.append((position, first[leaf]))
                continue
            first.setdefault(leaf, size + len(new))
            new.append(entry)
        return Wanted(size, new, tuple(already), complete and found.complete)

    def committed(self, base: int, leaves: Sequence[Hash]) -> None:
        """Take note that a batch was committed. base: the index of its first entry; leaves: their leaf hashes"""
        self._own = {leaf: index for index, leaf in reversed(list(enumerate(leaves, base)))}
        self._own_end = base + len(leaves)
