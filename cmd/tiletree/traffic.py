"""What --verbose says of a call's traffic: every object that is read and written, every HTTP request, and their sums.

The library knows nothing of it: the methods that all traffic goes through are replaced while a verbose call is at work,
and no other call pays for it. What worker processes read is not seen here.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import wraps
from threading import Lock
from typing import Any

from tiles.errors import NotFound
from tiletree.ui import Output

SUMS = ("requests", "read", "read_bytes", "written", "written_bytes", "deleted", "listed")
_LINES = 200  # that are said of objects, and of requests; what comes after them is only counted


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
        for kind, name, watch in _watched():
            method = getattr(kind, name)
            setattr(kind, name, watch(traffic, method))
            stack.callback(setattr, kind, name, method)
        try:
            yield
        finally:
            traffic.say()


Watch = Callable[[Traffic, Callable[..., Any]], Callable[..., Any]]


def _watched() -> Iterator[tuple[Any, str, Watch]]:
    """Yield the methods that traffic goes through, of what is installed, and what stands in for each."""
    from tiles.store.directory import DirectoryStore

    kinds: list[Any] = [DirectoryStore]
    with suppress(ImportError):  # without obstore, or urllib3, there is no such traffic
        from tiles.store.bucket import ObjectStore

        kinds.append(ObjectStore)
    methods: dict[str, Watch] = {
        "read": _reading,
        "read_range": _reading,
        "read_each": _reading_each,
        "create": _writing,
        "create_before_swap": _writing,
        "stage": _writing,
        "swap": _swapping,
        "delete": _deleting,
        "list": _listing,
        "list_unknown": _listing,
        "folders": _listing,
    }
    yield from ((kind, name, watch) for kind in kinds for name, watch in methods.items() if hasattr(kind, name))
    with suppress(ImportError):
        from tiles.read.fsspec_fetcher import FsspecFetcher

        yield FsspecFetcher, "fetch", _reading
    with suppress(ImportError):
        from urllib3 import PoolManager

        yield PoolManager, "urlopen", _asking


def _ended(error: Exception | None) -> str:
    return "" if error is None else "not there" if isinstance(error, NotFound) else f"failed ({type(error).__name__})"


def _around(call: Callable[[], Any], note: Callable[[Any, str], None]) -> Any:
    """Make a call; what it returned, or "" and how it failed, is noted."""
    try:
        result = call()
    except Exception as error:
        note(None, _ended(error))
        raise
    note(result, "")
    return result


def _reading(traffic: Traffic, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def read(self: Any, path: str, *arguments: Any, **named: Any) -> Any:
        began = time.monotonic()

        def note(result: Any, failed: str) -> None:
            size = len(getattr(result, "data", result) or b"")
            text = f"read {path} of {self.url}: {failed or f'{size} bytes'}"
            traffic.note("read", text, began, **({} if failed else {"read": 1, "read_bytes": size}))

        return _around(lambda: method(self, path, *arguments, **named), note)

    return read


def _reading_each(traffic: Traffic, method: Callable[..., Any]) -> Callable[..., Any]:
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
                text = f"read {path} of {self.url}: {len(data)} bytes"
                traffic.note("read", text, began, read=1, read_bytes=len(data))
            yield data
            began = time.monotonic()

    return read_each


def _writing(traffic: Traffic, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def create(self: Any, objects: dict[str, bytes], *arguments: Any) -> Any:
        began = time.monotonic()

        def note(_: Any, failed: str) -> None:
            for path, data in objects.items():
                sums = {} if failed else {"written": 1, "written_bytes": len(data)}
                text = f"created {path} of {self.url}: {failed or f'{len(data)} bytes'}"
                traffic.note("written", text, began, **sums)

        return _around(lambda: method(self, objects, *arguments), note)

    return create


def _swapping(traffic: Traffic, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def swap(self: Any, path: str, data: bytes, expected: Any) -> Any:
        began = time.monotonic()

        def note(_: Any, failed: str) -> None:
            sums = {} if failed else {"written": 1, "written_bytes": len(data)}
            traffic.note("written", f"swapped {path} of {self.url}: {failed or f'{len(data)} bytes'}", began, **sums)

        return _around(lambda: method(self, path, data, expected), note)

    return swap


def _deleting(traffic: Traffic, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def delete(self: Any, paths: Iterable[str]) -> Any:
        began, names = time.monotonic(), list(paths)

        def note(_: Any, failed: str) -> None:
            for path in names:
                text = f"deleted {path} of {self.url}{failed and f': {failed}'}"
                traffic.note("deleted", text, began, deleted=not failed)

        return _around(lambda: method(self, names), note)

    return delete


def _listing(traffic: Traffic, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def list_(self: Any, prefix: str, *arguments: Any) -> Any:
        began = time.monotonic()

        def note(_: Any, failed: str) -> None:
            text = f"listed {prefix or 'everything'} of {self.url}{failed and f': {failed}'}"
            traffic.note("listed", text, began, listed=not failed)

        return _around(lambda: method(self, prefix, *arguments), note)

    return list_


def _asking(traffic: Traffic, method: Callable[..., Any]) -> Callable[..., Any]:
    from tiles.store.address import shown_address

    @wraps(method)
    def urlopen(self: Any, verb: str, url: str, *arguments: Any, **named: Any) -> Any:
        began = time.monotonic()

        def note(answer: Any, failed: str) -> None:
            traffic.note("request", f"{verb} {shown_address(url)}: {failed or answer.status}", began, requests=1)

        return _around(lambda: method(self, verb, url, *arguments, **named), note)

    return urlopen
