"""Entries in batches: lists of entries → lists of the size that one commit takes, never all of them in memory."""

from __future__ import annotations

from collections.abc import Iterator

from tiles.errors import UsageError
from tiles.tree.layout import TILE_WIDTH

BATCH_SIZE = 65_536  # entries: a full tile of level 1
MAX_BATCH_BYTES = 64 << 20  # of entries in one batch, give or take one chunk


class Batches:
    """Cuts lists of entries into batches.

    size   entries of a batch, at most; a batch is smaller at the end, above MAX_BATCH_BYTES, and where that makes
           the log's size a multiple of 256, which avoids partial tiles
    """

    def __init__(self, chunks: Iterator[list[bytes]], size: int = BATCH_SIZE) -> None:
        if size < 1:
            raise UsageError(f"a batch has at least one entry, not {size}")
        self._chunks = chunks
        self._size = size
        self._waiting: list[bytes] = []
        self._failure: UsageError | None = None

    def take(self, log_size: int | None = None) -> list[bytes]:
        """Return the next batch, [] at the end. log_size: the log's size before the batch, if it is known.

        Raises a UsageError of the source once all entries that came before it were taken.
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
