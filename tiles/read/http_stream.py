"""An object as it comes over HTTP, for who hashes it: nobody has to have room for all of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO, cast

from urllib3 import BaseHTTPResponse
from urllib3 import exceptions as http

from tiles.errors import AccessError, TooLong
from tiles.read.http_answers import CHUNK, Again, failed

PLAIN = {"Accept-Encoding": "identity"}  # a file is what was published, and not what a server makes of it on the way
_INSTEAD = "download it, and name the file"


def stream(answer: BaseHTTPResponse, limit: int, where: str, is_late: Callable[[], bool]) -> BinaryIO:
    """Return the body of an answer, to be read once.

    where     the address, for errors
    is_late   whether there is no more time
    Raises AccessError for one that is encoded: nobody could say which bytes are the file. Reading raises AccessError
    where the answer breaks off or time is over, and TooLong where more than `limit` bytes come.
    """
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise AccessError(f"{where}: the server sends it encoded, and was asked not to", hint=_INSTEAD)
    return cast("BinaryIO", io.BufferedReader(_Body(answer, limit, where, is_late), CHUNK))


class _Body(io.RawIOBase):
    def __init__(self, answer: BaseHTTPResponse, limit: int, where: str, is_late: Callable[[], bool]) -> None:
        self._answer = answer
        self._limit = limit
        self._where = where
        self._is_late = is_late
        self._count = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Read some bytes; none at the end."""
        try:
            chunk = self._answer.read1(len(buffer), decode_content=False)
        except http.HTTPError as error:
            found = failed(error, self._where)
            if isinstance(found, Again):
                found = AccessError(f"{self._where}: {found.problem}")
            raise found from error
        self._count += len(chunk)
        if self._count > self._limit:
            raise TooLong(f"{self._where}: more than {self._limit} bytes", hint=_INSTEAD)
        if chunk and self._is_late():
            raise AccessError(f"{self._where}: it takes too long", hint=_INSTEAD)
        buffer[: len(chunk)] = chunk
        return len(chunk)
