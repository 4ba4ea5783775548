"""Looking for a key in one run by reading few of its pages; docs/index-format.md, "Objects".

Records are nearly evenly spread, so the first guess follows from the key, and a window of a few pages around it nearly
always has it. The next guesses lie between what was read; after three of them the rest is halved each time, because
somebody may have ground keys that begin alike.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isqrt

from tiles.errors import TileError, UsageError
from tiles.index.record import PREFIX_SIZE, RECORD_SIZE, index_in
from tiles.index.run import PAGE_RECORDS, pages_of
from tiles.index.run_reader import RunReader
from tiles.notes.index_head import MAX_COVERED
from tiles.tree.merkle import Hash

_GUESSES = 3  # before the rest is halved
_MOST_READS = 80  # of one key in one run: halving takes 45 at most, unless what is read changes meanwhile
_MOST_PAGES = 64  # read at a time of the records of one key
_VALUES = 1 << 8 * RECORD_SIZE


class Place:
    """Where in a run the first record stands that is not less than a target: what to read next. Pure.

    records   of the run, 1 ≤ records
    target    bytes as a record begins
    """

    def __init__(self, records: int, target: bytes) -> None:
        self._target = target
        self._value = min(_value(target), _VALUES - 1)
        self._records = records
        self._low = -1, 0  # position and value of a record that is less, or where there is none
        self._high = records, _VALUES  # of one that is not
        self._reads = 0

    def window(self) -> range:
        """Return the pages to be read next. The place is among them, or they say more of where it is."""
        (start, low), (stop, high) = self._low, self._high
        between = stop - start
        self._reads += 1
        if self._reads <= _GUESSES and low < high:
            part = min(max(self._value - low, 0), high - low)
            at = start + between * part // (high - low)
            # five halves of the standard deviation of a place: 1 in 80 guesses misses
            spread = 1 + 5 * isqrt(between * part * (high - low - part)) // (2 * (high - low))
        else:
            at, spread = start + between // 2, PAGE_RECORDS // 2
        first, last = max(at - spread, start, 0), min(at + spread, stop, self._records - 1)
        return range(first // PAGE_RECORDS, last // PAGE_RECORDS + 1)

    def saw(self, first: int, records: Sequence[bytes]) -> int | None:
        """Take records that were read, `first` being the position of the first one, and return the place once known.

        It is `len(records)` from `first` only if these are the last records of the run.
        """
        at = bisect_left(records, self._target)
        stop = first + len(records)
        if at == 0 and first > 0:
            self._high = first, _value(records[0])
        elif at == len(records) and stop < self._records:
            self._low = stop - 1, _value(records[-1])
        else:
            return first + at
        return None

    @property
    def is_lost(self) -> bool:
        """Whether so much was read that what was read cannot be one sorted run."""
        return self._reads >= _MOST_READS


@dataclass(frozen=True, slots=True)
class Shown:
    """Neighbouring pages that show which records of a run have a prefix, and that they belong to the run.

    first    the number of the first page
    pages    each with the proof that it is in the run
    """

    first: int
    pages: tuple[tuple[bytes, tuple[Hash, ...]], ...]


def newest(reader: RunReader, prefix: bytes, before: int = MAX_COVERED, *, proven: bool) -> Iterator[list[int]]:
    """Yield the entries below `before` that a run names for a prefix, newest first, some at a time, perhaps none.

    proven   nothing is missing between `before` and what was yielded, as far as the run's root says
    Whoever stops taking them needs no more of the run. Raises what `RunReader.near` raises.
    """
    for _, records in _backwards(reader, prefix, before, proven=proven):
        yield [index_in(record) for record in reversed(records) if record[:PREFIX_SIZE] == prefix]


def show(reader: RunReader, prefix: bytes, limit: int) -> Shown:
    """Return the pages that show all records with a prefix, and that there are no others.

    Raises UsageError for more than `limit` pages; what `RunReader.near` raises.
    """
    parts: list[tuple[int, list[bytes]]] = []
    count = 0
    for first, records in _backwards(reader, prefix, MAX_COVERED, proven=True):
        parts.append((first, records))
        count += len(records)
        if count > limit * PAGE_RECORDS:
            raise UsageError(f"more than {limit} pages of {reader.path} have the key: too many for a proof")
    first, end = parts[-1][0], parts[0][0] + len(parts[0][1])
    every = [record for _, records in reversed(parts) for record in records]
    start = first + bisect_left(every, prefix)
    low, high = max(start - 1, 0) // PAGE_RECORDS, min(end, reader.run.records - 1) // PAGE_RECORDS
    stop = min((high + 1) * PAGE_RECORDS, reader.run.records)
    at, found = reader.near(low, high + 1, proven=True)
    found = found[low * PAGE_RECORDS - at * PAGE_RECORDS : stop - at * PAGE_RECORDS]
    pages = pages_of(b"".join(found))
    return Shown(low, tuple((page, reader.prove(number)) for number, page in enumerate(pages, low)))


def _backwards(reader: RunReader, prefix: bytes, before: int, *, proven: bool) -> Iterator[tuple[int, list[bytes]]]:
    """Yield position and records of neighbouring parts of a run, backwards, until all with the prefix were yielded.

    The first part ends with the last record that is less than prefix and `before`.
    """
    run = reader.run
    if not run.records:
        return
    size = RECORD_SIZE - PREFIX_SIZE
    after_all = b"\xff" * (size + 1)
    place = Place(run.records, prefix + (before.to_bytes(size, "big") if before < MAX_COVERED else after_all))
    end = None
    while end is None:
        if place.is_lost:
            raise TileError(reader.path, "its records are not in order")
        pages = place.window()
        page, records = reader.near(pages.start, pages.stop, proven=proven)
        end = place.saw(page * PAGE_RECORDS, records)
    yield page * PAGE_RECORDS, records[: end - page * PAGE_RECORDS]
    count = 4
    while page > 0 and records[0][:PREFIX_SIZE] >= prefix:
        stop, later = page, records[0]
        page, records = reader.near(max(0, stop - count), stop, proven=proven)
        records = records[: (stop - page) * PAGE_RECORDS]
        if records[-1] >= later:
            raise TileError(reader.path, "its records are not in order")
        yield page * PAGE_RECORDS, records
        count = min(2 * count, _MOST_PAGES)


def _value(record: bytes) -> int:
    return int.from_bytes(record[:RECORD_SIZE].ljust(RECORD_SIZE, b"\0"), "big")
