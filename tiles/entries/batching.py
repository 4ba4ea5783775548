"""Cutting input into batches: lines or entries from a stream → lists of entries, never all of them in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from tiles.errors import UsageError
from tiles.tree.bundle import MAX_ENTRY_SIZE
from tiles.tree.layout import TILE_WIDTH

BATCH_SIZE = 65_536  # entries: a full tile of level 1
MAX_BATCH_BYTES = 64 << 20  # of entries in one batch, give or take one chunk
CHUNK = 1 << 20  # bytes read at a time


def read_lines(stream: BinaryIO, name: str) -> Iterator[list[bytes]]:
    """Yield the lines of a stream, a list at a time: each ends at a newline, which is not part of it.

    A carriage return is kept, an empty line is an empty entry; a last line may lack its newline.
    Raises UsageError, with the line's number, for one longer than an entry can be.
    """
    number = 0
    rest = b""
    while chunk := stream.read(CHUNK):
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if len(rest) > MAX_ENTRY_SIZE or max(map(len, lines), default=0) > MAX_ENTRY_SIZE:
            short = next((at for at, line in enumerate(lines) if len(line) > MAX_ENTRY_SIZE), len(lines))
            yield lines[:short]
            raise UsageError(
                f"{name}: line {number + short + 1} is longer than the {MAX_ENTRY_SIZE} bytes an entry may have",
                hint="what came before it is in the log; log longer content as a file, by its digest",
            )
        number += len(lines)
        yield lines
    if rest:
        yield [rest]


class Batches:
    """Cuts lists of entries into batches.

    size   entries of a batch, at most; a batch is smaller at the end, above MAX_BATCH_BYTES, and where that makes
           the log's size a multiple of 256, which spares the readers and the storage partial tiles
    """

    def __init__(self, chunks: Iterator[list[bytes]], size: int = BATCH_SIZE) -> None:
        if size < 1:
            raise UsageError(f"a batch has at least one entry, not {size}")
        self._chunks = chunks
        self._size = size
        self._waiting: list[bytes] = []
        self._failure: UsageError | None = None

    def take(self, log_size: int | None = None) -> list[bytes]:
        """Return the next batch, [] at the end. log_size: what the batch will be appended to, where that is known.

        Raises UsageError from the source once all that came before it was taken.
        """
        size = self._size
        if log_size is not None and size > TILE_WIDTH:
            size -= (log_size + size) % TILE_WIDTH
        waiting, held = self._waiting, sum(map(len, self._waiting))
        try:
            while self._failure is None and len(waiting) < size and held < MAX_BATCH_BYTES:
                if (chunk := next(self._chunks, None)) is None:
                    break
                waiting += chunk
                held += sum(map(len, chunk))
        except UsageError as error:
            self._failure = error
        if self._failure is not None and not waiting:
            raise self._failure
        self._waiting = waiting[size:]
        return waiting[:size]
