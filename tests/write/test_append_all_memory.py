"""What is held of batches that follow one another: a few times the bytes of one, however many there are."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.world import ORIGIN
from tiles.entries.batching import Batches
from tiles.entries.lines import read_lines
from tiles.notes.keys import signing_key
from tiles.signing.signer import Signer
from tiles.store.directory import DirectoryStore
from tiles.tree.bundle import encode_entries
from tiles.write.sequencer import Sequencer

BATCH = 1024
LINE = 4096
# One batch is published from its bundles; of the next one there are its entries and its bundles, or these and the
# staged object. All else is small beside lines of this length. One more copy of a batch would be too much.
MOST = 3.8 * BATCH * LINE


class Lines(io.RawIOBase):
    """So many lines, which are made as they are read."""

    def __init__(self, count: int) -> None:
        self._left = iter(range(count))

    def read(self, size: int = -1) -> bytes:
        numbers = [number for _, number in zip(range(size // (LINE + 1)), self._left, strict=False)]
        return b"".join(b"%0*d\n" % (LINE, number) for number in numbers)


@pytest.fixture
def peak(tmp_path: Path) -> Iterator[Callable[[int], int]]:
    """Return what adds batches to a new log, and says how many bytes that held at most."""

    def measured(batches: int) -> int:
        root = tmp_path / str(batches)
        public, private, anchor = (DirectoryStore(root / name) for name in ("log", "private", "anchor"))
        sequencer = Sequencer(public, private, Signer(signing_key(ORIGIN, bytes(32)), anchor))
        sequencer.create()
        given = Batches(read_lines(Lines(batches * BATCH), "lines"), BATCH)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for done in sequencer.append_all(given.take):
            assert done.count == BATCH
            sequencer.grown()  # what was published is left to the index of the log, which is not there
        return tracemalloc.get_traced_memory()[1] - before

    encode_entries([])  # makes a table that stays
    tracemalloc.start()
    yield measured
    tracemalloc.stop()


@pytest.mark.parametrize("batches", [2, 6])
def test_memory(batches: int, peak: Callable[[int], int]) -> None:
    """It is bounded by the size of a batch, and not by how many there are."""
    assert peak(batches) < MOST
