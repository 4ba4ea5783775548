"""Staged batches: one text for one value; what was committed is known by its digest."""

from __future__ import annotations

import string
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.reference import flipped
from tiles.errors import Malformed, Refused, TilesError
from tiles.records.staged_batch import Batch, digest, open_batch, parse_batch
from tiles.tree.bundle import encode_entries
from tiles.tree.merkle import MAX_TREE_SIZE

names = st.text(string.ascii_letters + string.digits + "/-.", min_size=1)
reasons = st.text(string.ascii_letters + " ,:", min_size=1).filter(lambda text: text == text.rstrip() != "")
BATCH = Batch(7, 2, encode_entries([b"one", b""]), ("inbox/a/1", "inbox/b/2"), (("inbox/a/3", "too large: 9 bytes"),))
TEXT = (
    b"tiletree-batch/v1\nbase 7\nentries 2\ntook inbox/a/1\ntook inbox/b/2\n"
    b"refused inbox/a/3 too large: 9 bytes\n\n\x00\x03one\x00\x00"
)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Draw any batch there can be."""
    entries = draw(st.lists(st.binary(), min_size=1, max_size=5))
    return Batch(
        draw(st.integers(0, MAX_TREE_SIZE)),
        len(entries),
        encode_entries(entries),
        tuple(draw(st.lists(names, max_size=3))),
        tuple(draw(st.lists(st.tuples(names, reasons), max_size=3))),
        tuple(draw(st.sampled_from([(), ((0, 0),), ((0, 0), (1, 0))]))),
    )


@given(batches())
@example(BATCH)
def test_round_trip(batch: Batch) -> None:
    """What is staged is read back, and is known by its digest."""
    data = batch.data
    assert parse_batch(data) == batch
    assert encode_entries(batch.entries()) == batch.body
    assert open_batch(data, batch.size, digest(data)) == batch


def test_the_text() -> None:
    """A batch is exactly these bytes: another version's run must be able to finish it."""
    assert BATCH.data == TEXT
    assert BATCH.size == 9
    assert BATCH.entries() == [b"one", b""]
    assert digest(TEXT) == sha256(TEXT).hexdigest()


def test_what_is_there_already() -> None:
    """Where it is in the log, or in the batch, and at which positions it would be: what is new stands at the others."""
    batch = replace(BATCH, already=((0, 3), (3, 8)))
    assert batch.data == TEXT.replace(b"entries 2\n", b"entries 2\nalready 0 3\nalready 3 8\n")
    assert parse_batch(batch.data) == batch
    only = Batch(7, 0, b"", ("inbox/a/1",), already=((0, 3),))
    assert parse_batch(only.data) == only


@pytest.mark.parametrize(
    "wrong",
    [
        replace(BATCH, already=((3, 3), (0, 3))),
        replace(BATCH, already=((0, 3), (0, 3))),
        replace(BATCH, already=((4, 3), (5, 3))),  # two and two are four, and these are the fifth and the sixth
        replace(BATCH, already=((0, 9),)),
        Batch(7, 0, b"", already=((0, 3),)),
        Batch(7, 0, b"", ("inbox/a/1",)),
    ],
)
def test_what_cannot_be_there_already(wrong: Batch) -> None:
    """Positions rise, and are of this batch; indexes are in the tree; somebody has asked for it."""
    with pytest.raises(Malformed):
        parse_batch(wrong.data)


@given(st.binary() | st.builds(bytes.__add__, st.just(b"tiletree-batch/v1\nbase 1\nentries 1\n"), st.binary()))
def test_arbitrary_bytes_give_a_batch_or_our_error(data: bytes) -> None:
    """Bytes that nobody wrote give our error, or a batch whose text they are."""
    try:
        batch = parse_batch(data)
        batch.entries()
    except Malformed:
        return
    assert batch.data == data


@pytest.mark.parametrize("size", [9, 8])
def test_any_changed_bit_is_refused(size: int) -> None:
    """A batch with a bit changed is not the one that was committed; nor is the right one at another size."""
    name = digest(TEXT)
    for bit in range(8 * len(TEXT)):
        with pytest.raises(Refused, match=f"staging/{size}-{name} holds other bytes than were committed"):
            open_batch(flipped(TEXT, bit), size, name)
    if size != BATCH.size:
        with pytest.raises(Refused, match="leads to a tree of size 9, the head says 8"):
            open_batch(TEXT, size, name)


@given(st.binary(), st.integers(0, 100))
def test_what_was_committed_by_its_digest_may_still_be_no_batch(data: bytes, size: int) -> None:
    """A head may name anything: what is no batch gives our error."""
    with pytest.raises(TilesError):
        open_batch(data, size, digest(data))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"base 7", b"base 07"),
        (b"base 7", b"base +7"),
        (b"base 7", b"base"),
        (b"base 7", b"base \xd9\xa7"),
        (b"base 7", b"base 9223372036854775808"),
        (b"base 7\n", b""),
        (b"entries 2", b"entries 0"),  # and two in the body
        (b"entries 2", b"entries -2"),
        (b"took inbox/a/1", b"took  inbox/a/1"),
        (b"took inbox/a/1", b"took inbox/a/1 "),
        (b"took inbox/a/1", b"taken inbox/a/1"),
        (b"took inbox/a/1", b"took "),
        (b"took inbox/a/1", b"took \xff"),
        (b"refused inbox/a/3 too large: 9 bytes", b"refused inbox/a/3"),
        (b"refused inbox/a/3 too large: 9 bytes", b"refused inbox/a/3 "),
        (b"took inbox/b/2\nrefused inbox/a/3 too large: 9 bytes\n", b"refused inbox/a/3 x\ntook inbox/b/2\n"),
        (b"/v1", b"/v2"),
        (b"\n", b"\r\n"),
        (b"\n\n", b"\n"),
        (b"tiletree", b"\ntiletree"),
    ],
)
def test_almost_a_batch_is_malformed(old: bytes, new: bytes) -> None:
    """One wrong thing each."""
    assert old in TEXT
    with pytest.raises(Malformed, match=r"^malformed tiletree-batch/v1"):
        parse_batch(TEXT.replace(old, new, 1))


@pytest.mark.parametrize(
    "body", [b"", b"\x00", b"\x00\x03on", b"\x00\x03one", b"\x00\x03one\x00\x00\x00\x00", b"\x00\x03one\x00\x00\x00"]
)
def test_entries_that_are_not_as_many_as_said(body: bytes) -> None:
    """Too few, too many, or cut short."""
    with pytest.raises(Malformed):
        Batch(7, 2, body).entries()
