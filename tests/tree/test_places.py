"""Where nodes stand in tiles."""

from __future__ import annotations

import pytest

from tiles.errors import UsageError
from tiles.tree.layout import Tile
from tiles.tree.places import entry_tiles, find, parent_of, with_parents
from tiles.tree.proof import Node

SIZE = 70_000  # full tiles 0/0 to 0/272 and 1/0


def test_a_node_has_one_place() -> None:
    """The eight heights of a tile are found in it, the ninth in its parent."""
    assert find(Node(0, 257), SIZE) == ((0, 1), 0, 1)
    assert find(Node(7, 3), SIZE) == ((0, 1), 7, 1)
    assert find(Node(8, 1), SIZE) == ((1, 0), 0, 1)
    with pytest.raises(UsageError, match="not in a tree of size 70000"):
        find(Node(8, 273), SIZE)


def test_parents_come_first_and_stop_at_what_is_known() -> None:
    """The way up ends at the edge, or at a tile that is known."""
    assert with_parents([Node(0, 0), Node(0, 256)], SIZE) == [(1, 0), (0, 0), (0, 1)]
    assert with_parents([Node(0, 0)], SIZE, known={(0, 0)}) == [(0, 0)]
    assert with_parents([Node(0, 69_999)], SIZE) == []
    assert parent_of(Tile(0, 272), SIZE) == Tile(1, 1, 17)


def test_the_tiles_of_an_entry() -> None:
    """The edge, then the entry's own tiles."""
    assert entry_tiles(0, SIZE) == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1), Tile(1, 0), Tile(0, 0)]
    with pytest.raises(UsageError):
        entry_tiles(SIZE, SIZE)
