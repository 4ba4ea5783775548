"""Planning a batch: (right edge, entries) → the objects to write, the new right edge, the new root. Pure.

Tile paths and contents are those of https://c2sp.org/tlog-tiles. A plan depends on the edge and the entries alone:
whoever plans the same batch on the same tree, now or after a crash, writes the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from tiles.errors import TileError, UsageError
from tiles.tree.bundle import encode_entries, parse_bundle
from tiles.tree.layout import ENTRIES, TILE_WIDTH, Tile, edge_tiles, level_size, tile_at
from tiles.tree.merkle import EMPTY_ROOT, MAX_TREE_SIZE, Hash, TreeHead, fold_right, leaf_hashes, node_root
from tiles.tree.tile import full_roots, grow_level, parse_tile


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


@dataclass(frozen=True)
class Plan:
    """What appending `entries` to a tree of size `base` comes to.

    body      the new entries, length-prefixed
    objects   public path → content, immutable; in no particular order
    edge      the right edge of the new tree
    """

    base: int
    count: int
    body: bytes = field(repr=False)
    objects: Mapping[str, bytes] = field(repr=False)
    edge: Edge = field(repr=False)

    @property
    def tree(self) -> TreeHead:
        """The tree head once the entries are in."""
        return self.edge.tree


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


def plan(edge: Edge, entries: Sequence[bytes]) -> Plan:
    """Return what appending `entries`, at least one, to the tree at `edge` comes to.

    Raises UsageError for an entry over 65,535 bytes or a tree that would exceed MAX_TREE_SIZE.
    """
    size = edge.size + len(entries)
    if not entries:
        raise UsageError("a batch holds at least one entry")
    if size > MAX_TREE_SIZE:
        raise UsageError(f"a tree of {size} entries is larger than {MAX_TREE_SIZE}")
    pieces = _pieces(edge, entries)
    bundles = [edge.bundle + pieces[0], *pieces[1:]]
    objects = {
        tile_at(size, ENTRIES, index).path: content for index, content in enumerate(bundles, edge.size // TILE_WIDTH)
    }
    hashes: list[tuple[Hash, ...]] = []
    new: list[Hash] = leaf_hashes(entries)
    level = 0
    while level_size(size, level) > 0:
        before = level_size(edge.size, level)
        partial = edge.hashes[level] if level < len(edge.hashes) else ()
        objects.update((tile.path, content) for tile, content in grow_level(level, before, partial, new))
        every = [*partial, *new]
        hashes.append(tuple(every[len(every) - len(every) % TILE_WIDTH :]))
        new = full_roots(every)
        level += 1
    bundle = bundles[-1] if size % TILE_WIDTH else b""
    return Plan(edge.size, len(entries), b"".join(pieces), objects, Edge(size, tuple(hashes), bundle))


def _pieces(edge: Edge, entries: Sequence[bytes]) -> list[bytes]:
    """The encoded entries, cut where bundles begin."""
    first = TILE_WIDTH - edge.size % TILE_WIDTH
    cuts = [0, *range(first, len(entries), TILE_WIDTH), len(entries)]
    return [encode_entries(entries[start:stop]) for start, stop in pairwise(cuts)]


def _root(levels: Sequence[Sequence[Hash]]) -> Hash:
    """The root over partial tiles: each level's hashes, cut by powers of two, are the complete subtrees."""
    subtrees: list[Hash] = []
    for hashes in reversed(levels):
        start = 0
        while start < len(hashes):
            width = 1 << (len(hashes) - start).bit_length() - 1
            subtrees.append(node_root(hashes[start : start + width]))
            start += width
    return fold_right(subtrees) if subtrees else EMPTY_ROOT
