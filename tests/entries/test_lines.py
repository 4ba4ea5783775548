"""Lines of a stream: every byte but the newlines is in one entry, wherever the reads end."""

from __future__ import annotations

import io
from itertools import chain, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiles.entries.lines
from tiles.entries.lines import read_lines
from tiles.errors import UsageError
from tiles.tree.bundle import MAX_ENTRY_SIZE

LONGEST = b"x" * MAX_ENTRY_SIZE


def lines(data: bytes) -> list[bytes]:
    """Return all lines."""
    return list(chain.from_iterable(read_lines(io.BytesIO(data), "f")))


@pytest.mark.parametrize("chunk", [1, 2, 3, 1 << 20])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"a", [b"a"]),
        (b"a\n", [b"a"]),
        (b"a\n\n", [b"a", b""]),
        (b"\n\na\nb", [b"", b"", b"a", b"b"]),
        (b"a\r\nb\rc\n", [b"a\r", b"b\rc"]),
        (b"\0\x0b\x0c\x85\xe2\x80\xa8\n\xff", [b"\0\x0b\x0c\x85\xe2\x80\xa8", b"\xff"]),
    ],
)
def test_lines(chunk: int, data: bytes, expected: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a newline ends a line, and the last one may lack it."""
    monkeypatch.setattr(tiles.entries.lines, "CHUNK", chunk)
    assert lines(data) == expected


@pytest.mark.parametrize("end", [b"", b"\n", b"\nmore"])
def test_the_longest_line(end: bytes) -> None:
    """A line may be as long as an entry."""
    assert lines(LONGEST + end)[0] == LONGEST


@pytest.mark.parametrize("chunk", [1000, 1 << 20])
@pytest.mark.parametrize("end", [b"", b"\n", b"\nmore"])
def test_a_line_that_is_too_long(chunk: int, end: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes before it is there; then the error says which line it is, and no more is read than has to be."""
    monkeypatch.setattr(tiles.entries.lines, "CHUNK", chunk)
    stream = io.BytesIO(b"one\n\nthree\n" + LONGEST + b"x" + end + bytes(2 << 20))
    found: list[list[bytes]] = []
    with pytest.raises(UsageError, match=r"^f: line 4 is longer than the 65535 bytes an entry may have$") as caught:
        found.extend(read_lines(stream, "f"))
    assert list(chain.from_iterable(found)) == [b"one", b"", b"three"]
    assert "by its digest" in caught.value.hint
    assert stream.tell() <= MAX_ENTRY_SIZE + 11 + max(chunk, 1000)


def slowly(data: bytes, most: int) -> tuple[list[bytes], int | None]:
    """Return the lines, byte by byte, and the number of the first one that is too long; None if there is none."""
    found, line = [], bytearray()
    for byte in data:
        if byte == ord("\n"):
            found.append(bytes(line))
            line.clear()
            continue
        line.append(byte)
        if len(line) > most:
            return found, len(found) + 1
    return found + [bytes(line)] * bool(line), None


@given(
    pieces=st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b"a", b"bcd", b"\x00", b"\x85", b"x" * 9, b"y" * 20])),
    chunk=st.integers(1, 40),
    most=st.integers(1, 30),
)
def test_against_reading_byte_by_byte(pieces: list[bytes], chunk: int, most: int) -> None:
    """Wherever reads end and whatever is in it: the same lines, and the same one is too long."""
    data = b"".join(pieces)
    expected, too_long = slowly(data, most)
    found: list[bytes] = []
    said = ""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tiles.entries.lines, "CHUNK", chunk)
        patched.setattr(tiles.entries.lines, "MAX_ENTRY_SIZE", most)
        try:
            for some in read_lines(io.BytesIO(data), "f"):
                found += some
        except UsageError as error:
            said = error.message
    assert found == expected
    assert said == (f"f: line {too_long} is longer than the {most} bytes an entry may have" if too_long else "")


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 9])
def test_too_long_anywhere(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes before and after it, and wherever the reads end, the first line that is too long is found."""
    monkeypatch.setattr(tiles.entries.lines, "MAX_ENTRY_SIZE", 3)
    monkeypatch.setattr(tiles.entries.lines, "CHUNK", chunk)
    for data in (b"".join(some) for size in range(10) for some in product((b"a", b"\n"), repeat=size)):
        expected = data.removesuffix(b"\n").split(b"\n") if data else []
        short = next((at for at, line in enumerate(expected) if len(line) > 3), None)
        if short is None:
            assert lines(data) == expected
            continue
        found: list[list[bytes]] = []
        with pytest.raises(UsageError, match=f"^f: line {short + 1} is longer than the 3 bytes"):
            found.extend(read_lines(io.BytesIO(data), "f"))
        assert list(chain.from_iterable(found)) == expected[:short]
