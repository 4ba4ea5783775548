"""Where entries are that somebody wants logged, if they are there already: by the leaf index and by the last entries.

    KnownEntries   for the log's writer, before each batch
    find_in        for whoever reads it

What the index says is believed of an entry only after its leaf hash was found there in the published tree. What it does
not say may be wrong: then an entry is logged twice, and nothing else happens.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice

from tiles.entries.kind import LEAF
from tiles.errors import AccessError, TileError, TilesError
from tiles.index.find_leaves import find_leaves
from tiles.index.opened import Index, open_index
from tiles.notes.index_head import MAX_HEAD_SIZE, open_index_head
from tiles.notes.keys import VerifierKey
from tiles.parallel import BUCKET_READS
from tiles.read.client import SCAN_LIMIT, LogClient
from tiles.read.tiles import TileSource
from tiles.read.verified_tree import VerifiedTree
from tiles.records.paths import index_head_path
from tiles.store import Store, StoreFetcher
from tiles.tree.edge import Edge
from tiles.tree.layout import ENTRIES, TILE_WIDTH, Tile, tile_at
from tiles.tree.merkle import Hash, TreeHead
from tiles.tree.proof import Node
from tiles.write.once import Found

MAX_TAIL = 65_536  # entries beyond the index that are looked at

_CHUNK = 64  # tiles of level 0 that are read together


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

    def find(self, leaves: Collection[Hash], edge: Edge, since: int) -> Found:
        """Return where in a published tree some leaf hashes are: one place of each.

        edge    the right edge of the tree
        since   only entries from this index on are looked at
        Raises AccessError, or a LogError for a log that cannot be believed. An index that is absent, wrong or behind
        is no error: beyond it the last MAX_TAIL entries are looked at, and what is found may be incomplete.
        """
        if not leaves or since >= edge.size:
            return Found({})
        tree = VerifiedTree(TileSource(self._fetcher, lenient=False), edge.tree, self._verifier.name, _TilesOf(edge))
        index = self._caught_up(edge.tree) if edge.size - since > SCAN_LIMIT else None
        return _find(leaves, tree, since, index)

    def _caught_up(self, tree: TreeHead) -> Index | None:
        """Return the index, which covers more than it did if it was far behind; None if there is none to be used."""
        index = self._open(tree)
        if tree.size - (index.covered if index else 0) > MAX_TAIL:
            with suppress(TilesError):
                self._catch_up()
                index = self._open(tree)
        return index

    def _open(self, tree: TreeHead) -> Index | None:
        try:
            data = self._fetcher.fetch(index_head_path(LEAF), MAX_HEAD_SIZE)
            head = open_index_head(data, [self._verifier])
        except TilesError:
            return None
        fits = head.origin == self._verifier.name and head.kind == LEAF and head.tree.size <= tree.size
        return Index(self._fetcher, head, data) if fits else None


def find_in(client: LogClient, leaves: Collection[Hash]) -> Found:
    """Return where in the log that a client reads some leaf hashes are, as far as index and last entries show.

    Raises AccessError, or a LogError for a log that cannot be believed.
    """
    tree = VerifiedTree(TileSource(client.fetcher), client.tree, client.accepted.signed.origin)
    index = None
    if tree.size > SCAN_LIMIT:
        with suppress(TilesError):  # whatever is wrong with the index, it is not what is asked here
            index = open_index(client, LEAF)
    return _find(leaves, tree, 0, index)


def _find(leaves: Collection[Hash], tree: VerifiedTree, since: int, index: Index | None) -> Found:
    covered, found = since, dict[Hash, int]()
    if index is not None:
        with suppress(AccessError, TileError):  # a run is gone, or damaged: nothing is known of its entries
            found = _believed(tree, find_leaves(index, leaves))
            covered = max(since, index.covered)
    start = max(covered, tree.size - MAX_TAIL)
    for tile, hashes in _read(tree, range(start // TILE_WIDTH, -(-tree.size // TILE_WIDTH))):
        first = tile * TILE_WIDTH
        found.update((leaf, at) for at, leaf in enumerate(hashes, first) if at >= start and leaf in leaves)
    return Found(found, complete=start == covered)


def _believed(tree: VerifiedTree, candidates: Mapping[Hash, Sequence[int]]) -> dict[Hash, int]:
    """Return of each leaf hash one of its candidates at which it is."""
    wanted: dict[int, list[tuple[int, Hash]]] = {}
    for leaf, indexes in candidates.items():
        for index in indexes:
            if index < tree.size:
                wanted.setdefault(index // TILE_WIDTH, []).append((index, leaf))
    found: dict[Hash, int] = {}
    for tile, hashes in _read(tree, sorted(wanted)):
        found.update((leaf, index) for index, leaf in wanted[tile] if hashes[index % TILE_WIDTH] == leaf)
    return found


def _read(tree: VerifiedTree, tiles: Sequence[int]) -> Iterator[tuple[int, Sequence[Hash]]]:
    """Yield the leaf hashes in tiles of level 0, by their numbers, some of them read at a time."""
    left = iter(tiles)
    while some := list(islice(left, _CHUNK)):
        bundles = [tile_at(tree.size, ENTRIES, tile) for tile in some]
        tree.read([Node(0, tile * TILE_WIDTH) for tile in some])
        # now: reading more may make the tree forget them
        yield from [(tile, tree.leaf_hashes(bundle)) for tile, bundle in zip(some, bundles, strict=True)]


class _TilesOf:
    """The right edge of a tree as a memory of tiles: they need not be read again."""

    def __init__(self, edge: Edge) -> None:
        self._tiles = edge.tiles()

    def get(self, _origin: str, tile: Tile) -> bytes | None:
        """Return a tile of the edge."""
        return self._tiles.get(tile)

    def put(self, _origin: str, _tile: Tile, _data: bytes) -> None:
        """Keep nothing: each tile is read once."""

    def drop(self, _origin: str, tile: Tile) -> None:
        """Forget a tile."""
        self._tiles.pop(tile, None)
