"""What the object server lets go wrong, whom it lets do what, and what it takes down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from tests.support.object_server_http import Request


class Fault(Enum):
    """What goes wrong with one request. Where it cannot (`possible`), nothing does."""

    CONFLICT = "409, not done"
    BUSY = "503, not done"
    DROPPED = "connection closed, not done"
    DONE_DROPPED = "done, connection closed"
    DONE_BROKEN = "done, 500"
    LATE = "connection closed, done after the next request"
    SLOW = "done, after a while"
    TRUNCATED = "half of the body, connection closed"
    OUT_OF_STEP = "the list lacks what was written last, and shows what was deleted last"


_ANY = (Fault.BUSY, Fault.DROPPED, Fault.SLOW)
_CHANGING = (Fault.DONE_DROPPED, Fault.DONE_BROKEN, Fault.LATE)
_POSSIBLE = {
    "PUT": (Fault.CONFLICT, *_ANY, *_CHANGING),
    "DELETE": (*_ANY, *_CHANGING),
    "POST": (*_ANY, *_CHANGING),
    "GET": (*_ANY, Fault.TRUNCATED),
    "LIST": (*_ANY, Fault.TRUNCATED, Fault.OUT_OF_STEP),
    "HEAD": _ANY,
}


def possible(kind: str) -> tuple[Fault, ...]:
    """Return what can go wrong with a request of a kind."""
    return _POSSIBLE.get(kind, ())


@dataclass(frozen=True)
class Recorded:
    """A request that was answered.

    kind      PUT, GET, HEAD, DELETE; LIST; POST for many deletions
    key       a list's prefix; "" for many deletions
    status    0 if the connection was closed instead
    fault     what went wrong
    """

    kind: str
    bucket: str
    key: str
    status: int
    fault: Fault | None


Rule = Callable[[Request], bool]
Gap = Callable[[Request], float]  # seconds between the look whether a write's condition holds, and the write
Hook = Callable[[int, str, str], Fault | None]  # of a request's number (from 0), kind, and bucket/key


def anything(_request: Request) -> bool:
    """Allow everything (a rule)."""
    return True


def reading(*buckets: str) -> Rule:
    """Allow to get single objects of these buckets, not to list them."""
    return lambda request: request.kind in ("GET", "HEAD") and request.bucket in buckets


def creating(bucket: str, prefix: str) -> Rule:
    """Allow to create objects below a prefix, and nothing else."""
    return lambda request: (
        request.kind == "PUT"
        and request.bucket == bucket
        and request.key.startswith(prefix)
        and request.headers.get("if-none-match", request.headers.get("x-goog-if-generation-match")) in ("*", "0")
    )


def no_gap(_request: Request) -> float:
    """Look and write in one step (a gap)."""
    return 0.0


def looking_first(seconds: float, *, bucket: str = "", header: str = "") -> Gap:
    """Answer others between a look and the write: of this bucket, with this header, or of all (a gap)."""
    return lambda request: (
        seconds if bucket in ("", request.bucket) and (not header or header in request.headers) else 0.0
    )
