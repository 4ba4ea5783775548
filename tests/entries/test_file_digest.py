"""Digest entries of files: exactly the documented bytes, and read strictly."""

from __future__ import annotations

import io
from hashlib import sha256

import pytest

from tiles.entries.file_digest import digest_entry, file_entry, parse_digest_entry
from tiles.errors import Malformed

HEX = sha256(b"content\n").hexdigest()
ENTRY = digest_entry(HEX, 8)


def test_the_text() -> None:
    """A digest entry is exactly this text."""
    assert f"tiletree/file/v1\nsha256 {HEX}\nsize 8\n".encode() == ENTRY


class Stream(io.BytesIO):
    """A stream that gives at most 1 MiB at a time, and takes down what was asked for."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.asked: list[int | None] = []

    def read(self, size: int | None = -1) -> bytes:
        """Return what is left, or some of it."""
        self.asked.append(size)
        return super().read(size)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_a_stream_of_any_size(size: int) -> None:
    """The entry is of what is left to read, a mebibyte at a time."""
    data = bytes(size)
    stream = Stream(b"skipped" + data)
    stream.seek(7)
    assert parse_digest_entry(file_entry(stream)) == (sha256(data).hexdigest(), size)
    assert set(stream.asked) == {1 << 20}


@pytest.mark.parametrize(
    "entry",
    [
        ENTRY[:-1],
        ENTRY + b"\n",
        ENTRY.replace(b"size 8", b"size 08"),
        ENTRY.replace(b"size 8", b"size -8"),
        ENTRY.replace(b"size 8", "size ٨".encode()),
        ENTRY.replace(HEX.encode(), HEX.upper().encode()),
        ENTRY.replace(b"v1", b"v2"),
        digest_entry(HEX[:-1], 8),
        digest_entry(HEX, 10**30),
        b"",
    ],
)
def test_parse_is_strict(entry: bytes) -> None:
    """Only the exact bytes of a digest entry are one."""
    with pytest.raises(Malformed):
        parse_digest_entry(entry)


@pytest.mark.parametrize("size", [0, 1, 2**63 - 1])
def test_parse(size: int) -> None:
    """What is formatted is parsed again."""
    assert parse_digest_entry(digest_entry(HEX, size)) == (HEX, size)
