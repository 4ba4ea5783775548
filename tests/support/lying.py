"""A log that lies: behind a fetcher, and behind an HTTP server, with the same lies, chosen by a seed.

It has the true log, an older copy of it, and another history that its key has signed as well. What it tells when an
object is asked for is decided each time, so it may tell another thing each time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from socket import SocketIO
from threading import Lock
from unittest.mock import patch
from weakref import WeakKeyDictionary

from tests.support import fault_server
from tests.support.fault_server import Answer, Handler, Server
from tests.support.readers import make_log
from tiles.errors import AccessError, NotFound
from tiles.read.trouble import too_long
from tiles.tree.layout import BUNDLES, CHECKPOINT, TILES

PAGE = b"<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>Please log in.</body></html>\n"


PIECE = 1 << 16  # bytes of an object without end that are sent at a time


class Told(Enum):
    """What a log tells instead of bytes."""

    HANG = "nothing, for ever"
    ENDLESS = "bytes without end"


@dataclass(frozen=True)
class Views:
    """What there is to tell: the objects of each history, by path."""

    true: Mapping[str, bytes]
    old: Mapping[str, bytes]
    fork: Mapping[str, bytes]


# of which a reader has seen the middle one; the fork parts from it before
SEEN, SIZE = 700, 1000
VIEWS = Views(make_log(300, SEEN, SIZE), make_log(300), make_log(300, 1100, tag="fork", same_up_to=650))
SMALLER_FORK = Views(VIEWS.true, VIEWS.old, make_log(300, 690, tag="fork", same_up_to=650))
SAME_SIZE_FORK = Views(VIEWS.true, VIEWS.old, make_log(300, SEEN, tag="fork", same_up_to=650))

Lie = Callable[[Views, str, random.Random], "bytes | Told | None"]


def _true(views: Views, path: str) -> bytes:
    return views.true.get(path, b"")


def _swapped(views: Views, path: str, rng: random.Random) -> bytes:
    """Return another object of the same kind: of the same log, or of the other history."""
    kind = BUNDLES if path.startswith(BUNDLES) else TILES if path.startswith(TILES) else ""
    own = _true(views, path)
    others = [
        data
        for view in (views.true, views.fork)
        for other, data in sorted(view.items())
        if other.startswith(kind or TILES) and (kind == BUNDLES) == other.startswith(BUNDLES) and data != own
    ]
    return rng.choice(others)


def _flipped(views: Views, path: str, rng: random.Random) -> bytes:
    changed = bytearray(_true(views, path) or b"-")
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _truncated(views: Views, path: str, rng: random.Random) -> bytes:
    data = _true(views, path)
    return data[: rng.randrange(1, len(data))] if len(data) > 1 else b""


# each told of one object; "fork" and "rewind" are believable only if told of all
LIES: dict[str, Lie] = {
    "fork": lambda views, path, _rng: views.fork.get(path),
    "rewind": lambda views, path, _rng: views.old.get(path),
    "stale": lambda views, path, _rng: views.old[CHECKPOINT] if path == CHECKPOINT else views.true.get(path),
    "truncate": _truncated,
    "swap": _swapped,
    "flip": _flipped,
    "page": lambda _views, _path, _rng: PAGE,
    "empty": lambda _views, _path, _rng: b"",
    "garbage": lambda _views, _path, rng: rng.randbytes(rng.randrange(1, 9000)),
    "missing": lambda _views, _path, _rng: None,
    "hang": lambda _views, _path, _rng: Told.HANG,
    "endless": lambda _views, _path, _rng: Told.ENDLESS,
}


class Liar:
    """What is told of each object, one request after the other.

    lies    which; of several, one is chosen each time
    about   which objects: those whose path begins with one of these
    often   how many of the requests, from 0 to 1
    told    how often each lie was told
    """

    def __init__(
        self, lies: Sequence[str], about: Sequence[str] = ("",), often: float = 1.0, seed: int = 0, views: Views = VIEWS
    ) -> None:
        self.told: dict[str, int] = dict.fromkeys(lies, 0)
        self._views = views
        self._about = tuple(about)
        self._often = often
        self._rng = random.Random(seed)
        self._lock = Lock()

    def tell(self, path: str) -> bytes | Told | None:
        """Return what is told of an object: bytes, that there is none (None), or something worse."""
        with self._lock:
            if not path.startswith(self._about) or self._rng.random() >= self._often:
                return self._views.true.get(path)
            lie = self._rng.choice(list(self.told))
            self.told[lie] += 1
            return LIES[lie](self._views, path, self._rng)


class LyingFetcher:
    """A fetcher that is told lies; what a fetcher makes of silence and of too much, HTTP has shown elsewhere."""

    url = "test://liar"
    parallel = 4

    def __init__(self, liar: Liar) -> None:
        self.asked = 0
        self._liar = liar

    def fetch(self, path: str, limit: int) -> bytes:
        """Return what is told."""
        self.asked += 1
        told = self._liar.tell(path)
        if told is None:
            raise NotFound(f"{self.url}/{path}: not found")
        if told is Told.HANG:
            raise AccessError(f"{self.url}/{path}: no answer in time")
        if told is Told.ENDLESS or len(told) > limit:
            raise too_long(b"", f"{self.url}/{path}", limit)
        return told

    def fetch_anew(self, path: str, limit: int, rejected: bytes | None) -> bytes:  # noqa: ARG002
        """Return what is told past every cache: perhaps another thing."""
        return self.fetch(path, limit)


class _Script(dict[str, list[Answer]]):
    """The script of a server that asks a liar, for each request, what to answer."""

    def __init__(self, liar: Liar) -> None:
        super().__init__()
        self.endless: dict[int, str] = {}  # which object, by the port of whoever asked for it
        self.sent: dict[str, int] = {}
        self._liar = liar

    def get(self, path: str, default: object = None) -> list[Answer]:  # type: ignore[override]  # noqa: ARG002
        """Return the one answer to this request."""
        told = self._liar.tell(path.removeprefix("/"))
        if told is None:
            return [fault_server.status(404)]
        if told is Told.HANG:
            return [fault_server.silence]
        return [self._endless if told is Told.ENDLESS else fault_server.body(told)]

    def _endless(self, handler: Handler) -> None:
        """Announce 10 GB, and send as much as is taken."""
        handler.close_connection = True
        path = handler.path.partition("?")[0].removeprefix("/")
        self.endless[handler.client_address[1]] = path
        handler.send(200, Content_Length=str(10 << 30))
        sent, chunk = 0, bytes(PIECE)
        with suppress(OSError):
            while sent < 10 << 30 and not handler.server.over.is_set():
                handler.wfile.write(chunk)
                sent += len(chunk)
        self.sent[path] = max(sent, self.sent.get(path, 0))


@dataclass(frozen=True)
class Endless:
    """How many bytes of an object without end there were in one answer at most, by path.

    sent   the server could send: the kernel takes what nobody has read yet
    read   a reader took out of its socket
    """

    sent: Mapping[str, int]
    read: Mapping[str, int]


@contextmanager
def lying_server(liar: Liar) -> Iterator[tuple[Server, Endless]]:
    """Serve lies; give the server, and what became of objects without end."""
    script, read = _Script(liar), dict[str, int]()
    taken: WeakKeyDictionary[SocketIO, int] = WeakKeyDictionary()  # of each answer: http.client makes one for each
    whole = SocketIO.readinto

    def counted(self: SocketIO, buffer: bytearray) -> int | None:
        count = whole(self, buffer)
        with suppress(OSError, AttributeError):  # it was closed meanwhile
            path = script.endless.get(self._sock.getsockname()[1])  # type: ignore[attr-defined]
            if path is not None:
                taken[self] = taken.get(self, 0) + (count or 0)
                read[path] = max(taken[self], read.get(path, 0))
        return count

    with fault_server.serving({}) as server, patch.object(SocketIO, "readinto", counted):
        server.script = script
        yield server, Endless(script.sent, read)
