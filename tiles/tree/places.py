"""Where nodes stand in tiles, and which tiles lead from them up to the right edge. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable

from tiles.errors import UsageError
from tiles.tree.layout import TILE_HEIGHT, TILE_WIDTH, Tile, edge_tiles, level_size, tile_at
from tiles.tree.proof import Node, inclusion_nodes

# Where a tile is: its level and its index. A tree has one tile there, whose width follows from the tree's size.
Place = tuple[int, int]


def place_of(tile: Tile) -> Place:
    """Return where a tile is."""
    return tile.level, tile.index


def find(node: Node, size: int) -> tuple[Place, int, int]:
    """Return where a node stands: the tile, the height in it, and the position among the nodes of that height in it.

    Raises UsageError if the node is not complete in a tree of `size`.
    """
    if node.end > size:
        raise UsageError(f"the node of height {node.height} and index {node.index} is not in a tree of size {size}")
    level, height = divmod(node.height, TILE_HEIGHT)
    index, position = divmod(node.index, TILE_WIDTH >> height)
    return (level, index), height, position


def parent_of(tile: Tile, size: int) -> Tile:
    """Return the tile that holds the root of a full tile; every tree with the full tile has it."""
    level, index, _ = tile.parent
    return tile_at(size, level, index)


def with_parents(nodes: Iterable[Node], size: int, known: Container[Place] = ()) -> list[Place]:
    """Return where the full tiles of `nodes` are, with their parents up to a known tile or the edge, parents first."""
    full: set[Place] = set()
    for node in nodes:
        (level, index), _, _ = find(node, size)
        while (level, index) not in full and (index + 1) * TILE_WIDTH <= level_size(size, level):
            full.add((level, index))
            if (level, index) in known:
                break
            level, index = level + 1, index // TILE_WIDTH
    return sorted(full, key=parents_first)


def parents_first(place: Place) -> Place:
    """Return what to sort tiles by so that each comes after its parent."""
    return -place[0], place[1]


def entry_tiles(index: int, size: int) -> list[Tile]:
    """Return every tile, the edge included, that the inclusion proof of entry `index` in a tree of `size` takes.

    At most ⌈log₂₅₆ size⌉ of them are not of the edge. The entry's bundle is not among them.
    Raises UsageError unless 0 ≤ index < size.
    """
    path = inclusion_nodes(index, size)
    nodes = [Node(0, index), *(node for part in path for node in part)]
    return edge_tiles(size) + [Tile(*place) for place in with_parents(nodes, size)]
