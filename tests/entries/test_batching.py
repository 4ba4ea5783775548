"""Batches: no entry is lost or moved, and each batch is as large as one commit takes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pytest

import tiles.entries.batching
from tiles.entries.batching import BATCH_SIZE, MAX_BATCH_BYTES, Batches
from tiles.errors import UsageError

ENTRIES = [b"%d" % number for number in range(1500)]


def chunked(size: int) -> Iterator[list[bytes]]:
    """Yield the entries, so many at a time."""
    yield from (ENTRIES[start : start + size] for start in range(0, len(ENTRIES), size))


def taken(batches: Batches, log_size: int | None) -> list[list[bytes]]:
    """Take all batches, and append each to a log of that size."""
    found = []
    while batch := batches.take(log_size):
        found.append(batch)
        log_size = None if log_size is None else log_size + len(batch)
    assert batches.take(log_size) == []
    return found


@pytest.mark.parametrize("chunk", [1, 7, 256, 5000])
@pytest.mark.parametrize(
    ("size", "log_size", "lengths"),
    [
        (1000, None, [1000, 500]),
        (1500, None, [1500]),
        (BATCH_SIZE, None, [1500]),
        (1000, 0, [768, 732]),
        (1000, 100, [924, 576]),
        (512, 300, [468, 512, 512, 8]),
        (257, 255, [257, 256, 256, 256, 256, 219]),
        (256, 100, [256, 256, 256, 256, 256, 220]),
    ],
)
def test_sizes(chunk: int, size: int, log_size: int | None, lengths: list[int]) -> None:
    """Batches of more than a tile end where the log's size is a multiple of 256; order and content are the source's."""
    found = taken(Batches(chunked(chunk), size), log_size)
    assert [len(batch) for batch in found] == lengths
    assert list(chain.from_iterable(found)) == ENTRIES


def test_a_batch_has_an_entry() -> None:
    """The smallest size is 1, and a source without entries has no batch."""
    assert Batches(iter([[b"a", b"b"]]), 1).take() == [b"a"]
    with pytest.raises(UsageError, match="at least one entry, not 0"):
        Batches(iter([]), 0)
    for source in ([], [[]], [[], []]):
        assert Batches(iter(source)).take() == []


def test_bytes_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is read once a batch holds its bytes."""
    assert (BATCH_SIZE, MAX_BATCH_BYTES) == (65_536, 64 * 1024 * 1024)
    monkeypatch.setattr(tiles.entries.batching, "MAX_BATCH_BYTES", 10)
    batches = Batches(iter([[b"123456"], [b"1234"], [b"more"]]))
    assert taken(batches, None) == [[b"123456", b"1234"], [b"more"]]


def test_an_error_comes_after_what_was_before_it() -> None:
    """What was read before a wrong entry is a batch; after it the error comes, as often as it is asked for."""

    def source() -> Iterator[list[bytes]]:
        yield [b"a", b"b", b"c"]
        raise UsageError("too long")

    batches = Batches(source(), 2)
    assert [batches.take(), batches.take()] == [[b"a", b"b"], [b"c"]]
    for _ in range(2):
        with pytest.raises(UsageError, match="too long"):
            batches.take()
