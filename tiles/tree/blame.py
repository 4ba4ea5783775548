"""Who is wrong, where tiles, entries and root disagree (https://c2sp.org/tlog-tiles, "Merkle Tree"). Pure.

There are three sources for the hash of a full tile: its parent, the tile itself, and what is below it. A parent that is
believed decides. Without one, two sources that agree outvote the third, and if all three differ, that is reported.
The right edge is believed if it leads to the root, any other tile if its parent agrees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from tiles.errors import UsageError
from tiles.tree.edge import Edge
from tiles.tree.layout import CHECKPOINT, ENTRIES, TILE_WIDTH, Tile, edge_tiles, levels
from tiles.tree.merkle import Hash, TreeHead, node_root
from tiles.tree.tile import parse_tile

Hashes = tuple[Hash, ...]

_UNDECIDED = "and it is not known which of the two is wrong"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What is wrong with one public object."""

    path: str
    problem: str


@dataclass(frozen=True, slots=True)
class Stated:
    """What is stored as a tile.

    hashes     None if the tile is missing or malformed, which was reported already
    root       of a full tile with hashes
    expected   the root that `parent` holds for it; None if the parent has no hashes, and for a partial tile
    trusted    whether the parent is believed
    believed   whether this tile is believed
    """

    tile: Tile
    hashes: Hashes | None
    root: Hash | None = None
    expected: Hash | None = None
    trusted: bool = False
    believed: bool = False
    parent: str = ""

    def below(self, position: int, tile: Tile, hashes: Hashes | None) -> Stated:
        """Return the full tile below the hash at a position."""
        root = node_root(hashes) if hashes else None
        expected = self.says(position)
        believed = root is not None and root == expected
        return Stated(tile, hashes, root, expected, self.believed, believed, self.tile.path)

    def says(self, position: int) -> Hash | None:
        """Return the hash that this tile holds for the node below a position; None if it has no hashes."""
        return self.hashes[position] if self.hashes else None


def children(tile: Tile, position: int) -> list[Tile]:
    """Return what is below a hash of a tile: a tile, at level 1 also its bundle, at level 0 only the bundle.

    Raises UsageError for a bundle.
    """
    if tile.level == ENTRIES:
        raise UsageError(f"nothing is below {tile.path}")
    if tile.level == 0:
        return [Tile(ENTRIES, tile.index, tile.width)]
    index = tile.index * TILE_WIDTH + position
    return [Tile(level, index) for level in ((0, ENTRIES) if tile.level == 1 else (tile.level - 1,))]


def judge_pair(
    above: Stated, position: int, data: bytes | None, leaves: Sequence[Hash] | None
) -> tuple[Hash | None, list[Finding]]:
    """Return the hash of the full level-0 tile below a position, None if that is not known, and the findings.

    data     the tile, of the right length; None if it is missing or malformed, which was reported already
    leaves   the leaf hashes of its bundle; None likewise
    """
    expected = above.says(position)
    if leaves is not None and b"".join(leaves) == data:
        root = node_root(leaves)
        if root == expected:
            return root, []
    tile, bundle = children(above.tile, position)
    roots = {}
    if data is not None:
        roots[tile.path] = node_root(parse_tile(data, TILE_WIDTH))
    if leaves is not None:
        roots[bundle.path] = node_root(leaves)
    if expected is not None and (above.believed or expected in roots.values()):
        wrong = [(path, root) for path, root in roots.items() if root != expected]
        return expected, [Finding(path, _hashes_to(root, above.tile.path, expected)) for path, root in wrong]
    if len(set(roots.values())) > 1:
        return None, [Finding(tile.path, f"does not have the leaf hashes of {bundle.path}, {_UNDECIDED}")]
    return next(iter(roots.values()), None), []


def judge_tile(stated: Stated, computed: Sequence[Hash | None]) -> tuple[Hash | None, list[Finding]]:
    """Return the hash of a full tile of level 1 or above, None if that is not known, and the findings.

    computed   the hash of each node below it, as `judge_pair` or this function returned it
    """
    if stated.believed:
        return stated.expected, []  # everything below was judged by this tile already
    expected = stated.expected
    full = complete(computed)
    below = node_root(full) if full else None
    if stated.trusted and expected is not None:
        return expected, _judge_denied(stated, expected, computed, below)
    if stated.hashes is None or stated.root is None:
        return below, []
    if below is not None and below == expected:
        return expected, [Finding(stated.tile.path, _hashes_to(stated.root, stated.parent, expected))]
    # if the tile and what is below it differ nowhere, the parent alone is wrong, and there is no finding here
    return below, _undecided(stated.tile, stated.hashes, computed)


def _judge_denied(stated: Stated, expected: Hash, computed: Sequence[Hash | None], below: Hash | None) -> list[Finding]:
    """Return the findings about a tile that is missing, or does not have the hash in its believed parent."""
    path, parent, root = stated.tile.path, stated.parent, stated.root
    if root is not None and below == root:
        return [Finding(path, f"like what is below it {_hashes_to(root, parent, expected)}")]
    found = [Finding(path, _hashes_to(root, parent, expected))] if root is not None else []
    if below is not None and below != expected:
        found.append(Finding(path, f"what is below it {_hashes_to(below, parent, expected)}"))
    elif below is None and stated.hashes is not None:
        found += _undecided(stated.tile, stated.hashes, computed)
    return found


def judge_edge(
    tree: TreeHead, stated: Mapping[int, Hashes | None], computed: Mapping[int, Sequence[Hash | None]]
) -> list[Finding]:
    """Return what is wrong about the right edge of a tree.

    stated     by level, the hashes of each edge tile; None if it is missing or malformed, which was reported already
    computed   by level, the hash of each node below it; for level 0 the leaf hashes of the last, partial bundle

    At each level one of the two is chosen. A choice that leads to the root is right; what differs from it is wrong.
    """
    edge = {tile.level: tile for tile in edge_tiles(tree.size)}
    options = {level: edge_options(stated[level], computed[level]) for level in edge}
    right = choose_edge(tree, options)
    found = []
    for level, tile in edge.items():
        hashes = stated[level]
        if right is None:
            found += _undecided(tile, hashes, computed[level]) if hashes else []
            continue
        if hashes is not None and hashes != right[level]:
            found.append(Finding(tile.path, "does not lead to the root, and what is below it does"))
        wrong = {child: None for at in _differing(right[level], computed[level]) for child in children(tile, at)}
        found += [Finding(child.path, f"does not lead to the root, and {tile.path} does") for child in wrong]
    if right is None and all(options.values()):
        found.append(Finding(CHECKPOINT, f"its root {tree.root.hex()} does not follow from the tiles and entries"))
    return found


def choose_edge(tree: TreeHead, options: Mapping[int, Sequence[Hashes]]) -> dict[int, Hashes] | None:
    """Return the first choice, of one option for each edge tile, that leads to the root; None if no choice does."""
    choices = (dict(zip(options, choice, strict=True)) for choice in product(*options.values()))
    return next((choice for choice in choices if leads_to_root(tree, choice)), None)


def leads_to_root(tree: TreeHead, edge: Mapping[int, Hashes | None]) -> bool:
    """Whether the edge tiles, given as hashes by level, are all there and lead to the root of the tree."""
    if None in edge.values():
        return False
    return Edge(tree.size, tuple(edge.get(level) or () for level in levels(tree.size))).tree == tree


def edge_options(stated: Hashes | None, computed: Sequence[Hash | None]) -> list[Hashes]:
    """Return the different contents that an edge tile may have, the stored one first."""
    return list(dict.fromkeys(hashes for hashes in (stated, complete(computed)) if hashes is not None))


def complete(computed: Sequence[Hash | None]) -> Hashes | None:
    """Return the hashes if all of them are known."""
    known = tuple(hash_ for hash_ in computed if hash_ is not None)
    return known if len(known) == len(computed) else None


def _differing(hashes: Sequence[Hash], computed: Sequence[Hash | None]) -> list[int]:
    pairs = enumerate(zip(hashes, computed, strict=True))
    return [position for position, (ours, theirs) in pairs if theirs is not None and ours != theirs]


def _undecided(tile: Tile, hashes: Hashes, computed: Sequence[Hash | None]) -> list[Finding]:
    wrong = {child: None for at in _differing(hashes, computed) for child in children(tile, at)[:1]}
    return [Finding(tile.path, f"does not have the hash of {child.path}, {_UNDECIDED}") for child in wrong]


def _hashes_to(root: Hash, parent: str, expected: Hash) -> str:
    return f"hashes to {root.hex()}, and {parent} says {expected.hex()}"
