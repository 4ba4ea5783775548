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
