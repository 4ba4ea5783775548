"""The hashes of one tile at each height: its own, and those of the nodes above them that are complete in it. Pure.

They are computed once, when the tile is checked: a proof takes one hash of each height, and the root of a full tile is
at TILE_HEIGHT.
"""

from __future__ import annotations

from collections.abc import Iterator

from tiles.tree.merkle import HASH_SIZE, Hash, flat_parents

# By height, hashes one after the other, as a tile stores them.
Heights = tuple[bytes, ...]


def heights_of(data: bytes) -> Heights:
    """Return the hashes at each height of a tile, whose length was checked; its own first."""
    heights = [data]
    while len(data) >= 2 * HASH_SIZE:
        data = flat_parents(data)
        heights.append(data)
    return tuple(heights)


def hash_at(heights: Heights, height: int, position: int) -> Hash:
    """Return a hash by its height in the tile, and its position among those of that height."""
    return Hash(heights[height][position * HASH_SIZE : (position + 1) * HASH_SIZE])


def siblings(heights: Heights, position: int, count: int) -> Iterator[Hash]:
    """Yield the siblings of a hash of the tile and of the nodes above it, lowest first.

    count   how many; all of them have to be in the tile
    """
    for height in range(count):
        at = (position >> height ^ 1) * HASH_SIZE
        yield Hash(heights[height][at : at + HASH_SIZE])
