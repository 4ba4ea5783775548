"""Lines as entries: each ends at its newline, which is not part of it."""

from __future__ import annotations

import io

import pytest

from tiles.entries import lines
from tiles.entries.lines import read_lines
from tiles.errors import UsageError
from tiles.tree.bundle import MAX_ENTRY_SIZE


@pytest.mark.parametrize(
    ("data", "entries"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"a", [b"a"]),
        (b"a\n", [b"a"]),
        (b"a\n\nb", [b"a", b"", b"b"]),
        (b"a\r\nb\r", [b"a\r", b"b\r"]),
        (b"\0\xff\n", [b"\0\xff"]),
        (b"x" * MAX_ENTRY_SIZE, [b"x" * MAX_ENTRY_SIZE]),
    ],
)
@pytest.mark.parametrize("chunk", [1, 2, 3, 1 << 20])
def test_lines(monkeypatch: pytest.MonkeyPatch, data: bytes, entries: list[bytes], chunk: int) -> None:
    """Wherever the pieces end in which the stream comes."""
    monkeypatch.setattr(lines, "CHUNK", chunk if len(data) < 1000 else 1 << 20)
    assert [line for part in read_lines(io.BytesIO(data), "f") for line in part] == entries


@pytest.mark.parametrize("before", [0, 1, 7])
@pytest.mark.parametrize("end", [b"", b"\n", b"\nmore\n"])
def test_a_line_that_is_too_long(before: int, end: bytes) -> None:
    """It is named by its number; what came before it was given."""
    data = b"ok\n" * before + b"x" * (MAX_ENTRY_SIZE + 1) + end
    parts = read_lines(io.BytesIO(data), "f")
    assert next(parts) == [b"ok"] * before
    with pytest.raises(UsageError, match=f"f: line {before + 1} is longer"):
        next(parts)
