"""What the Content-Encoding of an object says, read in one way by every reader, by list. Pure.

nothing   identity   aws-chunked   nothing is to be undone; `aws-chunked` is about an upload, and some stores keep it
gzip      x-gzip                   gzip is undone, as often as it is named, wherever it stands in the list
any other                          the object is refused, and the encoding named
"""

from __future__ import annotations

from tiles.errors import AccessError, Malformed
from tiles.store.bounded_gzip import Gunzip, on_wire

ACCEPTED = "gzip, identity"  # what a reader asks for; tlog-tiles: "Clients SHOULD include gzip and identity"

_NOTHING = frozenset({"", "identity", "aws-chunked"})
_GZIP = frozenset({"gzip", "x-gzip"})
_MOST = 4  # times that one object is encoded


def times_encoded(header: str, where: str) -> int:
    """Return how many times an object is gzip-encoded, by the value of its Content-Encoding; "" if it has none.

    where   its address, without credentials
    Raises AccessError, which names it, for an encoding that is not read here.
    """
    names = [name.strip(" \t").lower() for name in header.split(",")]
    for name in names:
        if name not in _NOTHING and name not in _GZIP:
            raise AccessError(f"{where}: sent in the encoding {name[:40]!r}, which is not read here")
    times = sum(name in _GZIP for name in names)
    if times > _MOST:
        raise AccessError(f"{where}: encoded {times} times, and {_MOST} are read at most")
    return times


def is_plain(header: str) -> bool:
    """Whether nothing is to be undone, by the value of a Content-Encoding: so that part of the object is of use."""
    return all(name.strip(" \t").lower() in _NOTHING for name in header.split(","))


def on_wire_after(times: int, limit: int) -> int:
    """Return how long `limit` bytes may be after they were gzip-encoded so many times."""
    for _ in range(times):
        limit = on_wire(limit)
    return limit


def decode_all(data: bytes, times: int, limit: int) -> bytes:
    """Return what data decodes to that was gzip-encoded so many times; where that is too long, more than `limit` bytes.

    Raises Malformed if it is not, or if it was cut short.
    """
    for left in reversed(range(times)):
        data = _decode(data, on_wire_after(left, limit))
    return data


def decode_what_is(data: bytes, times: int, limit: int) -> bytes:
    """Do as `decode_all` does, as far as it can be done: some stores decode an object by themselves and still name it.

    Whoever reads the object finds out whether it is right.
    """
    for left in reversed(range(times)):
        try:
            data = _decode(data, on_wire_after(left, limit))
        except Malformed:
            break
    return data


def _decode(data: bytes, limit: int) -> bytes:
    gunzip = Gunzip()
    decoded = gunzip.decode(data, limit)
    if len(decoded) <= limit and not gunzip.is_complete:
        raise Malformed("gzip", f"cut short, {len(data)} bytes in all")
    return decoded
