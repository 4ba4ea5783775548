"""The right edge of a tree: the partial tiles and the partial bundle, which are all that is needed to append. Pure.

Tile paths and contents are those of https://c2sp.org/tlog-tiles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tiles.errors import TileError
from tiles.tree.bundle import parse_bundle
from tiles.tree.layout import ENTRIES, TILE_WIDTH, Tile, edge_tiles, level_size, tile_at
from tiles.tree.merkle import EMPTY_ROOT, Hash, TreeHead, edge_root, fold_right, leaf_hashes
from tiles.tree.tile import parse_tile


@dataclass(frozen=True)
class Edge:
    """The right edge of a tree: all that is needed to append to it.

    hashes   by level, the hashes of its partial tile: level_size(size, level) % 256 of them, perhaps none
    bundle   the bytes of the partial bundle; empty if size % 256 is 0
    """

    size: int
    hashes: tuple[tuple[Hash, ...], ...] = ()
    bundle: bytes = field(default=b"", repr=False)

    @cached_property
    def tree(self) -> TreeHead:
        """The tree head that follows from the hashes."""
        return TreeHead(self.size, _root(self.hashes))

    def tiles(self) -> dict[Tile, bytes]:
        """Return the partial tiles, as they are stored."""
        levels = ((level, hashes) for level, hashes in enumerate(self.hashes) if hashes)
        return {tile_at(self.size, level, level_size(self.size, level) // TILE_WIDTH): b"".join(hashes)
                for level, hashes in levels}  # fmt: skip


EMPTY_EDGE = Edge(0)


def edge_objects(size: int) -> list[Tile]:
    """Return the tiles, and the bundle, that make the right edge of a tree: what `parse_edge` takes."""
    partial = size % TILE_WIDTH
    return [*edge_tiles(size), *([Tile(ENTRIES, size // TILE_WIDTH, partial)] if partial else [])]


def parse_edge(tree: TreeHead, contents: Mapping[Tile, bytes]) -> Edge:
    """Return the right edge of `tree` from the contents of its `edge_objects`.

    Raises TileError unless the hashes recompute to the root and the bundle's entries to the level-0 tile's hashes,
    Malformed for a content that is no tile or bundle.
    """
    tiles = {tile.level: tile for tile in edge_objects(tree.size)}
    hashes = []
    level = 0
    while level_size(tree.size, level) > 0:
        tile = tiles.get(level)
        hashes.append(parse_tile(contents[tile], tile.width) if tile else ())
        level += 1
    bundle = tiles.get(ENTRIES)
    edge = Edge(tree.size, tuple(hashes), contents[bundle] if bundle else b"")
    if edge.tree.root != tree.root:
        paths = ", ".join(tile.path for tile in edge_tiles(tree.size)) or "the empty tree"
        raise TileError(
            paths,
            f"the right edge gives root {edge.tree.root.hex()}, the tree of size {tree.size} has {tree.root.hex()}",
            evidence={tile.path: contents[tile] for tile in edge_tiles(tree.size)},
        )
    if bundle and tuple(leaf_hashes(parse_bundle(edge.bundle, bundle.width))) != edge.hashes[0]:
        raise TileError(
            bundle.path,
            f"its entries do not have the leaf hashes of {tiles[0].path}",
            evidence={bundle.path: edge.bundle, tiles[0].path: contents[tiles[0]]},
        )
    return edge


def _root(levels: Sequence[Sequence[Hash]]) -> Hash:
    """The root over partial tiles: each level's hashes, cut by powers of two, are the complete subtrees."""
    subtrees: list[Hash] = []
    for hashes in reversed(levels):
        start = 0
        while start < len(hashes):
            width = 1 << (len(hashes) - start).bit_length() - 1
            subtrees.append(edge_root(b"".join(hashes[start : start + width])))
            start += width
    return fold_right(subtrees) if subtrees else EMPTY_ROOT
