"""Tiles (https://c2sp.org/tlog-tiles, "Merkle Tree"): hashes ↔ bytes, and the tiles by which a tree grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tiles.errors import Malformed
from tiles.tree.layout import TILE_HEIGHT, TILE_WIDTH, Tile
from tiles.tree.merkle import HASH_SIZE, Hash, parents


def parse_tile(data: bytes, width: int) -> tuple[Hash, ...]:
    """Return the hashes of a tile of `width` hashes. Raises Malformed for any other length than 32 * width bytes."""
    if len(data) != HASH_SIZE * width:
        raise Malformed("tile", f"{len(data)} bytes instead of {HASH_SIZE * width}")
    return tuple(Hash(data[at : at + HASH_SIZE]) for at in range(0, len(data), HASH_SIZE))


def grow_level(level: int, before: int, edge: Sequence[Hash], new: Sequence[Hash]) -> Iterator[tuple[Tile, bytes]]:
    """Yield the tiles that change when `new` hashes are added to a level that held `before` hashes.

    edge   the hashes of the level's partial tile, before % 256 of them
    All but the last are full. A level without new hashes has nothing to yield.
    """
    hashes = [*edge, *new]
    first = before // TILE_WIDTH
    if new:
        for index, start in enumerate(range(0, len(hashes), TILE_WIDTH), first):
            content = hashes[start : start + TILE_WIDTH]
            yield Tile(level, index, len(content)), b"".join(content)


def full_roots(hashes: Sequence[Hash]) -> list[Hash]:
    """Return the roots of the full tiles in `hashes`, which begin where a tile begins: the hashes of the next level."""
    roots = list(hashes[: len(hashes) - len(hashes) % TILE_WIDTH])
    for _ in range(TILE_HEIGHT):  # 256 is a power of two: neighbours never cross a tile's end
        roots = parents(roots)
    return roots
