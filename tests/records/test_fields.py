"""Records: a title, and lines of a name and a value; one content has one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiles.errors import Malformed
from tiles.records.fields import (
    MAX_RECORD_SIZE,
    format_record,
    parse_digest,
    parse_record,
    parse_repeating_record,
    parse_tree,
)
from tiles.tree.merkle import EMPTY_TREE, MAX_TREE_SIZE, Hash, TreeHead

TITLE = "title/v1"
NAMES = ("one", "two")
DATA = b"title/v1\none 1\ntwo a b\n"

values = st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable() and text == text.strip(" "))


def test_the_text() -> None:
    """A record is exactly this text."""
    assert format_record(TITLE, [("one", "1"), ("two", "a b")]) == DATA
    assert parse_record(TITLE, DATA, NAMES) == ["1", "a b"]
    assert parse_record(TITLE, b"title/v1\n", ()) == []


@given(st.lists(values, max_size=4))
def test_round_trip(more: list[str]) -> None:
    """What is written is read back, with any number of lines of the last name."""
    data = format_record(TITLE, [("one", "1"), *(("more", value) for value in more)])
    assert parse_repeating_record(TITLE, data, ("one",), "more") == ["1", *more]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not a whole record"),
        (b"title/v1", "not a whole record"),
        (DATA[:-1], "not a whole record"),
        (b"title/v1\none 1\n", "not a whole record"),
        (b"title/v2" + DATA[8:], "not a whole record"),
        (b"\n" + DATA, "not a whole record"),
        (DATA + b"\n", "line 4 is not 'None <value>'"),
        (DATA + b"two 2\n", "line 4 is not 'None <value>'"),
        (b"title/v1\ntwo 2\none 1\n", "line 2 is not 'one <value>'"),
        (b"title/v1\none 1\ntwo\n", "line 3 is not 'two <value>'"),
        (b"title/v1\none 1\ntwo \n", "line 3 is not 'two <value>'"),
        (b"title/v1\none 1\ntwo  2\n", "line 3 is not 'two <value>'"),
        (b"title/v1\none 1\ntwo 2 \n", "line 3 is not 'two <value>'"),
        ("title/v1\none 1\ntwo a\u2028b\n".encode(), "line 3 is not 'two <value>'"),
        (b"title/v1\none 1\ntwo \xff\n", "not UTF-8"),
        (b"title/v1\r\none 1\r\ntwo 2\r\n", "control character"),
    ],
)
def test_almost_a_record_is_malformed(data: bytes, problem: str) -> None:
    """One wrong thing each, and the message says which."""
    with pytest.raises(Malformed, match=f"^malformed title/v1: .*{problem}"):
        parse_record(TITLE, data, NAMES)


def test_the_longest_record() -> None:
    """64 KiB, and not one byte more."""
    data = format_record(TITLE, [("one", "1" * (MAX_RECORD_SIZE - len("title/v1\none \n")))])
    assert len(data) == MAX_RECORD_SIZE == 65_536
    assert parse_record(TITLE, data, ("one",))
    with pytest.raises(Malformed, match="65537 bytes, 65536 is the most"):
        parse_record(TITLE, data[:-1] + b"1\n", ("one",))


def test_digests() -> None:
    """64 lower-case hexadecimal digits."""
    assert parse_digest("x", "0f" * 32) == "0f" * 32
    for wrong in ("", "0f" * 31, "0f" * 33, "0F" * 32, "0g" * 32, "0f" * 32 + "\n", "\u0660" * 64):
        with pytest.raises(Malformed, match="not 64 lower-case hexadecimal digits"):
            parse_digest("x", wrong)


def test_trees() -> None:
    """A decimal size and a base64 root of 32 bytes."""
    root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    assert parse_tree("x", "0", root) == EMPTY_TREE
    zeros = "A" * 43 + "="
    assert parse_tree("x", str(MAX_TREE_SIZE), zeros) == TreeHead(MAX_TREE_SIZE, Hash(bytes(32)))
    for size, text in ((str(MAX_TREE_SIZE + 1), zeros), ("01", zeros), ("1", zeros[:-1]), ("1", "AAAA"), ("", zeros)):
        with pytest.raises(Malformed):
            parse_tree("x", size, text)
