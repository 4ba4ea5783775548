"""Lines of a stream as entries, never all of them in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from tiles.errors import UsageError
from tiles.tree.bundle import MAX_ENTRY_SIZE

CHUNK = 1 << 20  # bytes read at a time


def read_lines(stream: BinaryIO, name: str) -> Iterator[list[bytes]]:
    """Yield the lines of a stream, a list at a time: each ends at a newline, which is not part of it.

    A carriage return is kept, an empty line is an empty entry; a last line may lack its newline.
    Raises UsageError, with the line's number, for one longer than an entry can be.
    """
    number = 0
    rest = b""
    while chunk := stream.read(CHUNK):
        lines = chunk.split(b"\n")
        lines[0] = rest + lines[0]
        rest = lines.pop()
        if max(len(lines[0]) if lines else 0, len(rest)) > MAX_ENTRY_SIZE or _has_long_line(chunk):
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


def _has_long_line(chunk: bytes) -> bool:
    """Tell whether more bytes than an entry may have stand in a row without a newline; few looks show that."""
    start, last = 0, len(chunk) - MAX_ENTRY_SIZE
    while start < last:
        found = chunk.rfind(b"\n", start, start + MAX_ENTRY_SIZE + 1)
        if found < 0:
            return True
        start = found + 1
    return False
