"""Entry bundles: two bytes of length before each entry, in one form only."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tiles.errors import Malformed, UsageError
from tiles.tree.bundle import MAX_ENTRY_SIZE, check_entry_sizes, decode_entries, encode_entries, parse_bundle

LONGEST = b"x" * MAX_ENTRY_SIZE


@pytest.mark.parametrize(
    ("entries", "data"),
    [
        ([], b""),
        ([b""], b"\0\0"),
        ([b"a", b"", b"bc"], b"\0\1a\0\0\0\2bc"),
        ([b"y" * 256], b"\1\0" + b"y" * 256),
        ([LONGEST, b"z"], b"\xff\xff" + LONGEST + b"\0\1z"),
    ],
)
def test_the_bytes(entries: list[bytes], data: bytes) -> None:
    """Lengths are big-endian."""
    assert encode_entries(entries) == data
    assert decode_entries(data) == entries
    check_entry_sizes(entries)


@given(st.binary(max_size=40))
def test_one_form(data: bytes) -> None:
    """Whatever bytes are read as entries, those entries are written as these bytes."""
    try:
        entries = decode_entries(data)
    except Malformed:
        return
    assert encode_entries(entries) == data


@pytest.mark.parametrize("data", [b"\0", b"\0\1", b"\0\2a", b"\0\1ab", b"\0\1a\0", b"\xff\xff" + LONGEST[1:]])
def test_cut_short(data: bytes) -> None:
    """The last entry ends where the bytes end; the message names what it was read as."""
    with pytest.raises(Malformed, match=f"^malformed batch: the last entry is cut short, {len(data)} bytes in all$"):
        decode_entries(data, "batch")
    with pytest.raises(Malformed, match=r"^malformed entry bundle: "):
        parse_bundle(data, 1)


def test_too_long_an_entry() -> None:
    """65,535 bytes are the most, and the message says which entry has more."""
    for refuse in (encode_entries, check_entry_sizes):
        with pytest.raises(UsageError, match="entry 2 of the batch has 65536 bytes, 65535 is the most") as caught:
            refuse([b"", LONGEST, LONGEST + b"x", LONGEST + b"xx"])
        assert "by its digest" in caught.value.hint


@pytest.mark.parametrize("count", [0, 1, 2, 255, 256, 257])
def test_width(count: int) -> None:
    """A bundle has as many entries as it is said to have, 1 to 256."""
    entries = [b"%d" % number for number in range(count)]
    data = encode_entries(entries)
    if 1 <= count <= 256:
        assert parse_bundle(data, count) == entries
    else:
        with pytest.raises(UsageError, match=f"bundle width {count} is not between 1 and 256"):
            parse_bundle(data, count)
    for width in {1, 256} - {count}:
        with pytest.raises(Malformed, match=f"{count} entries instead of {width}"):
            parse_bundle(data, width)


def test_entries_of_one_length() -> None:
    """A bundle whose entries have one length, an empty one included, is taken apart in one go."""
    for length in (0, 1, 200, 65_535):
        entries = [bytes([i]) * length for i in range(3)]
        assert parse_bundle(encode_entries(entries), 3) == entries


@given(
    st.lists(st.binary(max_size=3), min_size=1, max_size=6).map(encode_entries) | st.binary(max_size=20),
    st.integers(1, 6),
)
@example(encode_entries([b"ab", b"cd\0", b"e", b"fg"]), 4)  # the first byte of four entries of two bytes
@example(b"", 1)
@example(b"\0", 1)
def test_in_one_go_or_one_by_one(data: bytes, width: int) -> None:
    """Taken apart in one go or one by one, all bytes are read the same."""
    try:
        expected: list[bytes] | str = decode_entries(data)
        if len(expected) != width:
            expected = f"malformed entry bundle: {len(expected)} entries instead of {width}"
    except Malformed as error:
        expected = error.message
    try:
        found: list[bytes] | str = parse_bundle(data, width)
    except Malformed as error:
        found = error.message
    assert found == expected
