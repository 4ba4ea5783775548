"""Submissions: one object for one or many entries, known by its name; one text for one value."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.malformed import accept_or_refuse, refuse_changed
from tests.support.reference import flipped
from tiles.errors import Malformed, UsageError
from tiles.inbox.submission import (
    Name,
    count_entries,
    format_submission,
    is_once,
    is_submitter,
    parse_name,
    parse_submission,
)

ENTRIES = [b"one", b""]
DATA = b"tiletree-submission/v1\nentries 2\n\n\x00\x03one\x00\x00"
NONCE = "0123456789abcdef" * 2
DIGEST = sha256(DATA).hexdigest()
NAME = f"ann/{NONCE}-{DIGEST}"


def test_the_bytes() -> None:
    """A submission is exactly these bytes: another version must be able to read it."""
    assert format_submission(ENTRIES) == DATA
    assert parse_submission(DATA) == ENTRIES
    assert count_entries(DATA) == 2


def test_once() -> None:
    """A line of the header asks not to log again what is there; everything else is the same."""
    data = DATA.replace(b"entries 2\n", b"entries 2\nonce\n")
    assert format_submission(ENTRIES, once=True) == data
    assert (parse_submission(data), count_entries(data)) == (ENTRIES, 2)
    assert (is_once(data), is_once(DATA)) == (True, False)
    for wrong in (b"once ", b"Once", b"once\nonce", b"once\n", b" once"):
        with pytest.raises(Malformed):
            parse_submission(data.replace(b"once", wrong))


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20))
@example([b""])
@example([bytes(65_535)])
def test_round_trip(entries: list[bytes]) -> None:
    """Whatever can be submitted is read back."""
    assert parse_submission(format_submission(entries)) == entries


@pytest.mark.parametrize("entries", [[], [bytes(65_536)]])
def test_what_no_submission_can_hold(entries: list[bytes]) -> None:
    """No entries, and an entry that is too long, are a wrong call."""
    with pytest.raises(UsageError):
        format_submission(entries)


@given(st.binary() | st.builds(bytes.__add__, st.just(b"tiletree-submission/v1\nentries 1\n\n"), st.binary()))
@example(b"tiletree-submission/v1\nentries " + b"9" * 5000 + b"\n\n")
def test_arbitrary_bytes_give_a_submission_or_our_error(data: bytes) -> None:
    """Bytes that nobody wrote give Malformed, or entries whose submission they are."""
    accept_or_refuse(parse_submission, format_submission, data)


def test_no_changed_bit_gives_the_same_entries() -> None:
    """A submission with a bit changed is malformed or another one."""
    for bit in range(8 * len(DATA)):
        try:
            assert parse_submission(flipped(DATA, bit)) != ENTRIES
        except Malformed:
            continue


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"entries 2", b"entries 02"),
        (b"entries 2", b"entries +2"),
        (b"entries 2", b"entries 1"),
        (b"entries 2", b"entries 3"),
        (b"entries 2", b"entries 0"),
        (b"entries 2", b"entries \xd9\xa2"),
        (b"entries 2", b"entries 99999999999999999999"),
        (b"entries 2", b"entries 9999999999999999999"),
        (b"\x00\x03one\x00\x00", b""),
        (b"\x00\x00", b"\x00"),
        (b"\x00\x00", b"\x00\x01"),
        (b"\n\n", b"\n"),
        (b"\n\n", b"\n\n\n"),
        (b"\n", b"\r\n"),
        (b"/v1", b"/v3"),
        (b"tiletree", b"\ntiletree"),
        (DATA, b"tiletree-submission/v1\nentries 0\n\n"),
        (DATA, b""),
    ],
)
def test_almost_a_submission_is_malformed(old: bytes, new: bytes) -> None:
    """One wrong thing each."""
    refuse_changed(parse_submission, DATA, old, new, "tiletree-submission/v1")


def test_the_count_is_read_without_the_entries() -> None:
    """What says that it has more entries than anyone would cut out is known before they are."""
    assert count_entries(b"tiletree-submission/v1\nentries 8388608\n\n" + bytes(3)) == 8_388_608


def test_the_name() -> None:
    """A name is submitter, nonce and digest; its path is below the inbox."""
    name = parse_name(NAME)
    assert name == Name("ann", NONCE, DIGEST)
    assert name.text == NAME
    assert name.path == f"inbox/{NAME}"


@pytest.mark.parametrize("submitter", ["a", "0", "a.b_c-d", "a" * 64, "ci-1.example.com", "a.."])
def test_submitters(submitter: str) -> None:
    """Lower-case letters, digits, and in between dots, underscores and hyphens; 64 at most."""
    assert is_submitter(submitter)
    assert parse_name(f"{submitter}/{NONCE}-{DIGEST}").submitter == submitter


@pytest.mark.parametrize("submitter", ["", "A", ".", "..", ".a", "-a", "_a", "a" * 65, "a b", "a/b", "ä", "a\n", "a\0"])
def test_no_submitters(submitter: str) -> None:
    """Anything else cannot be a submitter's name, so it cannot be an odd path either."""
    assert not is_submitter(submitter)
    with pytest.raises(Malformed, match="name of a submission"):
        parse_name(f"{submitter}/{NONCE}-{DIGEST}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        NONCE,
        f"{NONCE}-{DIGEST}",
        f"inbox/{NAME}",
        f"/{NAME}",
        f"{NAME}/",
        f"{NAME}\n",
        f"{NAME}x",
        NAME.upper(),
        f"ann/{NONCE}{DIGEST}",
        f"ann/{NONCE}-{DIGEST[:-1]}",
        f"ann/{NONCE[:-1]}-{DIGEST}",
        f"ann/{NONCE[:-1]}g-{DIGEST}",
        f"ann//{NONCE}-{DIGEST}",
        f"ann/{NONCE}-{DIGEST[:-1]}\u0661",
    ],
)
def test_almost_a_name_is_malformed(text: str) -> None:
    """One wrong thing each."""
    with pytest.raises(Malformed, match="name of a submission"):
        parse_name(text)


@given(st.text())
def test_any_text_is_a_name_or_our_error(text: str) -> None:
    """A hostile name gives Malformed and nothing else."""
    with pytest.raises(Malformed):
        parse_name(text)
