"""Reading a log through fsspec (https://filesystem-spec.readthedocs.io), and the only place that knows its errors.

Any URL that it opens will do: memory://log, zip://log::archive.zip, github://org:repo@ref/log, sftp://host/log, and,
by s3fs instead of this library's own store, fsspec+s3://bucket/log.

What fsspec or a library behind it says is not repeated, as it may hold the URL with its credentials. Of an error, only
its type and what the system calls it are shown. Nothing is kept: no listing, no content, no connection of another log.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from threading import Lock
from typing import Any, TypeVar

from tiles.errors import AccessError, Malformed, NotFound, TilesError, UsageError
from tiles.parallel import SERVER_READS, in_background
from tiles.read.fsspec_http import http_client
from tiles.read.http_fetcher import NO_CACHE
from tiles.read.trouble import too_long
from tiles.store import Part
from tiles.store.address import parse_http_url
from tiles.store.bounded_gzip import MAGIC, decode, on_wire
from tiles.store.content_encoding import ACCEPTED, decode_what_is, on_wire_after, times_encoded
from tiles.store.fsspec_address import PREFIX, protocol_of, shown_fsspec_url, shown_protocol
from tiles.store.network import authorities_file, proxy_for
from tiles.tree.bundle import parse_bundle
from tiles.tree.layout import BUNDLES, CHECKPOINT, parse_tile_path

DEADLINE = 120.0  # seconds for one object, or for opening the file system

_CHUNK = 1 << 16  # bytes
_THREADSAFE = frozenset({"memory", "file", "local", "github"})  # and all that is asynchronous inside
# All others are refused: fsspec has file systems that read whatever a file tells them to (reference, generic), that
# hand out what runs on this machine (dask, jupyter), or that keep copies.
ALLOWED = {
    *("memory", "file", "local", "zip", "tar", "libarchive", "git"),
    *("http", "https", "ftp", "sftp", "ssh", "smb", "webdav", "hdfs", "webhdfs", "arrow_hdfs"),
    *("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss", "tos", "dbfs", "lakefs"),
    *("github", "gist", "hf", "box", "dropbox", "gdrive"),
}

_HTTP = frozenset({"http", "https"})
_S3 = frozenset({"s3", "s3a"})
_STORES = _S3 | {"gs", "gcs", "az", "abfs", "abfss", "adl"}  # their libraries ask for parts, and get them
_KEEPING = frozenset({"blockcache", "cached", "filecache", "simplecache"})

T = TypeVar("T")


class FsspecFetcher:
    """Reads the public objects of a log at any URL that fsspec opens.

    parallel   8; 1 where the library behind the URL cannot be used by several threads at once
    deadline   seconds for one object, and for opening the file system

    Raises UsageError, with what to install, if fsspec or a package for this kind of URL is missing, and for a URL that
    is none; NotFound and AccessError where opening it needs to ask somebody, and that fails.
    """

    def __init__(self, url: str, *, deadline: float = DEADLINE) -> None:
        self.url = shown_fsspec_url(url)
        self._deadline = deadline
        core = _import("fsspec.core", self.url)
        for link in url.split("::"):
            _check_protocol(link, self.url)
        plain = url[len(PREFIX) :] if url.lower().startswith(PREFIX) else url
        protocol = protocol_of(url.partition("::")[0])
        self._is_http = protocol in _HTTP
        options = _options(plain)
        opened = self._in_time(lambda: core.url_to_fs(plain, skip_instance_cache=True, **options), "", self.url)
        self._fs, root = opened
        self._base, mark, query = root.partition("?")
        self._query = mark + query
        # Not an option of `url_to_fs`: some file systems would pass that on as one of the connection.
        self._fs.dircache.use_listings_cache = False
        self._fs.dircache.clear()
        self._protocols = {self._fs.protocol} if isinstance(self._fs.protocol, str) else set(self._fs.protocol)
        shared = self._fs.async_impl or not self._protocols.isdisjoint(_THREADSAFE)
        self.parallel = SERVER_READS if shared else 1
        self._turn: AbstractContextManager[Any] = nullcontext() if shared else Lock()

    def fetch(self, path: str, limit: int) -> bytes:
        """Return an object. Raises NotFound; AccessError, and TooLong for one of more than `limit` bytes."""
        return self._fetch(path, limit)

    def fetch_anew(self, path: str, limit: int, rejected: bytes | None) -> bytes:  # noqa: ARG002
        """Return an object, past the caches (PastCaches), which are asked to if it is read over HTTP."""
        return self._fetch(path, limit, **({"headers": {**NO_CACHE}} if self._is_http else {}))

    def _fetch(self, path: str, limit: int, **options: Any) -> bytes:
        where = f"{self.url}/{path}"
        data, times = self._in_time(lambda: self._read(path, limit, where, options), path, where)
        if times:
            data = decode_what_is(data, times, limit)
        # where the file system does not hand over under which encoding an object is stored
        elif path.startswith(BUNDLES) and data.startswith(MAGIC):
            data = _plain_bundle(path, data, limit)
        if len(data) > limit:
            raise too_long(data, where, limit)
        return data

    def fetch_range(self, path: str, start: int, stop: int, size: int) -> Part:
        """Return a part of an object, or the whole (ReadsRanges).

        The whole is read of a server, too, because its answer would not be told to be the part that was asked for.
        """
        data = self._in_time(lambda: self._read_part(path, start, stop), path, f"{self.url}/{path}")
        return Part(0, self._fetch(path, size)) if data is None else Part(start, data)

    def _read_part(self, path: str, start: int, stop: int) -> bytes | None:
        """Return bytes of an object; None if the whole has to be read. What is not there is FileNotFoundError."""
        try:
            with self._turn:
                if not self._fs.async_impl:
                    with self._fs.open(self._name(path), "rb") as file:
                        file.seek(start)
                        return _bounded(file, stop - start)
                if self._protocols.isdisjoint(_STORES):
                    return None
                data: bytes = self._fs.cat_file(self._name(path), start=start, end=stop)
        except (FileNotFoundError, PermissionError):
            raise
        except Exception:  # noqa: BLE001  each library behind fsspec says in its own way that it cannot, or not there
            return None
        return data if len(data) <= stop - start else None

    def _name(self, path: str) -> str:
        below = f"{self._base.rstrip('/')}/{path}" if self._base else path
        return f"{below}{self._query}"

    def _read(self, path: str, limit: int, where: str, options: dict[str, Any]) -> tuple[bytes, int]:
        """Return an object, or one byte more of it than there may be, and how many times it is known to be encoded."""
        most = 1 + (on_wire(limit) if path.startswith(BUNDLES) else limit)
        name = self._name(path)
        with self._turn:
            if self._fs.async_impl:
                sync = import_module("fsspec.asyn").sync
                try:
                    given = (self._fs, name, most, limit, where, options)
                    found: tuple[bytes, int] = sync(self._fs.loop, _read_stream, *given)
                    return found
                except NotImplementedError:
                    pass  # it has no streams
            with self._fs.open(name, "rb") as file:
                return _bounded(file, most), 0

    def _in_time(self, job: Callable[[], T], path: str, where: str) -> T:
        """Return what a job returns, raise what its error means, or raise AccessError when it takes too long."""
        try:
            return in_background(lambda: _translated(job, path, where)).result(timeout=self._deadline)
        except TimeoutError:
            failure = AccessError(f"{where}: no whole answer within {self._deadline:g} seconds")
        raise failure


def _bounded(file: Any, most: int) -> bytes:
    """Return the next bytes of a file, so many at most."""
    data = bytearray()
    while len(data) < most and (chunk := file.read(min(_CHUNK, most - len(data)))):
        data += chunk
    return bytes(data)


async def _read_stream(
    fs: Any, name: str, most: int, limit: int, where: str, options: dict[str, Any]
) -> tuple[bytes, int]:
    """Return what `FsspecFetcher._read` does, and close the connection without waiting for the rest."""
    file = await fs.open_async(name, "rb", **options)
    data = bytearray()
    times = 0
    try:
        while len(data) < most and (chunk := await file.read(min(_CHUNK, most - len(data)))):
            if not data:
                times = times_encoded(_encoding_of(file), where)
                most = max(most, on_wire_after(times, limit) + 1)
            data += chunk
    finally:
        response = getattr(file, "r", None)
        if response is not None:
            response.close()
        if not file.closed:
            await file.close()
    return bytes(data), times


def _encoding_of(file: Any) -> str:
    """Return the Content-Encoding of an object that is being read over HTTP, as it was sent."""
    response = getattr(file, "r", None)
    headers = getattr(getattr(response, "raw_stream", response), "headers", None)
    return "" if headers is None else ", ".join(headers.getall("Content-Encoding", ()))


def _options(url: str) -> dict[str, dict[str, Any]]:
    """Return what the file systems of a chain are opened with, by protocol, besides their URLs."""
    options: dict[str, dict[str, Any]] = {}
    for number, link in enumerate(url.split("::")):
        protocol = protocol_of(link)
        if protocol in _S3 and (file := authorities_file()):
            options[protocol] = {"client_kwargs": {"verify": file}}
        if protocol in _HTTP and "://" in link:
            at = parse_http_url(link)
            proxy = proxy_for(protocol, at.host or "", at.port)
            client: dict[str, Any] = {"proxy": None if proxy is None else proxy.whole}
            if number == 0:  # objects are decoded here; an archive, in which they are, is decoded by the client
                client |= {"auto_decompress": False, "headers": {"Accept-Encoding": ACCEPTED}}
            options[protocol] = {"get_client": http_client, "client_kwargs": client}
    return options


def _plain_bundle(path: str, data: bytes, limit: int) -> bytes:
    """Return a bundle as it is, or decoded if only the decoded bytes parse as one; as it is if neither do."""
    try:
        parse_bundle(data, parse_tile_path(path).width)
    except Malformed:
        try:
            return decode(data, limit)
        except Malformed:
            return data
    return data


def _import(module: str, url: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        pass
    raise UsageError(f"{url} is read with fsspec, which is not installed", hint="pip install fsspec")


def _check_protocol(link: str, url: str) -> None:
    """Raise UsageError unless fsspec can open that kind of URL, here and now, and keeps no copies of its own."""
    registry = _import("fsspec.registry", url)
    protocol = protocol_of(link)
    if protocol in _KEEPING:
        raise UsageError(f"{url}: {protocol} keeps copies, and a log is to be read as it is now")
    if "://" not in link and protocol not in registry.available_protocols():
        return  # a path
    if not protocol:
        raise _unknown(protocol)  # fsspec would take it for a path
    if protocol in registry.available_protocols() and protocol not in ALLOWED:
        raise UsageError(
            f"{shown_protocol(protocol)}:// is not read",
            hint="a log is a directory, an archive, a bucket or a server; see docs/network.md for what is read",
        )
    missing: ImportError | None = None
    try:
        registry.get_filesystem_class(protocol)
    except ImportError as error:
        missing = error
    except ValueError:
        raise _unknown(protocol) from None
    if missing is not None:
        raise _missing(missing, f"{shown_protocol(protocol)}://")


def _unknown(protocol: str) -> UsageError:
    return UsageError(f"{shown_protocol(protocol)}:// cannot be read: fsspec does not know it")


def _missing(error: ImportError, what: str) -> UsageError:
    """Return what to say about a package that is not there."""
    cause = error.__cause__ if isinstance(error.__cause__, ImportError) else error
    package = (cause.name or "").partition(".")[0]
    hint = f"pip install {package}" if package else "install the package that fsspec's documentation names for it"
    return UsageError(f"{what} needs a package that is not installed", hint=hint)


def _translated(job: Callable[[], T], path: str, where: str) -> T:
    """Return what the job returns, or raise what its error means here, with nothing of that error attached."""
    try:
        return job()
    except TilesError as error:
        failure = error
    except Exception as error:  # noqa: BLE001  each library behind fsspec has its own
        failure = _failure(error, path, where)
    raise failure


def _failure(error: Exception, path: str, where: str) -> TilesError:
    if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
        return NotFound(f"{where}: not found")
    if isinstance(error, PermissionError):
        if path in ("", CHECKPOINT):  # every log has one
            hint = "some storage answers this for what is not there, too: check the URL and the credentials"
            return AccessError(f"{where}: access is denied", hint=hint)
        return NotFound(f"{where}: not found (access is denied)")
    if isinstance(error, ImportError):
        return _missing(error, where)
    if not path and isinstance(error, TypeError | ValueError) and not isinstance(error, OSError):
        return UsageError(f"{where} is not a URL that fsspec opens ({type(error).__name__})")
    number = getattr(error, "errno", None)
    what = f": {os.strerror(number)}" if isinstance(number, int) else ""
    return AccessError(f"{where}: {type(error).__name__}{what}")
