"""The hashes of a tile at each height."""

from __future__ import annotations

import pytest

from tests.support.reference import full_tree
from tiles.tree.heights import hash_at, heights_of, siblings
from tiles.tree.layout import Tile

TREE = full_tree(300)


@pytest.mark.parametrize("width", [1, 2, 3, 7, 44, 128, 255, 256])
def test_every_complete_node_is_there_and_no_other(width: int) -> None:
    """A tile of any width has the nodes above it that are complete in it."""
    data = TREE.read([Tile(0, 0, width)])[Tile(0, 0, width)]
    heights = heights_of(data)
    assert heights[0] == data
    assert len(heights) == width.bit_length()
    for height, hashes in enumerate(heights):
        assert len(hashes) == 32 * (width >> height)
        for position in range(width >> height):
            start = position << height
            assert hash_at(heights, height, position) == TREE.mth(range(start, start + (1 << height)))


def test_siblings_are_beside_the_way_up() -> None:
    """Of each height the one hash that the way from a leaf to the root of the tile does not go through."""
    heights = heights_of(TREE.read([Tile(0, 0)])[Tile(0, 0)])
    for position in (0, 1, 127, 128, 255):
        expected = [hash_at(heights, height, position >> height ^ 1) for height in range(8)]
        assert list(siblings(heights, position, 8)) == expected
        assert list(siblings(heights, position, 3)) == expected[:3]
