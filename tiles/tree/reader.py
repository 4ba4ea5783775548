"""The reading plan (https://c2sp.org/tlog-tiles, "Merkle Tree"): which tiles to fetch, and which hashes to believe.

    nodes → TreeReader.wanted → (fetch them, anywhere) → TreeReader.accept → TreeReader.hash

The partial tiles of a tree, one at most per level, are its *edge*: the root follows from them alone, so they are
believed once they lead to the root of the checkpoint. A full tile is believed once its root is the hash that its
parent tile, itself believed, holds for it. Everything here is pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from tiles.errors import Malformed, TileError, UsageError
from tiles.tree.bundle import decode_entries, encode_entries, parse_bundle
from tiles.tree.heights import Heights, hash_at, heights_of, siblings
from tiles.tree.layout import CHECKPOINT, ENTRIES, TILE_HEIGHT, TILE_WIDTH, Tile, edge_tiles, tile_at
from tiles.tree.merkle import EMPTY_ROOT, EMPTY_TREE, HASH_SIZE, Hash, TreeHead, fold_right
from tiles.tree.places import Place, find, parent_of, parents_first, place_of, with_parents
from tiles.tree.proof import Node, check_range, proof_ends, root_nodes
from tiles.tree.tile import parse_tile

MAX_FULL_TILES = 1024  # kept by one reader, 16 KiB each; an audit of any length stays below


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
        self._root_nodes = root_nodes(tree.size)
        self._ends = [node.end for node in self._root_nodes]
        self._proof_ends: list[tuple[Hash, ...]] = []  # for each of these nodes, once the edge is believed
        self._edge: dict[Place, Heights] = {}  # believed; all of the edge or nothing
        self._full: dict[Place, Heights] = {}  # believed; least recently used first
        self._last_wanted: frozenset[Place] = frozenset()

    def edge(self) -> list[Tile]:
        """Return the tiles still to be fetched to know the right edge, lowest level first; [] once it is known."""
        return [] if self._edge else list(self._edge_tiles)

    def wanted(self, nodes: Iterable[Node]) -> list[Tile]:
        """Return the tiles still to be fetched before the hashes of `nodes` can be believed.

        Each once: the edge unless it is known, then full tiles, parents before their children.
        Raises UsageError for a node that is not complete in this tree.
        """
        places = with_parents(nodes, self.tree.size, known=self._full)
        for place in places:
            self._touch(place)
        self._last_wanted = frozenset(places)
        return [*self.edge(), *(Tile(*place) for place in places if place not in self._full)]

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
        self._forget(self._last_wanted.union(place_of(tile) for tile in full))

    def hash(self, node: Node) -> Hash:
        """Return the hash of a node. Raises UsageError if its tile is not known (any more): see `wanted`."""
        place, height, position = find(node, self.tree.size)
        return hash_at(self._known(place), height, position)

    def path(self, index: int) -> list[Node]:
        """Return the nodes above an entry, one in each tile of which `inclusion` takes hashes, the leaf first.

        They are below the root of the complete subtree that the entry is in: how a proof goes on from there is the
        same for all entries of that subtree. Raises UsageError unless 0 ≤ index < the tree's size.
        """
        check_range(self.tree.size, index, index + 1)
        top = self._root_nodes[bisect_right(self._ends, index)]
        return [Node(height, index >> height) for height in range(0, top.height + 1, TILE_HEIGHT)]

    def inclusion(self, index: int) -> tuple[Hash, tuple[Hash, ...]] | None:
        """Return the leaf hash of an entry and its inclusion proof; None if a tile of its `path` is not known.

        Raises UsageError unless 0 ≤ index < the tree's size.
        """
        check_range(self.tree.size, index, index + 1)
        number = bisect_right(self._ends, index)
        top = self._root_nodes[number].height
        hashes: list[Hash] = []
        leaf = None
        for height in range(0, top + 1, TILE_HEIGHT):
            place = height // TILE_HEIGHT, index >> height + TILE_HEIGHT
            if (heights := self._full.get(place) or self._edge.get(place)) is None:
                return None
            self._touch(place)
            position = (index >> height) % TILE_WIDTH
            leaf = leaf or hash_at(heights, 0, position)
            hashes += siblings(heights, position, min(top - height, TILE_HEIGHT))
        return (leaf, (*hashes, *self._proof_ends[number])) if leaf else None

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
        return parse_tile(self._known(place_of(tile))[0], tile.width)

    def _checked_plan(self, contents: Mapping[Tile, bytes]) -> list[Tile]:
        """Return the full tiles of `contents`, parents first. Raises UsageError as `accept` does."""
        for tile in contents:
            if tile.level < 0 or tile != tile_at(self.tree.size, tile.level, tile.index):
                raise UsageError(f"{tile.path} is not a tile of the tree of size {self.tree.size}")
            needed = [parent_of(tile, self.tree.size)] if tile.is_full else self._edge_tiles
            for other in needed:
                if other not in contents and not self._has(place_of(other)):
                    raise UsageError(f"{tile.path} cannot be checked without {other.path}")
        return sorted((tile for tile in contents if tile.is_full), key=lambda tile: parents_first(place_of(tile)))

    def _accept_edge(self, given: dict[Tile, bytes]) -> None:
        """Believe the edge if it leads to the root; `given` completes what is known of it."""
        if not given:
            return
        edge = self._edge | {place_of(tile): heights_of(data) for tile, data in given.items()}
        places = [find(node, self.tree.size) for node in self._root_nodes]
        roots = [hash_at(edge[place], height, position) for place, height, position in places]
        computed = fold_right(roots)
        if computed != self.tree.root:
            paths = [tile.path for tile in self._edge_tiles if tile in given]
            raise _mismatch(
                paths,
                f"the right edge does not lead to the root of the tree of size {self.tree.size}",
                expected=self.tree.root,
                computed=computed,
                contents={tile.path: data for tile, data in given.items()},
            )
        self._edge, self._proof_ends = edge, proof_ends(roots)

    def _accept_full(self, tile: Tile, data: bytes) -> None:
        """Believe a full tile if its root is what its parent, known by now, holds for it."""
        parent = parent_of(tile, self.tree.size)
        expected = hash_at(self._known(place_of(parent)), 0, tile.index % TILE_WIDTH)
        heights = heights_of(data)
        computed = hash_at(heights, TILE_HEIGHT, 0)
        if computed != expected:
            raise _mismatch(
                [tile.path],
                f"hashes to {computed.hex()}, and {parent.path} says {expected.hex()}",
                expected=expected,
                computed=computed,
                contents={tile.path: data},
            )
        self._full[place_of(tile)] = heights

    def _has(self, place: Place) -> bool:
        return place in self._full or place in self._edge

    def _known(self, place: Place) -> Heights:
        """Return the hashes of a tile, now the one most recently used. Raises UsageError if they are not known."""
        heights = self._full.get(place) or self._edge.get(place)
        if heights is None:
            path = tile_at(self.tree.size, *place).path
            raise UsageError(f"{path} is not known; fetch what `wanted` says, then `accept` it")
        self._touch(place)
        return heights

    def _touch(self, place: Place) -> None:
        """Make a full tile the most recently used."""
        if place in self._full:
            self._full[place] = self._full.pop(place)

    def _forget(self, keep: frozenset[Place]) -> None:
        """Drop the least recently used full tiles, except `keep`, until the cap is met."""
        surplus = len(self._full) - self._max_full_tiles
        if surplus > 0:
            for place in list(islice((place for place in self._full if place not in keep), surplus)):
                del self._full[place]


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
