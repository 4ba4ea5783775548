"""The anchor: one text for one value, and a memory of one log that moves by compare-and-swap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.world import ORIGIN
from tiles.errors import AccessError, Conflict, Malformed, Refused
from tiles.records.fields import MAX_RECORD_SIZE
from tiles.records.paths import ANCHOR
from tiles.signing.anchor import STATES, Anchor, AnchorMemory, parse_anchor
from tiles.store.memory import MemoryStore
from tiles.tree.merkle import MAX_TREE_SIZE, Hash, TreeHead

OTHER_ROOT = Hash(b"\x07" * 32)
IDENTITY = "0f" * 16
ONE, TWO, THREE = (Anchor(ORIGIN, IDENTITY, TreeHead(size, OTHER_ROOT)) for size in (1, 2, 3))

ANCHOR_TEXT = (
    "tiletree-anchor/v2\norigin example.com/log\n"
    f"identity {IDENTITY}\n"
    "size 12\nroot BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\nstate open\n"
)


def test_the_text() -> None:
    """An anchor is exactly this text."""
    assert Anchor(ORIGIN, IDENTITY, TreeHead(12, OTHER_ROOT)).data == ANCHOR_TEXT.encode()
    assert parse_anchor(ANCHOR_TEXT.encode()) == Anchor(ORIGIN, IDENTITY, TreeHead(12, OTHER_ROOT))


@given(st.integers(0, MAX_TREE_SIZE), st.binary(min_size=32, max_size=32), st.sampled_from(STATES))
def test_round_trip(size: int, root: bytes, state: str) -> None:
    """What is written is read back."""
    anchor = Anchor(ORIGIN, IDENTITY, TreeHead(size, Hash(root)), state)
    assert parse_anchor(anchor.data) == anchor


@given(st.binary() | st.text().map(str.encode))
def test_arbitrary_bytes_are_malformed(data: bytes) -> None:
    """Bytes that nobody wrote give our error."""
    with pytest.raises(Malformed):
        parse_anchor(data)


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
        ("anchor/v2", "anchor/v1"),
        ("state open", "state ajar"),
        ("0f0f", "0F0f"),
        ("identity 0f", "identity "),
        ("origin example.com/log\n", ""),
        ("\n", "\r\n"),
    ],
)
def test_almost_an_anchor_is_malformed(old: str, new: str) -> None:
    """One wrong thing each."""
    assert old in ANCHOR_TEXT
    with pytest.raises(Malformed):
        parse_anchor(ANCHOR_TEXT.replace(old, new, 1).encode())


# ---- the memory


def test_a_memory_moves_from_what_was_recalled() -> None:
    """Nothing at first; then the tree it was moved to, and only from the version that is still there."""
    memory = AnchorMemory(ORIGIN, MemoryStore("anchor"))
    assert memory.recall() == (None, None)
    memory.put(ONE, None)
    anchor, version = memory.recall()
    assert anchor == ONE
    memory.put(TWO, version)
    for stale in (version, None):
        with pytest.raises(Conflict):
            memory.put(THREE, stale)
    assert memory.recall()[0] == TWO
    assert memory.store.read(ANCHOR).data == TWO.data


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (
            Anchor("example.com/other", IDENTITY, TWO.tree).data,
            Refused,
            r"anchor at memory://anchor is of the log example\.com/other",
        ),
        *(
            (data, Malformed, "^memory://anchor/anchor: malformed tiletree-anchor/v2: [^']*$")
            for data in (ANCHOR_TEXT.encode()[:-1], b"", b"secret\n", ANCHOR_TEXT.replace("open", "shut").encode())
        ),
        (b"x" * (MAX_RECORD_SIZE + 1), AccessError, "longer than"),
    ],
)
def test_a_memory_that_is_not_to_be_believed(data: bytes, error: type[Exception], message: str) -> None:
    """Another log's anchor, a damaged one and one that has grown beyond reason are not recalled."""
    store = MemoryStore("anchor")
    store.create({ANCHOR: data})
    with pytest.raises(error, match=message):
        AnchorMemory(ORIGIN, store).recall()
