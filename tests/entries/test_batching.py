"""Entries in batches: all of them, in order, no batch larger than asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tiles.entries import batching
from tiles.entries.batching import Batches
from tiles.errors import UsageError


def taken(batches: Batches, log_size: int | None = None) -> list[list[bytes]]:
    """Return all batches, for a log that begins with that size and grows by them."""
    found = []
    while batch := batches.take(log_size):
        found.append(batch)
        log_size = None if log_size is None else log_size + len(batch)
    return found


@pytest.mark.parametrize("chunks", [[10], [3, 3, 4], [1] * 10, [0, 10, 0]])
@pytest.mark.parametrize(("size", "counts"), [(4, [4, 4, 2]), (10, [10]), (100, [10]), (1, [1] * 10)])
def test_sizes(chunks: list[int], size: int, counts: list[int]) -> None:
    """However the entries come."""
    entries = iter([b"%d" % number for number in range(10)])
    batches = taken(Batches(iter([[next(entries) for _ in range(count)] for count in chunks]), size))
    assert [len(batch) for batch in batches] == counts
    assert [entry for batch in batches for entry in batch] == [b"%d" % number for number in range(10)]


def test_batches_end_where_a_tile_does() -> None:
    """Where the log's size is known, a batch fills its last tile, and the next ones begin with one."""
    batches = Batches(iter([[b""] * 2000]), 600)
    assert [len(batch) for batch in taken(batches, 100)] == [412, 512, 512, 512, 52]


def test_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of long entries ends before it has as many as asked."""
    monkeypatch.setattr(batching, "MAX_BATCH_BYTES", 10)
    assert [len(batch) for batch in taken(Batches(iter([[b"12345"]] * 5), 100))] == [2, 2, 1]


def test_a_failure_comes_after_what_came_before_it() -> None:
    """What was read before the source failed is not lost."""

    def source() -> Iterator[list[bytes]]:
        yield [b"1", b"2", b"3"]
        raise UsageError("too long")

    batches = Batches(source(), 2)
    assert [batches.take(), batches.take()] == [[b"1", b"2"], [b"3"]]
    with pytest.raises(UsageError, match="too long"):
        batches.take()
    with pytest.raises(UsageError, match="at least one"):
        Batches(iter([]), 0)
