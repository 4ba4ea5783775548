"""Tiles: hashes and nothing else; a level grows tile by tile."""

from __future__ import annotations

import pytest

from tests.support.reference import full_tree
from tiles.errors import Malformed
from tiles.tree.layout import Tile
from tiles.tree.merkle import Hash, leaf_hash, node_root
from tiles.tree.tile import full_roots, grow_level, parse_tile

HASHES = [leaf_hash(b"%d" % number) for number in range(700)]


@pytest.mark.parametrize("width", [1, 2, 255, 256])
def test_parse(width: int) -> None:
    """32 bytes a hash."""
    data = b"".join(HASHES[:width])
    assert parse_tile(data, width) == tuple(HASHES[:width])
    for wrong in (data[:-1], data + b"\0", data + bytes(32), b""):
        with pytest.raises(Malformed):
            parse_tile(wrong, width)


@pytest.mark.parametrize(("before", "new"), [(0, 1), (0, 256), (255, 1), (255, 2), (256, 1), (300, 400), (0, 700)])
def test_grow_level(before: int, new: int) -> None:
    """Each tile that changes, whole or as far as it goes; none for nothing."""
    edge = HASHES[before - before % 256 : before]
    grown = dict(grow_level(3, before, edge, HASHES[before : before + new]))
    first, last = before // 256, (before + new - 1) // 256
    assert list(grown) == [Tile(3, n, min(256, before + new - 256 * n)) for n in range(first, last + 1)]
    for tile, data in grown.items():
        assert parse_tile(data, tile.width) == tuple(HASHES[256 * tile.index : 256 * tile.index + tile.width])
    assert dict(grow_level(3, before, edge, [])) == {}


def test_full_roots() -> None:
    """The hash of each full tile is what its parent holds."""
    assert full_roots(HASHES) == [node_root(HASHES[:256]), node_root(HASHES[256:512])]
    assert full_roots(HASHES[:255]) == []
    tree = full_tree(256)
    leaves: list[Hash] = [tree.head(1).root, *full_roots([])]
    assert full_roots([*HASHES[:256]])[0] != leaves[0]
