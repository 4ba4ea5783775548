"""Runs: sorted records → the objects of a run, and its root; docs/index-format.md, "Runs". Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from struct import Struct

from tiles.index.record import RECORD_SIZE, index_in
from tiles.notes.index_head import Run
from tiles.records.paths import run_file_path, run_tile_path
from tiles.tree.edge import Edge
from tiles.tree.layout import TILE_WIDTH, Tile
from tiles.tree.merkle import HASH_SIZE, flat_leaves, split_hashes
from tiles.tree.tile import full_roots

PAGE_RECORDS = 256
FILE_PAGES = TILE_WIDTH  # so a file has the pages of one tile of level 0
FILE_RECORDS = FILE_PAGES * PAGE_RECORDS
FILE_SIZE = FILE_RECORDS * RECORD_SIZE  # bytes, at most

PAGE_SIZE = PAGE_RECORDS * RECORD_SIZE  # bytes, at most


_RECORD = Struct(f"{RECORD_SIZE}s")


def pages_of(records: bytes) -> list[bytes]:
    """Return the pages of records that were joined; only the last may be shorter than 256 records."""
    return [records[at : at + PAGE_SIZE] for at in range(0, len(records), PAGE_SIZE)]


def records_in(data: bytes) -> list[bytes]:
    """Return the records of a page or a file."""
    whole = len(data) - len(data) % RECORD_SIZE
    # this takes less than half the time of slices; what is cut short is no record, and whoever looks at it sees that
    return [record for (record,) in _RECORD.iter_unpack(data[:whole])] + [data[whole:]] * (whole < len(data))


def problem_of(run: Run, records: Sequence[bytes]) -> str:
    """Return what is wrong with records that stand together in a run, "" if nothing is."""
    if any(one >= other for one, other in pairwise(records)):
        return "its records are not in order"
    covers = run.covers
    if any(index_in(record) not in covers for record in records):
        return "a record names an entry that the run does not cover"
    return ""


def page_count(records: int) -> int:
    """Return how many pages so many records have."""
    return -(-records // PAGE_RECORDS)


class RunWriter:
    """Makes one run out of its records, which come in order; holds those of one file at most, and a path of hashes.

    kind, level, number   which run
    """

    def __init__(self, kind: str, level: int, number: int) -> None:
        self._run = kind, level, number
        self._waiting = b""
        self._records = 0
        self._levels: list[bytes] = []  # by level of the tree of pages, the hashes of its last tile, flat
        self._tiles: list[int] = []  # by level, how many tiles are full

    def add(self, records: bytes) -> Iterator[tuple[str, bytes]]:
        """Take the next records, and yield the objects that are complete, with their paths."""
        every = self._waiting + records
        whole = len(every) - len(every) % FILE_SIZE
        for at in range(0, whole, FILE_SIZE):
            yield from self._file(every[at : at + FILE_SIZE])
        self._waiting = every[whole:]

    def finish(self) -> Iterator[tuple[str, bytes]]:
        """Yield the last objects. Afterwards `run` is known."""
        if self._waiting:
            yield from self._file(self._waiting)
            self._waiting = b""
        for level, hashes in enumerate(self._levels):
            if hashes:
                tile = Tile(level, self._tiles[level], len(hashes) // HASH_SIZE)
                yield run_tile_path(*self._run, tile), hashes

    @property
    def run(self) -> Run:
        """The run, once all records were taken and `finish` has yielded all."""
        edge = Edge(page_count(self._records), tuple(tuple(split_hashes(hashes)) for hashes in self._levels))
        return Run(*self._run[1:], self._records, edge.tree.root)

    def _file(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        yield run_file_path(*self._run, self._records // FILE_RECORDS), data
        self._records += len(data) // RECORD_SIZE
        yield from self._grow(0, flat_leaves(pages_of(data)))

    def _grow(self, level: int, hashes: bytes) -> Iterator[tuple[str, bytes]]:
        """Append flat hashes to a level of the tree of pages: no more than its last tile has room for."""
        if level == len(self._levels):
            self._levels.append(b"")
            self._tiles.append(0)
        last = self._levels[level] = self._levels[level] + hashes
        if len(last) == TILE_WIDTH * HASH_SIZE:
            yield run_tile_path(*self._run, Tile(level, self._tiles[level])), last
            self._tiles[level] += 1
            self._levels[level] = b""
            yield from self._grow(level + 1, full_roots(last))


def build_run(kind: str, level: int, number: int, records: Sequence[bytes]) -> tuple[Run, dict[str, bytes]]:
    """Return a run, and its objects by path.

    records   all of the entries that the run covers, sorted, each once
    """
    writer = RunWriter(kind, level, number)
    objects = dict([*writer.add(b"".join(records)), *writer.finish()])
    return writer.run, objects
