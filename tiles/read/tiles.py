"""Fetching tiles and entry bundles, one or many, and what stands in for a partial one that is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tiles.errors import NotFound
from tiles.parallel import in_parallel
from tiles.read.log_formats import TLOG_TILES, LogFormat
from tiles.store import Fetcher
from tiles.tree.layout import Tile


def fetch_tile(fetcher: Fetcher, tile: Tile, log_format: LogFormat = TLOG_TILES) -> bytes:
    """Return what a log has for a tile or entry bundle; a partial one that is gone is cut from the full one.

    Nothing about it is verified. Raises NotFound, AccessError; TileError for a full one that cannot be cut.
    """
    path, limit = log_format.path(tile), log_format.limit(tile)
    try:
        return fetcher.fetch(path, limit)
    except NotFound:
        if tile.is_full:
            raise
    # "MAY fetch the full tile in parallel as a fallback in case the partial tile is not available anymore"
    full = log_format.path(tile.full)
    try:
        data = fetcher.fetch(full, limit)
    except NotFound:
        raise NotFound(f"{fetcher.url}: neither {path} nor {full} is there") from None
    return log_format.cut(tile, data)


def fetch_tiles(
    fetcher: Fetcher, tiles: Iterable[Tile], log_format: LogFormat = TLOG_TILES
) -> Iterator[tuple[Tile, bytes]]:
    """Yield tiles and bundles with what `fetch_tile` returns for them, in the order given.

    At most `fetcher.parallel` of them are under way or waiting to be taken, however many there are.
    Raises what `fetch_tile` raises for a tile when that tile's turn comes.
    """
    return in_parallel(lambda tile: (tile, fetch_tile(fetcher, tile, log_format)), tiles, fetcher.parallel)
