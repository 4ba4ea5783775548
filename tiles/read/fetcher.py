"""Reading a log's public objects, wherever they are: in a directory or bucket, behind http(s)://, or at any fsspec URL.

What comes back are bytes that anyone may have written. `tiles.read.client` is where they are believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from tiles.errors import Malformed, NotFound, TileError, UsageError
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.parallel import BUCKET_READS, in_parallel
from tiles.read.fsspec_fetcher import FsspecFetcher
from tiles.read.fsspec_fetcher import shown_url as shown_any_url
from tiles.read.http_fetcher import HttpFetcher, parse_http_url, shown_url
from tiles.store import Store
from tiles.store.directory import DirectoryStore
from tiles.tree.bundle import MAX_ENTRY_SIZE, encode_entries, parse_bundle
from tiles.tree.layout import CHECKPOINT, ENTRIES, TILE_WIDTH, Tile
from tiles.tree.merkle import HASH_SIZE
from tiles.tree.reader import cut
from tiles.user.places import directory_of, public_store

# Twice what a tile has, and one byte more than a bundle has: what is too long is to be seen, and called wrong,
# rather than taken for an object that cannot be read.
MAX_TILE_SIZE = 2 * TILE_WIDTH * HASH_SIZE  # bytes
MAX_BUNDLE_SIZE = TILE_WIDTH * (2 + MAX_ENTRY_SIZE) + 1  # bytes

STORES = frozenset({"s3", "gs", "az"})  # schemes of object stores

_KINDS = "a log to read is a directory, or a URL such as https://, s3://, gs://, az:// or one that fsspec opens"


class Fetcher(Protocol):
    """Where the public objects of one log are read. Threads may share it.

    url        where it is, as it may be shown: without credentials
    parallel   how many objects to fetch at a time
    """

    @property
    def url(self) -> str:
        """Where it is."""
        ...

    @property
    def parallel(self) -> int:
        """How many objects to fetch at a time."""
        ...

    def fetch(self, path: str, limit: int) -> bytes:
        """Return an object. Raises NotFound; AccessError, also if it is longer than `limit` bytes."""
        ...


class StoreFetcher:
    """Reads the public objects of a log in a store.

    parallel   1 where reading waits for nothing but a disk; more costs threads and gains nothing
    """

    def __init__(self, store: Store, parallel: int = 1) -> None:
        self.url = store.url
        self.parallel = parallel
        self._store = store

    def fetch(self, path: str, limit: int) -> bytes:
        """Return an object. Raises NotFound; AccessError, also if it is longer than `limit` bytes."""
        return self._store.read(path, limit).data


def open_log(url: str) -> Fetcher:
    """Return the reader of a log: a path, file://, http(s)://, s3://, gs:// or az://; any other URL is fsspec's.

    fsspec+s3://… and the like are fsspec's too. Raises UsageError for a URL that nobody here can read, and NotFound
    for a directory that is none, or holds no checkpoint; whether a server has one is known once it is asked.
    """
    scheme = _scheme(url)
    if scheme in ("http", "https"):
        return HttpFetcher(url)
    if scheme in STORES:
        return StoreFetcher(public_store(url), BUCKET_READS)
    if scheme:
        return FsspecFetcher(url)
    directory = _directory(url)
    if not directory.is_dir():
        raise NotFound(f"{directory}: no such directory", hint=_KINDS)
    fetcher = StoreFetcher(DirectoryStore(directory))
    try:
        fetcher.fetch(CHECKPOINT, MAX_NOTE_SIZE)
    except NotFound:
        raise NotFound(f"{directory}: there is no log here: it holds no checkpoint") from None
    return fetcher


def is_local(fetcher: Fetcher) -> bool:
    """Tell whether reading waits for nothing but a disk, so that there is no use in keeping copies on another one."""
    return isinstance(fetcher, StoreFetcher) and fetcher.parallel == 1


def normal_url(url: str) -> str:
    """Return the one form of a log's URL that it is remembered by: no credentials, no slash at the end, paths absolute.

    Raises UsageError for a path or http(s):// URL that is none.
    """
    scheme = _scheme(url)
    if scheme in ("http", "https"):
        return shown_url(parse_http_url(url))
    return shown_any_url(url) if scheme else str(_directory(url).resolve())


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
    return cut(tile, data) if tile.level != ENTRIES else _cut_bundle(tile, data)


def fetch_tiles(fetcher: Fetcher, tiles: Iterable[Tile]) -> Iterator[tuple[Tile, bytes]]:
    """Yield tiles and bundles with what `fetch_tile` returns for them, in the order given.

    At most `fetcher.parallel` of them are under way or waiting to be taken, however many there are.
    Raises what `fetch_tile` raises for a tile when that tile's turn comes.
    """
    return in_parallel(lambda tile: (tile, fetch_tile(fetcher, tile)), tiles, fetcher.parallel)


def _cut_bundle(bundle: Tile, data: bytes) -> bytes:
    try:
        return encode_entries(parse_bundle(data, TILE_WIDTH)[: bundle.width])
    except Malformed as error:
        raise TileError(bundle.full.path, error.problem, evidence={bundle.full.path: data}) from None


def _directory(url: str) -> Path:
    try:
        directory = directory_of(url)
        directory.resolve()
    except (OSError, RuntimeError, ValueError):  # links in a circle, ~ of nobody, a zero byte
        raise UsageError(f"{url!r} is not a path") from None
    return directory


def _scheme(url: str) -> str:
    """Return the scheme of a URL in lower case; "" for a path, and for file://, which names one.

    Of a chain (simplecache::https://…) that of its first link.
    """
    scheme, separator, _ = url.partition("://")
    return scheme.partition("::")[0].lower() if separator and scheme != "file" else ""
