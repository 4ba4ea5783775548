"""Fetching tiles and entry bundles, one or many, and what stands in for a partial one that is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NoReturn

from tiles.errors import Malformed, NotFound, TileError
from tiles.parallel import in_parallel
from tiles.read.log_formats import TLOG_TILES, LogFormat
from tiles.read.trouble import no_object, placed
from tiles.store import Fetcher
from tiles.tree.layout import ENTRIES, Tile, parse_tile_path


class TileSource:
    """The tiles and bundles of one log, of which nothing is verified, and what is to be said of those that are wrong.

    fetcher      where the log is
    log_format   where its objects are, and what is in them
    lenient      what is plainly no object of a log is an AccessError; without it, it is a TileError like all else
    """

    def __init__(self, fetcher: Fetcher, log_format: LogFormat = TLOG_TILES, *, lenient: bool = True) -> None:
        self._fetcher = fetcher
        self._format = log_format
        self._lenient = lenient

    def fetch(self, tiles: Iterable[Tile]) -> Iterator[tuple[Tile, bytes]]:
        """Yield tiles and bundles with what `fetch_tile` returns for them, as `fetch_tiles` does."""
        return in_parallel(lambda tile: (tile, self._fetch(tile)), tiles, self._fetcher.parallel)

    def _fetch(self, tile: Tile) -> bytes:
        try:
            return fetch_tile(self._fetcher, tile, self._format)
        except TileError as error:
            self.refuse(error)

    def refuse(self, error: TileError) -> NoReturn:
        """Raise the error for tiles or bundles that are wrong: it says at which addresses they were read.

        error   its path is that of the log's format, or of tlog-tiles; its evidence holds what was read, by path
        """
        addresses = []
        for path in error.path.split(", "):
            tile = _tile_at(path)
            addresses.append(f"{self._fetcher.url}/{path if tile is None else self._format.path(tile)}")
            # whose entries were hashed is a bundle, whatever they look like
            is_bundle = "computed" in error.evidence and (tile is None or tile.level == ENTRIES)
            judged = self._lenient and not is_bundle and path in error.evidence
            if judged and (found := no_object(error.evidence[path], addresses[-1])):
                raise found from error
        raise placed(error, ", ".join(addresses), error.problem) from None


def _tile_at(path: str) -> Tile | None:
    """Return the tile or bundle that a path of tlog-tiles names, None for another path."""
    try:
        return parse_tile_path(path)
    except Malformed:
        return None


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
