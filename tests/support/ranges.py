"""A fetcher that reads parts of objects, or that does not, and counts requests and bytes."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

from tiles.errors import NotFound, TooLong
from tiles.store.ranges import Part


class Counting:
    """A fetcher of objects in a dict.

    ranges   whether it reads parts; otherwise it gives the whole object, as a server may that was asked for a part
    """

    url = "test://log"

    def __init__(self, objects: Mapping[str, bytes], *, ranges: bool = True, parallel: int = 1) -> None:
        self.objects = objects
        self.parallel = parallel
        self.asked: list[str] = []
        self.sizes: list[int] = []
        self._ranges = ranges
        self._lock = Lock()

    def fetch(self, path: str, limit: int) -> bytes:
        """Return an object."""
        return self._fetched(path, limit, 0, 1 << 62)

    def fetch_range(self, path: str, start: int, stop: int, size: int) -> Part:
        """Return a part of an object, or the whole."""
        return Part(start, self._fetched(path, size, start, stop)) if self._ranges else Part(0, self.fetch(path, size))

    def _fetched(self, path: str, limit: int, start: int, stop: int) -> bytes:
        data = self.objects.get(path)
        with self._lock:
            self.asked.append(path)
            self.sizes.append(len(data[start:stop]) if data is not None else 0)
        if data is None:
            raise NotFound(f"{self.url}/{path}: not found")
        if len(data) > limit:
            raise TooLong(f"{self.url}/{path}: longer than {limit} bytes")
        return data[start:stop]


class PastCache(Counting):
    """The same behind a cache, which has other objects than the log.

    anew   what the log has
    """

    def __init__(self, objects: Mapping[str, bytes], anew: Mapping[str, bytes]) -> None:
        super().__init__(objects)
        self._anew = Counting(anew)

    def fetch_anew(self, path: str, limit: int, rejected: bytes | None) -> bytes:  # noqa: ARG002
        """Return an object as the log has it."""
        return self._anew.fetch(path, limit)
