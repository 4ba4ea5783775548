"""Digest entries: one text for one file."""

from __future__ import annotations

import io
from hashlib import sha256

import pytest

from tiles.entries.file_digest import digest_entry, file_entry, parse_digest_entry
from tiles.errors import Malformed

TEXT = b"tiletree/file/v1\nsha256 " + b"ab" * 32 + b"\nsize 7\n"


def test_the_text() -> None:
    """An entry is exactly these bytes."""
    assert digest_entry("ab" * 32, 7) == TEXT
    assert parse_digest_entry(TEXT) == ("ab" * 32, 7)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_of_a_stream(size: int) -> None:
    """What is left to read of it, wherever its pieces end."""
    stream = io.BytesIO(b"skipped" + b"x" * size)
    stream.seek(7)
    assert file_entry(stream) == digest_entry(sha256(b"x" * size).hexdigest(), size)


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        TEXT[:-1],
        TEXT + b"\n",
        TEXT.replace(b"v1", b"v2"),
        TEXT.replace(b"ab", b"AB"),
        TEXT.replace(b"ab", b"a", 1),
        TEXT.replace(b"size 7", b"size 07"),
        TEXT.replace(b"size 7", b"size -7"),
        TEXT.replace(b"size 7", b"size 99999999999999999999"),
        TEXT.replace(b"\n", b"\r\n"),
    ],
)
def test_any_other_entry(entry: bytes) -> None:
    """Nearly a digest entry is none."""
    with pytest.raises(Malformed):
        parse_digest_entry(entry)
