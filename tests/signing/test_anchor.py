"""The anchor: one text for one tree, and a memory that says whose it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.signing_case import TREE, Case
from tests.support.world import ORIGIN
from tiles.errors import AccessError, Malformed, Refused, TilesError
from tiles.records.fields import MAX_RECORD_SIZE
from tiles.records.paths import ANCHOR
from tiles.signing.anchor import Anchor, parse_anchor
from tiles.tree.merkle import MAX_TREE_SIZE, Hash, TreeHead

OTHER_ROOT = Hash(b"\x07" * 32)

ANCHOR_TEXT = "tiletree-anchor/v1\norigin example.com/log\nsize 12\nroot BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n"


def test_the_text() -> None:
    """An anchor is exactly this text."""
    assert Anchor(ORIGIN, TreeHead(12, OTHER_ROOT)).data == ANCHOR_TEXT.encode()
    assert parse_anchor(ANCHOR_TEXT.encode()) == Anchor(ORIGIN, TreeHead(12, OTHER_ROOT))


@given(st.integers(0, MAX_TREE_SIZE), st.binary(min_size=32, max_size=32))
def test_round_trip(size: int, root: bytes) -> None:
    """What is written is read back."""
    anchor = Anchor(ORIGIN, TreeHead(size, Hash(root)))
    assert parse_anchor(anchor.data) == anchor


@given(st.binary() | st.text().map(str.encode))
def test_arbitrary_bytes_are_malformed(data: bytes) -> None:
    """Bytes that nobody wrote give our error, also from the signer; nothing is signed."""
    with pytest.raises(Malformed):
        parse_anchor(data)
    case = Case()
    case.store.create({ANCHOR: data})
    with pytest.raises(TilesError):
        case.sign(0, 1)
    assert not case.key.texts


@given(st.integers(0, len(ANCHOR_TEXT) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_any_change_gives_another_anchor_or_our_error(at: int, new: bytes, cut: int) -> None:
    """No two texts are one anchor."""
    data = ANCHOR_TEXT.encode()[:at] + new + ANCHOR_TEXT.encode()[at + cut :]
    try:
        anchor = parse_anchor(data)
    except Malformed:
        return
    assert anchor.data == data


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("size 12", "size 012"),
        ("size 12", "size +12"),
        ("BwcHBwc=", "BwcHBwd="),
        ("BwcHBwc=\n", "BwcHBwc=\nroot BwcHBwc=\n"),
        ("BwcHBwc=\n", "BwcHBwc="),
        ("anchor/v1", "anchor/v2"),
        ("origin example.com/log\n", ""),
        ("\n", "\r\n"),
    ],
)
def test_almost_an_anchor_is_malformed(old: str, new: str) -> None:
    """One wrong thing each."""
    assert old in ANCHOR_TEXT
    with pytest.raises(Malformed):
        parse_anchor(ANCHOR_TEXT.replace(old, new, 1).encode())


def test_an_anchor_of_another_log_is_refused() -> None:
    """A memory is of one log: another one's is neither believed nor overwritten."""
    case = Case()
    case.store.create({ANCHOR: Anchor("example.com/other", TREE.head(8)).data})
    with pytest.raises(Refused, match=r"the anchor at memory://anchor is of the log example\.com/other, not of"):
        case.sign(8, 13)
    assert not case.key.texts


def test_an_anchor_is_capped() -> None:
    """A memory that has grown beyond reason is not read."""
    case = Case()
    case.store.create({ANCHOR: b"x" * (MAX_RECORD_SIZE + 1)})
    with pytest.raises(AccessError, match="longer than"):
        case.sign(0, 1)
