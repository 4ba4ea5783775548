"""Fetching tiles and entry bundles, one or many, and what stands in for a partial one that is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import NoReturn, cast

from tiles.errors import AccessError, Malformed, NotFound, TileError, TilesError, TooLong, explained, placed
from tiles.parallel import in_parallel
from tiles.read.log_formats import TLOG_TILES, LogFormat
from tiles.read.trouble import no_object
from tiles.store import Fetcher
from tiles.store.past_caches import PastCaches, Several
from tiles.tree.layout import ENTRIES, Tile, parse_tile_path
from tiles.tree.merkle import HASH_SIZE

_GONE = explained("a-tile-is-gone", "whoever runs the log puts it back with `tiletree repair LOG`")


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
        """Yield tiles and bundles, in the order given, with what a log has for them.

        At most `fetcher.parallel` of them are under way or waiting to be taken, however many there are.
        Raises what `fetch_tile` raises for a tile when that tile's turn comes.
        """
        return in_parallel(lambda tile: (tile, self._fetch(tile)), tiles, self._fetcher.parallel)

    def _fetch(self, tile: Tile) -> bytes:
        """Return the first copy that has the shape of the tile, or else the first one."""
        copies = _Copies(self._fetcher, tile, self._format)
        for some in (copies.usual(), copies.anew()):
            first = None
            for data in some:
                # of a full one it is looked at where it is verified: every bundle would be parsed twice
                if tile.is_full or self._is_formed(tile, data):
                    return data
                first = data if first is None else first
            if first is not None:
                return first
        trouble = copies.trouble()
        if isinstance(trouble, TileError):
            self.refuse(trouble)
        raise trouble

    def _is_formed(self, tile: Tile, data: bytes) -> bool:
        if tile.level != ENTRIES:
            return len(data) == tile.width * HASH_SIZE
        try:
            return len(self._format.parse_bundle(tile, data)) == tile.width
        except Malformed:
            return False

    def others(self, tile: Tile, rejected: bytes) -> Iterator[bytes]:
        """Yield the other copies that there may be of a tile or bundle, one fetched after the other.

        rejected   what `fetch` returned for it, which turned out to be wrong
        """
        return copies_of(self._fetcher, tile, self._format, rejected)

    def refuse(self, error: TileError) -> NoReturn:
        """Raise the error for tiles or bundles that are wrong: it says at which addresses they were read.

        error   its path is that of the log's format, or of tlog-tiles; its evidence holds what was read, by path
        """
        addresses = []
        for path in error.path.split(", "):
            tile = _tile_at(path)
            at = path if tile is None else self._format.path(tile)
            place = self._fetcher.taken_from(at) if isinstance(self._fetcher, Several) else self._fetcher
            addresses.append(f"{place.url}/{at}")
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


class _Copies:
    """The copies that a log may have of a tile or bundle, each fetched once the one before turned out to be wrong.

    Each address of the log is asked, in their order, and then each once more, past every cache.
    rejected   what was fetched for it already and is wrong
    """

    def __init__(self, fetcher: Fetcher, tile: Tile, log_format: LogFormat, rejected: bytes | None = None) -> None:
        self._url = fetcher.url
        self._several = cast("Several", fetcher) if _reads_several(type(fetcher)) else None
        self._places = list(self._several.places()) if self._several else [fetcher]
        self._tile = tile
        self._format = log_format
        self._limit = log_format.limit(tile)
        # "MAY fetch the full tile in parallel as a fallback in case the partial tile is not available anymore"
        self._paths = list(dict.fromkeys((log_format.path(tile), log_format.path(tile.full))))
        self._before: dict[tuple[Fetcher, str], bytes | None] = {}
        self._failures: list[tuple[Fetcher, TileError | AccessError]] = []
        self._rejected = rejected
        if rejected is not None and self._several is None:
            self._before[fetcher, self._paths[0]] = rejected

    def usual(self) -> Iterator[bytes]:
        """Yield its own object, unless that was rejected; of a partial one then what is cut from the full one."""
        for place in self._places:
            for path in self._paths:
                if self._before.get((place, path)) is None:
                    yield from self._copy(place, path, partial(self._fetched, place))

    def anew(self) -> Iterator[bytes]:
        """Yield both again, past every cache; nothing where there is none."""
        for place in self._places:
            if isinstance(place, PastCaches):
                # what a cache had is not the log's fault
                self._failures = [each for each in self._failures if each[0] is not place]
                for path in self._paths:
                    before = self._before.get((place, path))
                    yield from self._copy(place, path, partial(place.fetch_anew, rejected=before))

    def trouble(self) -> TilesError:
        """Return what to raise if there was none: what is there and wrong says more than what is not there."""
        failures = [error for _, error in reversed(self._failures)]
        for kind in (TileError, TooLong):
            for error in failures:
                if isinstance(error, kind):
                    return error
        unreached = [error for error in failures if not isinstance(error, NotFound)]
        if unreached or len(self._paths) == 1:
            return (unreached or failures)[-1]
        return NotFound(f"{self._url}: neither {' nor '.join(self._paths)} is there", hint=_GONE)

    def _fetched(self, place: Fetcher, path: str, limit: int) -> bytes:
        data = self._before[place, path] = place.fetch(path, limit)
        return data

    def _copy(self, place: Fetcher, path: str, fetch: Callable[[str, int], bytes]) -> Iterator[bytes]:
        try:
            data = fetch(path, self._limit)
            copy = data if path == self._paths[0] else self._format.cut(self._tile, data)
        except (NotFound, TooLong, TileError) as error:
            self._fail(place, path, error)
        except AccessError as error:
            if self._several is None:
                raise
            self._fail(place, path, error)
        else:
            if self._several is None:
                yield copy
                return
            if copy != self._rejected:  # by whichever address it came
                self._several.took(place, self._paths[0])
                yield copy
            self._several.failed(place, self._paths[0], None)  # whoever wants another one cannot use it

    def _fail(self, place: Fetcher, path: str, error: TileError | AccessError) -> None:
        self._failures.append((place, error))
        if self._several is not None:
            self._several.failed(place, path, error)


@cache
def _reads_several(kind: type[Fetcher]) -> bool:
    """Whether fetchers of this kind read at several addresses. To ask it of a Protocol takes long."""
    return issubclass(kind, Several)


def copies_of(
    fetcher: Fetcher, tile: Tile, log_format: LogFormat = TLOG_TILES, rejected: bytes | None = None
) -> Iterator[bytes]:
    """Yield the copies that a log may have of a tile or bundle, for whoever can tell which is right.

    rejected   what was fetched for it already and is wrong
    """
    copies = _Copies(fetcher, tile, log_format, rejected)
    yield from copies.usual()
    yield from copies.anew()


def fetch_tile(fetcher: Fetcher, tile: Tile, log_format: LogFormat = TLOG_TILES) -> bytes:
    """Return the first copy that a log has of a tile or entry bundle; it may be cut from the full one.

    Nothing about it is verified. Raises NotFound, AccessError; TileError for a full one that cannot be cut.
    """
    copies = _Copies(fetcher, tile, log_format)
    for some in (copies.usual(), copies.anew()):
        for data in some:
            return data
    raise copies.trouble()


def fetch_tile_anew(fetcher: Fetcher, tile: Tile, rejected: bytes, log_format: LogFormat = TLOG_TILES) -> bytes:
    """Return what is there past every cache of a tile or bundle that will not do; the same bytes where there is none.

    rejected   what `fetch_tile` returned for it
    Raises what `fetch_tile` raises.
    """
    if not isinstance(fetcher, PastCaches):
        return rejected
    copies = _Copies(fetcher, tile, log_format, rejected)
    for _ in copies.usual():
        pass  # the full one may be what it was cut from: what a cache has of that is to be known, too
    for data in copies.anew():
        return data
    raise copies.trouble()
