"""Entry bundles: lengths and bytes, as many as the width says, nothing after them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiles.errors import Malformed, UsageError
from tiles.tree.bundle import MAX_ENTRY_SIZE, decode_entries, encode_entries, parse_bundle


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=30))
def test_round_trip(entries: list[bytes]) -> None:
    """Each entry comes after its length, two bytes, the high one first."""
    data = encode_entries(entries)
    assert data == b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)
    assert parse_bundle(data, len(entries)) == decode_entries(data) == entries


@pytest.mark.parametrize("size", [0, 1, 255, 256, MAX_ENTRY_SIZE])
def test_lengths(size: int) -> None:
    """From an empty entry to the longest one."""
    assert parse_bundle(encode_entries([b"x" * size]), 1) == [b"x" * size]


def test_too_long() -> None:
    """The entry is named by its position."""
    with pytest.raises(UsageError, match="entry 2 of the batch has 65536 bytes"):
        encode_entries([b"", b"", bytes(MAX_ENTRY_SIZE + 1)])


@pytest.mark.parametrize("data", [b"\0", b"\0\1", b"\0\1ab", b"\0\1a\0", b"\xff\xff" + bytes(65_534)])
def test_cut_short(data: bytes) -> None:
    """A length without its bytes, or bytes without a length."""
    with pytest.raises(Malformed):
        decode_entries(data)


@pytest.mark.parametrize(("count", "width"), [(1, 2), (2, 1), (256, 255)])
def test_another_number_of_entries(count: int, width: int) -> None:
    """A bundle has as many entries as its path says."""
    with pytest.raises(Malformed, match=f"{count} entries instead of {width}"):
        parse_bundle(encode_entries([b""] * count), width)


@pytest.mark.parametrize("width", [-1, 0, 257])
def test_widths(width: int) -> None:
    """No bundle has none, or more than 256."""
    with pytest.raises(UsageError):
        parse_bundle(b"", width)
