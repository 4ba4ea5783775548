"""Where the entries of a log are, as its writer asks before it logs more: by the leaf index and by the last entries.

What the index says is believed of an entry only after its leaf hash was found there in the published tree. What it does
not say may be wrong: then an entry is logged twice, and nothing else happens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice

from tiles.entries.kinds import LEAF, Key
from tiles.errors import TilesError
from tiles.index.lookup import newest
from tiles.index.record import PREFIX_SIZE, index_in, key_prefix
from tiles.index.run_reader import RunReader
from tiles.notes.index_head import MAX_HEAD_SIZE, IndexHead, Run, open_index_head
from tiles.notes.keys import VerifierKey
from tiles.parallel import BUCKET_READS, in_parallel
from tiles.read.client import SCAN_LIMIT
from tiles.read.tiles import TileSource
from tiles.read.verified_tree import VerifiedTree
from tiles.records.paths import index_head_path
from tiles.store import Store, StoreFetcher
from tiles.tree.layout import ENTRIES, TILE_WIDTH, tile_at
from tiles.tree.merkle import Hash, TreeHead
from tiles.tree.proof import Node
from tiles.write.once import Found

MAX_TAIL = 65_536  # entries beyond the index that are looked at

_CHUNK = 64  # tiles of level 0 that are read together
_MOST = 4  # of the records of one run that begin alike, which are of one leaf hash unless somebody has ground them
_WINDOW = 8  # pages that looking for one key in a run is worth; for many keys all of it is read

Candidates = list[tuple[int, bytes]]  # (index, the first bytes of the record of a leaf hash)


class KnownEntries:
    """Looks into one log for its writer.

    public     the log's public part
    verifier   the log's key, named as its origin
    catch_up   lets the leaf index cover more of the log, by one step; whatever it raises of ours stops nothing
    """

    def __init__(self, public: Store, verifier: VerifierKey, catch_up: Callable[[], object]) -> None:
        self._fetcher = StoreFetcher(public, min(public.parallel, BUCKET_READS))
        self._verifier = verifier
        self._catch_up = catch_up

    def find(self, leaves: Collection[Hash], tree: TreeHead, since: int) -> Found:
        """Return where in a published tree some leaf hashes are: one place of each.

        since   only entries from this index on are looked at
        Raises AccessError, or a LogError for a log that cannot be believed. An index that is absent, wrong or behind
        is no error: beyond it the last MAX_TAIL entries are looked at, and what is found may be incomplete.
        """
        if not leaves or since >= tree.size:
            return Found({})
        log = _Leaves(self._fetcher, tree, self._verifier.name)
        covered, candidates = 0, Candidates()
        if tree.size - since > SCAN_LIMIT:
            covered, candidates = self._indexed(leaves, tree, since)
        covered = max(covered, since)
        start = max(covered, tree.size - MAX_TAIL)
        found = log.believed(candidates, leaves)
        for at, hashes in log.between(start, tree.size):
            found.update((leaf, index) for index, leaf in enumerate(hashes, at) if leaf in leaves)
        return Found(found, complete=start == covered)

    def _indexed(self, leaves: Collection[Hash], tree: TreeHead, since: int) -> tuple[int, Candidates]:
        """Return how much of the tree the index covers, and what it names. Without a usable index that is nothing."""
        head = self._head(tree)
        if tree.size - (head.tree.size if head else 0) > MAX_TAIL:
            with suppress(TilesError):
                self._catch_up()
                head = self._head(tree)
        if head is None:
            return 0, []
        prefixes = {key_prefix(Key(LEAF, leaf)) for leaf in leaves}
        runs = [run for run in head.runs if run.records and run.first + run.entries > since]
        try:
            found = in_parallel(lambda run: self._candidates(run, prefixes), runs, self._fetcher.parallel)
            return head.tree.size, [candidate for each in found for candidate in each]
        except TilesError:  # a run is gone, or damaged: nothing is known of its entries
            return 0, []

    def _head(self, tree: TreeHead) -> IndexHead | None:
        try:
            head = open_index_head(self._fetcher.fetch(index_head_path(LEAF), MAX_HEAD_SIZE), self._verifier)
        except TilesError:
            return None
        fits = head.origin == self._verifier.name and head.kind == LEAF and head.tree.size <= tree.size
        return head if fits else None

    def _candidates(self, run: Run, prefixes: Collection[bytes]) -> Candidates:
        reader = RunReader(self._fetcher, LEAF, run)
        if len(prefixes) * _WINDOW < reader.pages:
            some = ((prefix, chain.from_iterable(newest(reader, prefix, proven=False))) for prefix in prefixes)
            return [(index, prefix) for prefix, indexes in some for index in islice(indexes, _MOST)]
        found: dict[bytes, deque[int]] = {}
        for record in chain.from_iterable(reader.files()):
            if (prefix := record[:PREFIX_SIZE]) in prefixes:
                found.setdefault(prefix, deque(maxlen=_MOST)).append(index_in(record))
        return [(index, prefix) for prefix, indexes in found.items() for index in indexes]


class _Leaves:
    """The leaf hashes of a published tree, verified."""

    def __init__(self, fetcher: StoreFetcher, tree: TreeHead, origin: str) -> None:
        self._tree = VerifiedTree(TileSource(fetcher, lenient=False), tree, origin)

    def believed(self, candidates: Candidates, leaves: Collection[Hash]) -> dict[Hash, int]:
        """Return those of `leaves` that are where a candidate says."""
        by_prefix = {key_prefix(Key(LEAF, leaf)): leaf for leaf in leaves} if candidates else {}
        wanted: dict[int, Candidates] = {}
        for index, prefix in candidates:
            if index < self._tree.size:
                wanted.setdefault(index // TILE_WIDTH, []).append((index, prefix))
        found: dict[Hash, int] = {}
        for tile, hashes in self._read(sorted(wanted)):
            for index, prefix in wanted[tile]:
                if hashes[index % TILE_WIDTH] == by_prefix[prefix]:
                    found.setdefault(by_prefix[prefix], index)
        return found

    def between(self, start: int, stop: int) -> Iterator[tuple[int, Sequence[Hash]]]:
        """Yield the leaf hashes of the entries [start, stop), several at a time, with the index of the first."""
        for tile, hashes in self._read(range(start // TILE_WIDTH, -(-stop // TILE_WIDTH))):
            first = max(start, tile * TILE_WIDTH)
            yield first, hashes[first - tile * TILE_WIDTH :]

    def _read(self, tiles: Sequence[int]) -> Iterator[tuple[int, Sequence[Hash]]]:
        """Yield tiles of level 0, by their numbers, some of them read at a time."""
        left = iter(tiles)
        while some := list(islice(left, _CHUNK)):
            bundles = [tile_at(self._tree.size, ENTRIES, tile) for tile in some]
            self._tree.read([Node(0, tile * TILE_WIDTH) for tile in some])
            # now: reading more may make the tree forget them
            yield from [(tile, self._tree.leaf_hashes(bundle)) for tile, bundle in zip(some, bundles, strict=True)]
