"""What --verbose says of a call's traffic: every object that is read and written, every HTTP request, and their sums.

The library knows nothing of it: while a verbose call is at work, the methods of stores are replaced, and no other call
pays for it. No method is named here. Every public method of a store is watched, and what it takes tells what it does:
parameters are called as in the Protocols of `tiles.store`, so one that is added or renamed is said as well. One that
takes none of these is said by its name, unless it is in SILENT. What worker processes read is not seen here.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from inspect import getmembers, isfunction, signature
from threading import Lock, local
from typing import Any

from tiles.errors import NotFound
from tiletree.ui import Output

SUMS = ("requests", "read", "read_bytes", "written", "written_bytes", "deleted", "listed")
_LINES = 200  # that are said of objects, and of requests; what comes after them is only counted

Method = Callable[..., Any]


@dataclass(frozen=True)
class Line:
    """What is said of one object.

    event   "read", "written", "deleted", "listed" or "called"
    size    in bytes; None where it is not about bytes
    """

    event: str
    what: str
    size: int | None = None

    @property
    def sums(self) -> dict[str, int]:
        """What is added to the sums."""
        sums = {self.event: 1, f"{self.event}_bytes": self.size or 0}
        return {name: number for name, number in sums.items() if name in SUMS}


# By what a method takes, the first that fits: what to say of it. `wanted` is of a generator, which is watched apart.
WORDS: tuple[tuple[str, Callable[[Mapping[str, Any], Any], list[Line]]], ...] = (
    (
        "objects",
        lambda given, _: [Line("written", f"created {path}", len(data)) for path, data in given["objects"].items()],
    ),
    ("expected", lambda given, _: [Line("written", f"swapped {given['path']}", len(given["data"]))]),
    ("paths", lambda given, _: [Line("deleted", f"deleted {path}") for path in given["paths"]]),
    ("names", lambda given, _: [Line("deleted", f"deleted {name}") for name in given["names"]]),
    ("prefix", lambda given, _: [Line("listed", f"listed {given['prefix'] or 'everything'}")]),
    (
        "path",
        lambda given, result: [Line("read", f"read {given['path']}", len(getattr(result, "data", result) or b""))],
    ),
)
# what moves no object of a log
SILENT = frozenset({"barrier", "forget_drafts", "prepare", "readable_by_others", "served", "stale_temps"})


class Traffic:
    """Counts what a call reads, writes and asks for, and says each. sums: by the names in SUMS."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._lock = Lock()
        self._said: Counter[str] = Counter()
        self.sums = Counter(dict.fromkeys(SUMS, 0))

    def note(self, event: str, text: str, began: float, **sums: int) -> None:
        """Count something, and say it unless very much was said. began: when it did, by the monotonic clock"""
        with self._lock:
            self.sums.update(sums)
            self._said[event] += 1
            number = self._said[event]
        if number <= _LINES:
            self._out.detail(event, f"{text}, {(time.monotonic() - began) * 1000:.1f} ms")
        elif number == _LINES + 1:
            self._out.detail(event, "more such lines are left out; all are counted")

    def say(self) -> None:
        """Say the sums."""
        sums = self.sums
        self._out.detail(
            "traffic",
            f"HTTP requests: {sums['requests']}; objects read: {sums['read']} ({sums['read_bytes']} bytes), "
            f"written: {sums['written']} ({sums['written_bytes']} bytes), deleted: {sums['deleted']}; "
            f"listings: {sums['listed']}",
            **sums,
        )


@contextmanager
def said(out: Output) -> Iterator[None]:
    """Say the traffic of what is done meanwhile."""
    traffic = Traffic(out)
    with ExitStack() as stack:
        for kind in watched_kinds():
            stack.enter_context(watched(traffic, kind))
        with suppress(ImportError):  # without urllib3 nothing is asked of a server
            from urllib3 import HTTPConnectionPool

            stack.enter_context(_replaced(HTTPConnectionPool, "urlopen", _asking(traffic, HTTPConnectionPool.urlopen)))
        try:
            yield
        finally:
            traffic.say()


def watched_kinds() -> Iterator[type]:
    """Yield what reads and writes objects by other means than HTTP requests of ours, of what is installed."""
    from tiles.store.directory import DirectoryStore

    yield DirectoryStore
    with suppress(ImportError):
        from tiles.store.bucket import ObjectStore

        yield ObjectStore
    with suppress(ImportError):
        from tiles.read.fsspec_fetcher import FsspecFetcher

        yield FsspecFetcher


@contextmanager
def watched(traffic: Traffic, kind: type) -> Iterator[None]:
    """Say what every public method of a class does meanwhile, but for those that are silent."""
    busy = local()  # a method that calls another one is said once
    with ExitStack() as stack:
        for name, method in methods_of(kind).items():
            if name not in SILENT:
                watch = _watching_each if "wanted" in signature(method).parameters else _watching
                stack.enter_context(_replaced(kind, name, watch(traffic, method, busy)))
        yield


def methods_of(kind: type) -> dict[str, Method]:
    """Return the public methods of a class, by name."""
    return {name: method for name, method in getmembers(kind, isfunction) if not name.startswith("_")}


def lines_of(method: Method, given: Mapping[str, Any], result: Any) -> list[Line]:
    """Return what to say of a call. given: its arguments by name; result: None if it has failed"""
    return next((lines(given, result) for word, lines in WORDS if word in given), [Line("called", method.__name__)])


@contextmanager
def _replaced(kind: Any, name: str, method: Method) -> Iterator[None]:
    before = getattr(kind, name)
    setattr(kind, name, method)
    try:
        yield
    finally:
        setattr(kind, name, before)


def _ended(error: Exception | None) -> str:
    return "" if error is None else "not there" if isinstance(error, NotFound) else f"failed ({type(error).__name__})"


def _around(call: Callable[[], Any], note: Callable[[Any, str], None]) -> Any:
    """Make a call; what it returned, or None and how it failed, is noted."""
    try:
        result = call()
    except Exception as error:
        note(None, _ended(error))
        raise
    note(result, "")
    return result


def _watching(traffic: Traffic, method: Method, busy: local) -> Method:
    taken = signature(method)

    @wraps(method)
    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        if getattr(busy, "is_busy", False):
            return method(self, *arguments, **named)
        began, bound = time.monotonic(), taken.bind(self, *arguments, **named)
        for name, value in bound.arguments.items():
            if isinstance(value, Iterator):  # what it gives is used twice
                bound.arguments[name] = list(value)

        def note(result: Any, failed: str) -> None:
            for line in lines_of(method, bound.arguments, result):
                size = "" if line.size is None else f"{line.size} bytes"
                how = f": {failed or size}" if failed or size else ""
                traffic.note(line.event, f"{line.what} of {self.url}{how}", began, **({} if failed else line.sums))

        busy.is_busy = True
        try:
            return _around(lambda: method(*bound.args, **bound.kwargs), note)
        finally:
            busy.is_busy = False

    return call


def _watching_each(traffic: Traffic, method: Method, busy: local) -> Method:  # noqa: ARG001
    @wraps(method)
    def read_each(self: Any, wanted: Iterable[tuple[str, int]]) -> Iterator[bytes | None]:
        paths: deque[str] = deque()

        def asked() -> Iterator[tuple[str, int]]:
            for each in wanted:
                paths.append(each[0])
                yield each

        began = time.monotonic()
        for data in method(self, asked()):
            path = paths.popleft()
            if data is not None:  # otherwise `read` is asked for it
                line = Line("read", f"read {path}", len(data))
                traffic.note(line.event, f"{line.what} of {self.url}: {line.size} bytes", began, **line.sums)
            yield data
            began = time.monotonic()

    return read_each


def _asking(traffic: Traffic, method: Method) -> Method:
    from tiles.store.address import shown_address

    @wraps(method)
    def urlopen(self: Any, verb: str, url: str, *arguments: Any, **named: Any) -> Any:
        began = time.monotonic()
        address = url if url.startswith(("http://", "https://")) else f"{_server(self)}{url}"  # whole to a proxy

        def note(answer: Any, failed: str) -> None:
            traffic.note("request", f"{verb} {shown_address(address)}: {failed or answer.status}", began, requests=1)

        return _around(lambda: method(self, verb, url, *arguments, **named), note)

    return urlopen


def _server(pool: Any) -> str:
    host = f"[{pool.host}]" if ":" in pool.host else pool.host
    usual = {"http": 80, "https": 443}.get(pool.scheme)
    return f"{pool.scheme}://{host}" + ("" if pool.port in (None, usual) else f":{pool.port}")
