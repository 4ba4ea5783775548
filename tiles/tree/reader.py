"""The reading plan (https://c2sp.org/tlog-tiles, "Merkle Tree"): which tiles to fetch, and which hashes to believe.

    nodes → TreeReader.wanted → (fetch them, anywhere) → TreeReader.accept → TreeReader.hash

The partial tiles of a tree, one at most per level, are its *edge*: the root follows from them alone, so they are
believed once they lead to the root of the checkpoint. A full tile is believed once its root is the hash that its
parent tile, itself believed, holds for it. Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

from tiles.errors import Malformed, TileError, UsageError
from tiles.tree.bundle import decode_entries, encode_entries, parse_bundle
from tiles.tree.layout import CHECKPOINT, ENTRIES, TILE_HEIGHT, TILE_WIDTH, Tile, edge_tiles, tile_at
from tiles.tree.merkle import EMPTY_ROOT, EMPTY_TREE, HASH_SIZE, Hash, TreeHead, fold_right, parents
from tiles.tree.proof import Node, inclusion_nodes, root_nodes
from tiles.tree.tile import parse_tile

MAX_FULL_TILES = 1024  # kept by one reader, 16 KiB each; an audit of any length stays below

# The hashes of a tile, then those of each height above that are complete in it, so that they are hashed once only.
Heights = tuple[bytes, ...]


def entry_tiles(index: int, size: int) -> list[Tile]:
    """Return every tile, the edge included, that the inclusion proof of entry `index` in a tree of `size` takes.

    At most ⌈log₂₅₆ size⌉ of them are not of the edge. The entry's bundle is not among them.
    Raises UsageError unless 0 ≤ index < size.
    """
    path = inclusion_nodes(index, size)
    return _with_parents([Node(0, index), *(node for part in path for node in part)], size)


def cut(tile: Tile, data: bytes) -> bytes:
    """Return the content of a partial tile, or bundle, from that of the full one at its place.

    tile   as the tree has it ("MAY fetch the full tile … as a fallback")
    data   what was read at `tile.full.path`; neither it nor the result is believed yet

    Raises TileError unless these are the bytes of a full tile, or of a bundle of 256 entries.
    """
    if tile.level != ENTRIES:
        _check_length(tile.full, data)
        return data[: tile.width * HASH_SIZE]
    try:
        return encode_entries(parse_bundle(data, TILE_WIDTH)[: tile.width])
    except Malformed as error:
        raise TileError(tile.full.path, error.problem, evidence={tile.full.path: data}) from None


def cut_from_larger(tile: Tile, data: bytes) -> bytes | None:
    """Return the content of a tile or bundle from that of a larger one at its place, whatever that one's width.

    Return None if the larger one does not hold all of it. One that is damaged at its end may still hold the beginning.
    """
    if tile.level != ENTRIES:
        return data[: tile.width * HASH_SIZE] if len(data) >= tile.width * HASH_SIZE else None
    try:
        entries = decode_entries(data)[: tile.width]
    except Malformed:
        return None
    return encode_entries(entries) if len(entries) == tile.width else None


class TreeReader:
    """Turns tiles that anyone may have written into hashes that belong to one tree.

    tree             the tree head, believed: from a checkpoint whose signatures were verified
    max_full_tiles   how many full tiles to keep; those of the last `wanted` and `accept` are kept even beyond it

    Not to be shared between threads. Raises TileError for an empty tree with another root than EMPTY_ROOT.
    """

    def __init__(self, tree: TreeHead, *, max_full_tiles: int = MAX_FULL_TILES) -> None:
        if tree.size == 0 and tree.root != EMPTY_ROOT:
            raise _mismatch([CHECKPOINT], "the empty tree has another root", expected=EMPTY_ROOT, computed=tree.root)
        self.tree = tree
        self._max_full_tiles = max_full_tiles
        self._edge_tiles = edge_tiles(tree.size)
        self._edge: dict[Tile, Heights] = {}  # believed; all of the edge or nothing
        self._full: dict[Tile, Heights] = {}  # believed; least recently used first
        self._last_wanted: frozenset[Tile] = frozenset()

    def edge(self) -> list[Tile]:
        """Return the tiles still to be fetched to know the right edge, lowest level first; [] once it is known."""
        return [tile for tile in self._edge_tiles if tile not in self._edge]

    def wanted(self, nodes: Iterable[Node]) -> list[Tile]:
        """Return the tiles still to be fetched before the hashes of `nodes` can be believed.

        Each once: the edge unless it is known, then full tiles, parents before their children.
        Raises UsageError for a node that is not complete in this tree.
        """
        tiles = _with_parents(nodes, self.tree.size, known=self._full)
        for tile in tiles:
            self._touch(tile)
        self._last_wanted = frozenset(tiles)
        return [tile for tile in tiles if not self._has(tile)]

    def accept(self, contents: Mapping[Tile, bytes]) -> None:
        """Believe the tiles that lead to the root, in whatever order and combination they come.

        contents   tile, as this tree has it (a full tile instead of a partial one: `cut` first) → its bytes

        Raises TileError at the first tile that is not what the tree says, parents first. It names the tile, or for
        the edge all tiles of it that were given, and its evidence holds the `expected` and the `computed` hash and
        the bytes by path. Tiles that were believed before that one stay believed; no others are.
        Raises UsageError, and believes nothing, if a tile is not one of this tree, if its parent is neither given
        nor known, or if only a part of the edge is given and the rest is not known.
        """
        full = self._checked_plan(contents)
        for tile, data in contents.items():
            _check_length(tile, data)
        self._accept_edge({tile: bytes(data) for tile, data in contents.items() if not tile.is_full})
        for tile in full:
            self._accept_full(tile, bytes(contents[tile]))
        self._forget(self._last_wanted.union(full))

    def hash(self, node: Node) -> Hash:
        """Return the hash of a node. Raises UsageError if its tile is not known (any more): see `wanted`."""
        tile, height, position = _place(node, self.tree.size)
        heights = self._known(tile)
        self._touch(tile)
        return _hash_at(heights, height, position)

    def root_at(self, size: int) -> TreeHead:
        """Return the tree head that the log had at an earlier size. The `root_nodes` of that size must be known."""
        if size == 0:  # every tree begins with the empty one, which has no nodes
            return EMPTY_TREE
        return TreeHead(size, fold_right([self.hash(node) for node in root_nodes(size)]))

    def leaf_hashes(self, bundle: Tile) -> Sequence[Hash]:
        """Return the leaf hashes of the entries of a bundle, in order.

        bundle   the bundle, or the level-0 tile at its place, as this tree has it

        Raises UsageError for any other tile, and if the level-0 tile is not known (any more): see `wanted`.
        """
        tile = tile_at(self.tree.size, 0, bundle.index)
        if bundle.level > 0 or bundle.width != tile.width:
            raise UsageError(f"{bundle.path} is not a bundle of the tree of size {self.tree.size}")
        heights = self._known(tile)
        self._touch(tile)
        return parse_tile(heights[0], tile.width)

    def _checked_plan(self, contents: Mapping[Tile, bytes]) -> list[Tile]:
        """Return the full tiles of `contents`, parents first. Raises UsageError as `accept` does."""
        for tile in contents:
            if tile.level < 0 or tile != tile_at(self.tree.size, tile.level, tile.index):
                raise UsageError(f"{tile.path} is not a tile of the tree of size {self.tree.size}")
            needed = [_parent(tile, self.tree.size)] if tile.is_full else self._edge_tiles
            for other in needed:
                if other not in contents and not self._has(other):
                    raise UsageError(f"{tile.path} cannot be checked without {other.path}")
        return sorted((tile for tile in contents if tile.is_full), key=_parents_first)

    def _accept_edge(self, given: dict[Tile, bytes]) -> None:
        """Believe the edge if it leads to the root; `given` completes what is known of it."""
        if not given:
            return
        edge = self._edge | {tile: _heights(tile, data) for tile, data in given.items()}
        places = [_place(node, self.tree.size) for node in root_nodes(self.tree.size)]
        computed = fold_right([_hash_at(edge[tile], height, position) for tile, height, position in places])
        if computed != self.tree.root:
            paths = [tile.path for tile in self._edge_tiles if tile in given]
            raise _mismatch(
                paths,
                f"the right edge does not lead to the root of the tree of size {self.tree.size}",
                expected=self.tree.root,
                computed=computed,
                contents={tile.path: data for tile, data in given.items()},
            )
        self._edge = edge

    def _accept_full(self, tile: Tile, data: bytes) -> None:
        """Believe a full tile if its root is what its parent, known by now, holds for it."""
        parent = _parent(tile, self.tree.size)
        expected = _hash_at(self._known(parent), 0, tile.index % TILE_WIDTH)
        heights = _heights(tile, data)
        computed = _hash_at(heights, TILE_HEIGHT, 0)
        if computed != expected:
            raise _mismatch(
                [tile.path],
                f"hashes to {computed.hex()}, and {parent.path} says {expected.hex()}",
                expected=expected,
                computed=computed,
                contents={tile.path: data},
            )
        self._touch(parent)
        self._full[tile] = heights

    def _has(self, tile: Tile) -> bool:
        return tile in self._full or tile in self._edge

    def _known(self, tile: Tile) -> Heights:
        heights = self._full.get(tile) or self._edge.get(tile)
        if heights is None:
            raise UsageError(f"{tile.path} is not known; fetch what `wanted` says, then `accept` it")
        return heights

    def _touch(self, tile: Tile) -> None:
        """Make a full tile the most recently used."""
        if tile in self._full:
            self._full[tile] = self._full.pop(tile)

    def _forget(self, keep: frozenset[Tile]) -> None:
        """Drop the least recently used full tiles, except `keep`, until the cap is met."""
        surplus = len(self._full) - self._max_full_tiles
        if surplus > 0:
            for tile in [tile for tile in self._full if tile not in keep][:surplus]:
                del self._full[tile]


def _with_parents(nodes: Iterable[Node], size: int, known: Container[Tile] = ()) -> list[Tile]:
    """Return the edge, then the full tiles of `nodes` with their parents up to a known tile or to the edge."""
    full: set[Tile] = set()
    for node in nodes:
        tile, _, _ = _place(node, size)
        while tile.is_full and tile not in full:
            full.add(tile)
            if tile in known:
                break
            tile = _parent(tile, size)
    return edge_tiles(size) + sorted(full, key=_parents_first)


def _place(node: Node, size: int) -> tuple[Tile, int, int]:
    """Return where a node stands: tile, height in it, and position among the nodes of that height in it.

    Raises UsageError if the node is not complete in a tree of `size`.
    """
    if node.end > size:
        raise UsageError(f"the node of height {node.height} and index {node.index} is not in a tree of size {size}")
    level, height = divmod(node.height, TILE_HEIGHT)
    index, position = divmod(node.index, TILE_WIDTH >> height)
    return tile_at(size, level, index), height, position


def _parent(tile: Tile, size: int) -> Tile:
    """Return the tile that holds the root of a full tile; every tree with the full tile has it."""
    level, index, _ = tile.parent
    return tile_at(size, level, index)


def _parents_first(tile: Tile) -> tuple[int, int]:
    return -tile.level, tile.index


def _heights(tile: Tile, data: bytes) -> Heights:
    """Return the hashes of a tile at each height, its own first; the root is at TILE_HEIGHT if it is full."""
    heights = [data]
    hashes: Sequence[Hash] = parse_tile(data, tile.width)
    while len(hashes) > 1:
        hashes = parents(hashes)
        heights.append(b"".join(hashes))
    return tuple(heights)


def _hash_at(heights: Heights, height: int, position: int) -> Hash:
    return Hash(heights[height][position * HASH_SIZE : (position + 1) * HASH_SIZE])


def _check_length(tile: Tile, data: bytes) -> None:
    if len(data) != tile.width * HASH_SIZE:
        problem = f"{len(data)} bytes instead of {tile.width * HASH_SIZE}"
        raise TileError(tile.path, problem, evidence={tile.path: bytes(data)})


def _mismatch(
    paths: Sequence[str],
    problem: str,
    *,
    expected: Hash,
    computed: Hash,
    contents: Mapping[str, bytes] | None = None,
) -> TileError:
    evidence = {"expected": bytes(expected), "computed": bytes(computed), **(contents or {})}
    return TileError(", ".join(paths), problem, evidence=evidence)
