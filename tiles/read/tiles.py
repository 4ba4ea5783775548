"""Fetching tiles and entry bundles, one or many: how large they may be, and what stands in for one that is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tiles.errors import NotFound
from tiles.parallel import in_parallel
from tiles.store import Fetcher
from tiles.tree.bundle import MAX_ENTRY_SIZE
from tiles.tree.layout import ENTRIES, TILE_WIDTH, Tile
from tiles.tree.merkle import HASH_SIZE
from tiles.tree.reader import cut

# Twice what a tile has, and one byte more than a bundle has: what is too long is to be seen, and called wrong,
# rather than taken for an object that cannot be read.
MAX_TILE_SIZE = 2 * TILE_WIDTH * HASH_SIZE  # bytes
MAX_BUNDLE_SIZE = TILE_WIDTH * (2 + MAX_ENTRY_SIZE) + 1  # bytes


def fetch_tile(fetcher: Fetcher, tile: Tile) -> bytes:
    """Return what a log has for a tile or entry bundle; a partial one that is gone is cut from the full one.

    Nothing about it is verified. Raises NotFound, AccessError; TileError for a full one that cannot be cut.
    """
    limit = MAX_BUNDLE_SIZE if tile.level == ENTRIES else MAX_TILE_SIZE
    try:
        return fetcher.fetch(tile.path, limit)
    except NotFound:
        if tile.is_full:
            raise
    # "MAY fetch the full tile in parallel as a fallback in case the partial tile is not available anymore"
    try:
        data = fetcher.fetch(tile.full.path, limit)
    except NotFound:
        raise NotFound(f"{fetcher.url}: neither {tile.path} nor {tile.full.path} is there") from None
    return cut(tile, data)


def fetch_tiles(fetcher: Fetcher, tiles: Iterable[Tile]) -> Iterator[tuple[Tile, bytes]]:
    """Yield tiles and bundles with what `fetch_tile` returns for them, in the order given.

    At most `fetcher.parallel` of them are under way or waiting to be taken, however many there are.
    Raises what `fetch_tile` raises for a tile when that tile's turn comes.
    """
    return in_parallel(lambda tile: (tile, fetch_tile(fetcher, tile)), tiles, fetcher.parallel)
