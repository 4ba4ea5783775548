"""Opening a log to read it, wherever it is: a directory, a bucket, http(s)://, or any URL that fsspec opens.

What a `Fetcher` returns are bytes that anyone may have written. `tiles.read.client` is where they are believed.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TypeGuard

from tiles.errors import NotFound, explained
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.parallel import BUCKET_READS
from tiles.records.paths import LATEST
from tiles.store import Fetcher, StoreFetcher
from tiles.store.address import Kind, existing_directory_of, kind_of
from tiles.store.directory import DirectoryStore
from tiles.tree.layout import CHECKPOINT
from tiles.user.places import public_store

_KINDS = "a log to read is a directory, or a URL such as https://, s3://, gs://, az:// or one that fsspec opens"


def open_log(url: str) -> Fetcher:
    """Return the reader of a log: a path, file://, http(s)://, s3://, gs:// or az://; any other URL is fsspec's.

    fsspec+s3://… and the like are fsspec's too. Raises UsageError for a URL that nobody here can read, and NotFound
    for a directory that is none, or holds no checkpoint; whether a server has one is known once it is asked.
    """
    fetcher = open_place(url)
    if kind_of(url) in (Kind.HTTP, Kind.BUCKET, Kind.FSSPEC):
        return fetcher
    for path in (CHECKPOINT, LATEST):
        with suppress(NotFound):
            fetcher.fetch(path, MAX_NOTE_SIZE)
            return fetcher
    raise NotFound(
        f"{existing_directory_of(url)}: there is no log here: it holds no checkpoint",
        hint=explained("the-checkpoint-is-gone", "look at the name; if there was a log, its checkpoint is lost"),
    )


def open_place(url: str) -> Fetcher:
    """Return the reader of a place that need not hold a log; otherwise as `open_log`."""
    kind = kind_of(url)
    if kind is Kind.HTTP:
        from tiles.read.http_fetcher import HttpFetcher  # slow to import, and no directory needs it

        return HttpFetcher(url)
    if kind is Kind.BUCKET:
        return StoreFetcher(public_store(url), BUCKET_READS)
    if kind is Kind.FSSPEC:
        from tiles.read.fsspec_fetcher import FsspecFetcher

        return FsspecFetcher(url)
    directory = existing_directory_of(url)
    if not directory.is_dir():
        raise NotFound(f"{directory}: no such directory", hint=_KINDS)
    return StoreFetcher(DirectoryStore(directory))


def is_local(fetcher: Fetcher) -> TypeGuard[StoreFetcher]:
    """Tell whether reading waits for nothing but a disk, so that there is no use in keeping copies on another one."""
    return isinstance(fetcher, StoreFetcher) and fetcher.parallel == 1
