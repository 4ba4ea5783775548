"""Receipts: exactly these bytes, or our error."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tiles.errors import Malformed, UsageError
from tiles.inbox.receipt import Receipt, format_receipts, parse_receipt, parse_receipts
from tiles.inbox.submission import Name
from tiles.tree.merkle import leaf_hash

LOG = "https://log.example.com"
NONCE = bytes(range(16))
NAME = Name("ann", NONCE.hex(), "0" * 64)
LEAVES = (leaf_hash(b"one"), leaf_hash(b""))
TEXT = (
    b"tiletree-receipt/v1\n"
    b"log https://log.example.com\n"
    b"submission ann/000102030405060708090a0b0c0d0e0f-" + b"0" * 64 + b"\n"
    b"leaf " + LEAVES[0].hex().encode() + b"\n"
    b"leaf " + LEAVES[1].hex().encode() + b"\n"
)


# ---- the receipt


def test_the_text_of_a_receipt() -> None:
    """A receipt is exactly these bytes: it is kept, and read by another version."""
    receipt = Receipt(LOG, NAME, LEAVES)
    assert receipt.data == TEXT
    assert parse_receipt(TEXT) == receipt


@given(
    st.lists(
        st.tuples(
            st.text(min_size=1).filter(lambda text: text.isprintable() and text == text.strip(" ")),
            st.lists(st.binary(max_size=3), min_size=1, max_size=4),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_receipts_round_trip(many: list[tuple[str, list[bytes]]]) -> None:
    """Whatever was submitted, its receipts are read back, one or several in a file."""
    receipts = [Receipt(log, NAME, tuple(map(leaf_hash, entries))) for log, entries in many]
    assert parse_receipts(format_receipts(receipts)) == receipts
    assert parse_receipt(receipts[0].data) == receipts[0]


def test_a_receipt_of_what_is_logged_once() -> None:
    """It says so, and nothing in it is out of its place."""
    receipt = Receipt(LOG, NAME, LEAVES, once=True)
    assert receipt.data == TEXT.replace(b"\nleaf", b"\nonce\nleaf", 1)
    assert parse_receipts(receipt.data + b"\n" + TEXT) == [receipt, Receipt(LOG, NAME, LEAVES)]
    for wrong in (b"once\nonce", b"once ", b"Once"):
        with pytest.raises(Malformed):
            parse_receipt(receipt.data.replace(b"once", wrong))
    with pytest.raises(Malformed):
        parse_receipt(receipt.data[: receipt.data.index(b"leaf")])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/v1", b"/v2"),
        (b"log https", b"LOG https"),
        (b"log https://log.example.com", b"log "),
        (b".com\n", b".com\x9b\n"),
        (b".com\n", b".com\xc2\x9b\n"),
        (b"log https://log.example.com\n", b""),
        (b"submission ann", b"submission Ann"),
        (b"submission ann", b"submission inbox/ann"),
        (b"leaf", b"leaf "),
        (b"leaf", b"hash"),
        (LEAVES[1].hex().encode(), LEAVES[1].hex().upper().encode()),
        (LEAVES[1].hex().encode(), LEAVES[1].hex()[:-1].encode()),
        (b"\nleaf", b"\n\nleaf"),
        (b"\n", b"\r\n"),
        (TEXT[-20:], TEXT[-20:-1]),
        (TEXT[TEXT.index(b"leaf") :], b""),
        (TEXT, b""),
    ],
)
def test_almost_a_receipt_is_malformed(old: bytes, new: bytes) -> None:
    """One wrong thing each."""
    assert old in TEXT
    with pytest.raises(Malformed):
        parse_receipt(TEXT.replace(old, new, 1))


@given(st.binary() | st.builds(bytes.__add__, st.just(TEXT), st.binary()))
@example(TEXT + b"\n")
@example(TEXT + b"\n" + TEXT + b"\n")
def test_arbitrary_bytes_give_receipts_or_our_error(data: bytes) -> None:
    """Bytes that nobody wrote give Malformed, or receipts whose text they are."""
    try:
        receipts = parse_receipts(data)
    except Malformed:
        return
    assert format_receipts(receipts) == data


@pytest.mark.parametrize(("log", "leaves"), [("", LEAVES), ("a\nb", LEAVES), ("a\x1b", LEAVES), (LOG, ())])
def test_what_no_receipt_can_say(log: str, leaves: tuple[bytes, ...]) -> None:
    """Values that have no text are a wrong call."""
    with pytest.raises(UsageError):
        Receipt(log, NAME, leaves)  # type: ignore[arg-type]
