"""Records in order: sorted, and merged with others that are. Pure.

Records are joined: one after the other, 16 bytes each. The native part sorts them where it is there. Python sorts small
parts several times as fast as one large one, whose objects do not fit into a processor's caches; so records are told
apart by their first byte, and then by the second.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from struct import Struct

from tiles.index.record import RECORD_SIZE, index_in
from tiles.native import compiled

PIECE = 65_536 * RECORD_SIZE  # bytes that are yielded at a time, about, and read at a time to be told apart

_FEW = 4096 * RECORD_SIZE  # bytes that are sorted at once
_RECORD = Struct(f"{RECORD_SIZE}s")

Records = Iterator[bytes]  # in order, some joined at a time


def in_order(parts: Sequence[bytes]) -> Records:
    """Yield the records of several parts, in which they have any order, sorted."""
    size = sum(map(len, parts))
    if compiled is not None:
        width = max(256 * PIECE // max(size, PIECE), 1)  # first bytes at a time: all of a few, for less memory
        for low in range(0, 256, width):
            yield compiled.sorted_records(list(parts), low, min(low + width, 256) - 1)
    elif size <= _FEW:
        yield _sorted(parts)
    else:
        alike = [bytearray() for _ in range(256)]
        for some in _gathered(parts):
            for byte, records in enumerate(_by_byte(some, 0)):
                alike[byte] += b"".join(records)
        for first in alike:
            second = _by_byte(bytes(first), 1)
            for records in second:
                records.sort()
            yield b"".join(chain.from_iterable(second))


def merged(sources: Sequence[Records]) -> Records:
    """Yield the records of several sources in order; each gives its own in order."""
    waiting = [_next(source) for source in sources]
    while any(waiting):
        if sum(map(bool, waiting)) == 1:  # nothing is left to be merged
            at = waiting.index(next(filter(None, waiting)))
            yield waiting[at]
            yield from sources[at]
            return
        bound = min(records[-RECORD_SIZE:] for records in waiting if records)
        cuts = [_after(records, bound) for records in waiting]
        some = [records[:cut] for records, cut in zip(waiting, cuts, strict=True) if cut]
        yield _sorted(some) if compiled is None else compiled.sorted_records(some, 0, 255)
        rests = [records[cut:] for records, cut in zip(waiting, cuts, strict=True)]
        waiting = [rest or _next(source) for rest, source in zip(rests, sources, strict=True)]


def few_at_a_time(parts: Iterable[bytes]) -> Records:
    """Yield records that are in order, few at a time, so that merging them takes little memory.

    What is merged at once becomes objects in Python, 72 bytes for each record of each source.
    """
    return chain.from_iterable(_cut(part, _FEW) for part in parts)


def between(records: bytes, start: int, stop: int) -> bytes:
    """Return those of the entries [start, stop) among records that are in the order of their entries."""
    places = range(0, len(records), RECORD_SIZE)
    low, high = (
        bisect_left(places, index, key=lambda at: index_in(records[at : at + RECORD_SIZE])) for index in (start, stop)
    )
    return records[low * RECORD_SIZE : high * RECORD_SIZE]


def _after(records: bytes, bound: bytes) -> int:
    """Return where in sorted records those begin that are greater than a bound."""
    places = range(0, len(records), RECORD_SIZE)
    return RECORD_SIZE * bisect_right(places, bound, key=lambda at: records[at : at + RECORD_SIZE])


def _sorted(parts: Sequence[bytes]) -> bytes:
    """Return the records of several parts, sorted at once: fast for few, and for parts that are sorted themselves."""
    return b"".join(sorted(record for part in parts for (record,) in _RECORD.iter_unpack(part)))


def _by_byte(records: bytes, at: int) -> list[list[bytes]]:
    """Return records, told apart by one of their bytes, each still in its order."""
    alike: list[list[bytes]] = [[] for _ in range(256)]
    add = [each.append for each in alike]
    for byte, (record,) in zip(records[at::RECORD_SIZE], _RECORD.iter_unpack(records), strict=True):
        add[byte](record)
    return alike


def _gathered(parts: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the same records in parts of about PIECE bytes: neither many small ones, nor large ones."""
    waiting: list[bytes] = []
    held = 0
    for part in chain.from_iterable(_cut(part, PIECE) for part in parts):
        waiting.append(part)
        held += len(part)
        if held >= PIECE:
            yield b"".join(waiting)
            waiting, held = [], 0
    yield b"".join(waiting)


def _cut(records: bytes, size: int) -> Records:
    return (records[at : at + size] for at in range(0, len(records), size))


def _next(source: Records) -> bytes:
    """Return the next records; b"" at the end."""
    return next(filter(None, source), b"")
