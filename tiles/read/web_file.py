"""One file at an http(s):// URL, and what stands beside it: for who verifies a file where it is published.

What a server sends is believed by nobody: it is hashed, and then verified by a proof.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from copy import copy
from typing import BinaryIO
from urllib.parse import unquote

from tiles.errors import UsageError
from tiles.read.http_fetcher import HttpFetcher
from tiles.store.address import parse_http_url, shown_http_url

MAX_FILE_SIZE = 16 << 30  # bytes: a server must not be able to send for ever
_LONGEST = 6 * 3600.0  # seconds, for as many bytes over a slow line


class WebFile:
    """A file at a URL, whose user:password@ and query go to this server only. shown: the URL without both

    Raises UsageError for what is no http(s):// URL of a file.
    """

    def __init__(self, url: str) -> None:
        parsed = parse_http_url(url.partition("#")[0])
        self.shown = shown_http_url(parsed)
        folder, _, self._last = (parsed.path or "").rpartition("/")
        if "#" in url or not self._last:
            raise UsageError(f"{self.shown}: not the URL of a file", hint="it ends in the file's name, without #")
        self._fetcher = HttpFetcher(str(parsed._replace(path=folder)))

    @property
    def name(self) -> str:
        """The file's name, without folders."""
        return unquote(self._last, errors="surrogateescape").rpartition("/")[2]

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Give its bytes as a stream. Raises NotFound or AccessError; so does reading it, and TooLong."""
        return self._fetcher.opened(self._last, MAX_FILE_SIZE, _LONGEST)

    def read(self, limit: int) -> bytes:
        """Return all of it, decoded. Raises NotFound or AccessError, and TooLong for more than `limit` bytes."""
        return self._fetcher.fetch(self._last, limit)

    def beside(self, suffix: str) -> WebFile:
        """Return the file whose name has that suffix besides; whether it is there is known once it is read."""
        beside = copy(self)
        beside.shown, beside._last = f"{self.shown}{suffix}", f"{self._last}{suffix}"  # noqa: SLF001
        return beside
