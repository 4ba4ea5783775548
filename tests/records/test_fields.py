"""Records: a title, then lines in their order; one content, one form."""

from __future__ import annotations

import pytest

from tiles.errors import Malformed
from tiles.records.fields import (
    MAX_RECORD_SIZE,
    format_record,
    parse_digest,
    parse_record,
    parse_repeating_record,
    parse_tree,
)

NAMES = ("one", "two")
TEXT = b"title\none 1\ntwo a b\n"


def test_round_trip() -> None:
    """Values may have spaces inside; the last name may repeat where the record says so."""
    assert format_record("title", [("one", "1"), ("two", "a b")]) == TEXT
    assert parse_record("title", TEXT, NAMES) == ["1", "a b"]
    assert parse_repeating_record("title", TEXT + b"more x\nmore y\n", NAMES, "more") == ["1", "a b", "x", "y"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"title\n",
        TEXT[:-1],
        TEXT.replace(b"title", b"other"),
        TEXT.replace(b"two a b\n", b""),
        b"title\ntwo a b\none 1\n",
        TEXT + b"three 3\n",
        TEXT + b"\n",
        TEXT.replace(b"one 1", b"one"),
        TEXT.replace(b"one 1", b"one "),
        TEXT.replace(b"one 1", b"one  1"),
        TEXT.replace(b"one 1", b"one 1 "),
        TEXT.replace(b"one 1", b"one 1\r"),
        TEXT.replace(b"one 1", b"one \xc2\x9b"),
        TEXT.replace(b"one 1", b"one \xff"),
        TEXT.replace(b"one 1", b"one " + b"x" * MAX_RECORD_SIZE),
    ],
)
def test_any_other_text(data: bytes) -> None:
    """Another title, order, space, end or character is refused."""
    with pytest.raises(Malformed):
        parse_record("title", data, NAMES)


@pytest.mark.parametrize("text", ["", "ab" * 31, "AB" * 32, "ab" * 33, "\u0663" * 64, "ab" * 31 + "a\n"])
def test_digests(text: str) -> None:
    """64 lower-case hexadecimal digits, and nothing that looks like them."""
    assert parse_digest("it", "ab" * 32) == "ab" * 32
    with pytest.raises(Malformed):
        parse_digest("it", text)


@pytest.mark.parametrize(("size", "root"), [("01", "A" * 43 + "="), ("1", "AAAA"), ("-1", "A" * 43 + "="), ("1", "")])
def test_trees(size: str, root: str) -> None:
    """A decimal size and 32 bytes in base64."""
    assert parse_tree("it", "1", "A" * 43 + "=").root == bytes(32)
    with pytest.raises(Malformed):
        parse_tree("it", size, root)
