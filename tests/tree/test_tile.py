"""Tiles: 32 bytes a hash, and the tiles by which a level grows."""

from __future__ import annotations

import pytest

from tests.support.reference import full_tree
from tiles.errors import Malformed
from tiles.tree.layout import Tile, tiles_of
from tiles.tree.merkle import Hash, node_root
from tiles.tree.tile import full_roots, grow_level, parse_tile

TREE = full_tree(1100)
HASHES = [TREE.leaf(index) for index in range(1100)]


@pytest.mark.parametrize("width", [1, 2, 255, 256])
def test_parse(width: int) -> None:
    """A tile is its hashes one after the other, and no other number of bytes is one."""
    data = b"".join(HASHES[:width])
    assert parse_tile(data, width) == tuple(HASHES[:width])
    for wrong in (b"", data[:-1], data + b"\0", data[:-32], data + data[:32]):
        with pytest.raises(Malformed, match=f"{len(wrong)} bytes instead of {32 * width}"):
            parse_tile(wrong, width)


@pytest.mark.parametrize("before", [0, 1, 255, 256, 257, 600])
@pytest.mark.parametrize("count", [1, 255, 256, 257, 500])
def test_grow_level(before: int, count: int) -> None:
    """The tiles that change are those that the larger level has and the smaller one has not."""
    size = before + count
    edge = HASHES[before - before % 256 : before]
    expected = [tile for tile in tiles_of(size, 0) if tile not in set(tiles_of(before, 0))]
    grown = list(grow_level(0, before, b"".join(edge + HASHES[before:size])))
    assert grown == [(tile, TREE.tile(tile)) for tile in expected]
    assert [tile.is_full for tile, _ in grown[:-1]] == [True] * (len(grown) - 1)


def test_grow_level_of_a_higher_level() -> None:
    """The level is that of the tiles."""
    assert [tile for tile, _ in grow_level(5, 300, b"".join(HASHES[:300]))] == [Tile(5, 1), Tile(5, 2, 44)]


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 511, 512, 1100])
def test_full_roots(count: int) -> None:
    """One root for each full tile, none for what is left."""
    expected: list[Hash] = [node_root(HASHES[start : start + 256]) for start in range(0, count - count % 256, 256)]
    assert full_roots(b"".join(HASHES[:count])) == b"".join(expected)
