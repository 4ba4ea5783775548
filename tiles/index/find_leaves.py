"""Looking for many leaf hashes at once: each run is looked at by windows for a few, and read once for many."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial

from tiles.entries.kind import LEAF, Key
from tiles.errors import UsageError
from tiles.index.lookup import newest
from tiles.index.opened import Index
from tiles.index.record import PREFIX_SIZE, index_in, key_prefix
from tiles.index.run import page_count, records_in
from tiles.index.run_reader import RunReader
from tiles.notes.index_head import Run
from tiles.parallel import in_parallel
from tiles.tree.merkle import Hash

FEW = 64  # leaf hashes that are looked for one by one
MOST = 16  # candidates of one leaf hash: there is more than one if it was logged twice, or by chance

_WINDOW = 8  # pages: what looking for one leaf hash reads of a run, about


def find_leaves(index: Index, leaves: Collection[Hash], *, proven: bool = False) -> dict[Hash, list[int]]:
    """Return the entries that an index of leaf hashes names for each leaf hash, newest first, MOST of them at most.

    A leaf hash without any is not in the result. Whoever calls verifies each, and looks through what is not covered.
    proven   what is not named is not among the covered entries, as far as the index head says; it costs the tiles
             of the runs. Where many are looked for, it is always so.
    Raises NotFound, AccessError and TileError for a run that cannot be read or is wrong.
    """
    if index.head.kind != LEAF:
        raise UsageError(f"an index of {index.head.kind} has no leaf hashes")
    by_prefix: dict[bytes, list[Hash]] = {}
    for leaf in dict.fromkeys(leaves):
        by_prefix.setdefault(key_prefix(Key(LEAF, leaf)), []).append(leaf)
    prefixes = sorted(by_prefix)
    jobs: list[tuple[Run, list[bytes]]] = []
    for run in reversed(index.head.runs):
        # what was read of a run is kept for the next, if it is to be believed
        together = proven or not _is_few(prefixes, run)
        jobs += [(run, prefixes)] if together else [(run, [prefix]) for prefix in prefixes]
    found: dict[Hash, list[int]] = {}
    look = partial(_look, index, proven=proven)
    for candidates in in_parallel(look, jobs if prefixes else [], index.fetcher.parallel):
        for prefix, indexes in candidates.items():
            for leaf in by_prefix[prefix]:
                known = found.setdefault(leaf, [])
                known += indexes[: MOST - len(known)]
    return found


def _is_few(prefixes: Collection[bytes], run: Run) -> bool:
    return len(prefixes) == 1 or (len(prefixes) <= FEW and _WINDOW * len(prefixes) <= page_count(run.records))


def _look(index: Index, job: tuple[Run, list[bytes]], *, proven: bool) -> dict[bytes, list[int]]:
    """Return what one run names, newest first."""
    run, prefixes = job
    reader = RunReader(index.fetcher, LEAF, run)
    if _is_few(prefixes, run):
        found = ((prefix, _first(newest(reader, prefix, proven=proven))) for prefix in prefixes)
        return {prefix: indexes for prefix, indexes in found if indexes}
    wanted = frozenset(prefixes)
    named: dict[bytes, list[int]] = {}
    for data in reader.files():
        for record in records_in(data):
            if (prefix := record[:PREFIX_SIZE]) in wanted:
                named.setdefault(prefix, []).append(index_in(record))
                del named[prefix][:-MOST]
    return {prefix: indexes[::-1] for prefix, indexes in named.items()}


def _first(batches: Iterator[list[int]]) -> list[int]:
    found: list[int] = []
    for some in batches:
        found += some
        if len(found) >= MOST:
            break
    return found[:MOST]
