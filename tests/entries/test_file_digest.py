"""Digest entries of files: exactly the documented bytes, and read strictly."""

from __future__ import annotations

import io
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.entry_texts import HEX, NAMES, NOT_NAMES, PLAIN, named
from tiles.entries.file_digest import (
    MAX_NAME_SIZE,
    DigestEntry,
    digest_entry,
    encode_name,
    file_entry,
    parse_digest_entry,
)
from tiles.errors import Malformed, UsageError

CONTENT = sha256(b"content\n").hexdigest()
ENTRY = digest_entry(CONTENT, 8)


def test_the_text() -> None:
    """A digest entry is exactly this text."""
    assert f"tiletree/file/v1\nsha256 {CONTENT}\nsize 8\n".encode() == ENTRY


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
    assert parse_digest_entry(file_entry(stream)) == DigestEntry(sha256(data).hexdigest(), size)
    assert set(stream.asked) == {1 << 20}


@pytest.mark.parametrize(
    "entry",
    [
        ENTRY[:-1],
        ENTRY + b"\n",
        ENTRY.replace(b"size 8", b"size 08"),
        ENTRY.replace(b"size 8", b"size -8"),
        ENTRY.replace(b"size 8", "size ٨".encode()),
        ENTRY.replace(CONTENT.encode(), CONTENT.upper().encode()),
        ENTRY.replace(b"v1", b"v2"),
        digest_entry(CONTENT[:-1], 8),
        digest_entry(CONTENT, 10**30),
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
    assert parse_digest_entry(digest_entry(CONTENT, size)) == DigestEntry(CONTENT, size)


@pytest.mark.parametrize(("encoded", "name"), NAMES.items(), ids=lambda text: text[:20])
def test_names(encoded: str, name: str) -> None:
    """A name has one encoded form."""
    assert encode_name(name) == encoded
    found = parse_digest_entry(named(encoded))
    assert found == DigestEntry(HEX, 0, name)
    assert found.unnamed == DigestEntry(HEX, 0)


@pytest.mark.parametrize("encoded", NOT_NAMES, ids=lambda text: text[:20])
def test_not_names(encoded: str) -> None:
    """Any other spelling, and what is no name of a file, makes no named digest entry."""
    with pytest.raises(Malformed):
        parse_digest_entry(named(encoded))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "\0", "a\0", "\ud800", "x" * (MAX_NAME_SIZE + 1)])
def test_names_that_no_entry_holds(name: str) -> None:
    """They are refused where an entry is made."""
    with pytest.raises(UsageError):
        DigestEntry(HEX, 0, name)


@given(st.text(max_size=300))
def test_any_name(name: str) -> None:
    """What can be encoded is parsed to the same name."""
    try:
        entry = DigestEntry(HEX, 0, name).data
    except UsageError:
        return
    assert parse_digest_entry(entry).name == name


@given(st.binary(max_size=60))
def test_any_encoded_name(encoded: bytes) -> None:
    """What is parsed is encoded to the same bytes."""
    entry = PLAIN.encode() + b"name " + encoded + b"\n"
    try:
        found = parse_digest_entry(entry)
    except Malformed:
        return
    assert found.data == entry
