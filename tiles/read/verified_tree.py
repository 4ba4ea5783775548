"""One tree of a log, as it can be believed: `tiles.tree.reader` verifies tiles, whether fetched or kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from tiles.errors import TileError
from tiles.read.memories import TileMemory
from tiles.read.tiles import TileSource
from tiles.tree.layout import Tile
from tiles.tree.merkle import Hash, TreeHead
from tiles.tree.proof import Node, verify_inclusion
from tiles.tree.reader import TreeReader


class VerifiedTree:
    """Hashes of one tree. Not to be shared between threads.

    source   of the log's tiles and bundles
    tree     believed: from a checkpoint that a policy has accepted
    origin   of the log; what is in the cache is filed under it
    """

    def __init__(self, source: TileSource, tree: TreeHead, origin: str, cache: TileMemory | None = None) -> None:
        self.tree = tree
        self._source = source
        self._origin = origin
        self._cache = cache
        self._reader = TreeReader(tree)

    @property
    def size(self) -> int:
        """How many entries it has."""
        return self.tree.size

    def read(self, nodes: Iterable[Node], bundles: Sequence[Tile] = ()) -> Iterator[bytes]:
        """Make `hash` know these nodes, and return the contents of bundles, NOT believed, in order, as they are taken.

        Tiles and bundles are fetched in one go: none has to be known to ask for the others.
        Raises NotFound, AccessError, and TileError for a tile that does not hash up to the tree.
        """
        nodes = list(nodes)
        wanted = self._reader.wanted(nodes)
        kept = self._kept(wanted)
        missing = [tile for tile in wanted if tile not in kept]
        stream = self._source.fetch([*missing, *bundles])
        fetched = dict(islice(stream, len(missing)))
        try:
            self._reader.accept(fetched | kept)
        except TileError:
            self._read_again(nodes, fetched, kept)
        self._keep(fetched)
        return (data for _, data in stream)

    def hash(self, node: Node) -> Hash:
        """Return the hash of a node that the last `read` was asked for, or one in the same tiles."""
        return self._reader.hash(node)

    def prove(self, index: int) -> tuple[Hash, ...]:
        """Return the inclusion proof of an entry, verified. Raises UsageError unless 0 ≤ index < the tree's size."""
        found = self._reader.inclusion(index)
        if found is None:
            self.read_paths([index])
            found = self._reader.inclusion(index)
        if found is None:  # `read` has just made all of it known
            raise AssertionError(f"what entry {index} takes is not known")
        leaf, hashes = found
        verify_inclusion(leaf, index, self.tree, hashes)
        return hashes

    def read_paths(self, indexes: Iterable[int]) -> None:
        """Read the tiles that the inclusion proofs of these entries take, all in one go, so that `prove` reads none.

        Raises as `read` does; UsageError unless 0 ≤ index < the tree's size.
        """
        self.read([node for index in indexes for node in self._reader.path(index)])

    def leaf_hashes(self, bundle: Tile) -> Sequence[Hash]:
        """Return the leaf hashes of a bundle, a node of which the last `read` was asked for."""
        return self._reader.leaf_hashes(bundle)

    def _read_again(self, nodes: list[Node], fetched: dict[Tile, bytes], kept: dict[Tile, bytes]) -> None:
        """Fetch what was kept and is not believed, and add it to `fetched`: the cache may be wrong, and the log right.

        Then do the same with the other copies that there may be of what is wrong (`TileSource.others`).
        Raises what `TileSource.refuse` raises if none of them will do.
        """
        doubtful = [tile for tile in self._reader.wanted(nodes) if tile in kept]
        for tile in doubtful:
            if self._cache is not None:
                self._cache.drop(self._origin, tile)
        fetched.update(self._source.fetch(doubtful))
        others: dict[str, Iterator[bytes]] = {}
        while True:
            contents = {tile: fetched[tile] for tile in self._reader.wanted(nodes)}
            try:
                return self._reader.accept(contents)
            except TileError as error:
                found: dict[Tile, bytes] = {}
                for tile in contents:
                    if tile.path in error.path.split(", "):
                        copies = others.setdefault(tile.path, self._source.others(tile, contents[tile]))
                        found.update((tile, data) for data in islice(copies, 1))
                if not found:
                    self._source.refuse(error)
                fetched.update(found)

    def _kept(self, wanted: Iterable[Tile]) -> dict[Tile, bytes]:
        kept = {}
        for tile in wanted:
            data = self._cache.get(self._origin, tile) if self._cache is not None else None
            if data is not None:
                kept[tile] = data
        return kept

    def _keep(self, believed: dict[Tile, bytes]) -> None:
        for tile, data in believed.items():
            if self._cache is not None and tile.is_full:
                self._cache.put(self._origin, tile, data)
