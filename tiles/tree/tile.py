"""Tiles (https://c2sp.org/tlog-tiles, "Merkle Tree"): hashes ↔ bytes, and the tiles by which a tree grows."""

from __future__ import annotations

from collections.abc import Iterator

from tiles.errors import Malformed
from tiles.tree.layout import TILE_HEIGHT, TILE_WIDTH, Tile
from tiles.tree.merkle import HASH_SIZE, Hash, flat_parents, split_hashes

_FULL = HASH_SIZE * TILE_WIDTH  # bytes of a full tile


def parse_tile(data: bytes, width: int) -> tuple[Hash, ...]:
    """Return the hashes of a tile of `width` hashes. Raises Malformed for any other length than 32 * width bytes."""
    if len(data) != HASH_SIZE * width:
        raise Malformed("tile", f"{len(data)} bytes instead of {HASH_SIZE * width}")
    return tuple(split_hashes(data))


def grow_level(level: int, before: int, hashes: bytes) -> Iterator[tuple[Tile, bytes]]:
    """Yield the tiles that change when a level that held `before` hashes grows.

    hashes   all that the level holds from the beginning of its last tile on, flat; more than it held before
    All but the last are full.
    """
    for index, start in enumerate(range(0, len(hashes), _FULL), before // TILE_WIDTH):
        content = hashes[start : start + _FULL]
        yield Tile(level, index, len(content) // HASH_SIZE), content


def full_roots(hashes: bytes) -> bytes:
    """Return the roots of the full tiles in flat hashes, which begin where a tile begins: those of the next level."""
    roots = hashes[: len(hashes) - len(hashes) % _FULL]
    for _ in range(TILE_HEIGHT):  # 256 is a power of two: neighbours never cross a tile's end
        roots = flat_parents(roots)
    return roots
