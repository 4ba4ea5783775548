"""Caches between a reader and a log, over HTTP and in this process, and what they may have kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.support import fault_server as answers
from tests.support.fault_server import Server
from tests.support.readers import Objects
from tiles.errors import NotFound, TooLong

PAGE = b"<!doctype html><title>Welcome to our hotel</title>"
LONG_PAGE = PAGE + b"<p>" * 200_000
HUGE_PAGE = PAGE + b"<p>" * 6_000_000  # longer than any object
WRONG: dict[str, Callable[[bytes], bytes | None]] = {
    "damaged": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "empty": lambda _data: b"",
    "cut short": lambda data: data[:-1],
    "a page": lambda _data: PAGE,
    "a long page": lambda _data: LONG_PAGE[:1_200_000],
    "gone": lambda _data: None,
}


class Cache:
    """What a cache in front of a server does: it keeps the first answer for each address.

    obeys   whether `no-cache` in a request makes it ask the server
    query   whether another query is another address for it
    """

    def __init__(self, server: Server, *, obeys: bool, query: bool = True) -> None:
        self.server = server
        self.obeys = obeys
        self.query = query
        self.kept: dict[str, bytes | None] = {}
        server.script = Everything(self.answer)

    def answer(self, handler: answers.Handler) -> None:
        path, _, query = handler.path.removeprefix("/").partition("?")
        address = f"{path}?{query}" if self.query and query else path
        if address in self.kept and not (self.obeys and handler.headers.get("Cache-Control") == "no-cache"):
            data = self.kept[address]
        else:
            data = self.kept[address] = self.server.objects.get(path)
        handler.send(404 if data is None else 200, data or b"")


class Everything(dict[str, list[answers.Answer]]):
    """A script with one answer for every path."""

    def __init__(self, answer: answers.Answer) -> None:
        super().__init__()
        self.answer = answer

    def get(self, _path: str, _default: object = None) -> list[answers.Answer]:  # type: ignore[override]
        return [self.answer]


class Caching(Objects):
    """A fetcher of objects in a dict, before which a cache stands.

    kept   what the cache has instead, None for "not found"
    anew   what was asked for past it
    """

    def __init__(self, objects: Mapping[str, bytes], kept: Mapping[str, bytes | None], parallel: int = 1) -> None:
        super().__init__(objects, parallel)
        self.kept = dict(kept)
        self.anew: list[str] = []

    def fetch(self, path: str, limit: int) -> bytes:
        """Return an object, from the cache if that has it (Fetcher)."""
        if path not in self.kept:
            return super().fetch(path, limit)
        data = self.kept[path]
        if data is None:
            raise NotFound(f"{self.url}/{path}: not found")
        if len(data) > limit:
            raise TooLong(f"{self.url}/{path}: longer than {limit} bytes")
        return data

    def fetch_anew(self, path: str, limit: int, rejected: bytes | None) -> bytes:
        """Return an object past the cache (PastCaches)."""
        if ".p/" not in path:  # what was cut from a full one stands for a partial one
            assert rejected in (None, self.kept.get(path), self.objects.get(path))
        self.anew.append(path)
        return super().fetch(path, limit)
