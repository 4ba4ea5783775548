"""The texts of tlog-witness: the examples of the specification, and all that is not one of them."""

from __future__ import annotations

import pytest

from tests.support.witness_texts import ANSWER, REQUEST
from tiles.errors import Malformed, UsageError
from tiles.notes.witness_messages import (
    MAX_PROOF_LINES,
    AddCheckpoint,
    format_signatures,
    format_size,
    parse_add_checkpoint,
    parse_signatures,
    parse_size,
    seen_path,
)
from tiles.tree.merkle import to_hash


def test_the_example_of_a_request() -> None:
    """It is read, and printed again byte for byte."""
    request = parse_add_checkpoint(REQUEST.encode())
    assert request.old_size == 20_852_014
    assert len(request.proof) == 4
    assert (request.signed.origin, request.signed.tree.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert len(request.signed.note.signatures) == 2
    assert request.data == REQUEST.encode()


def test_a_request_without_proof() -> None:
    """The first request to a witness has none."""
    signed = parse_add_checkpoint(REQUEST.encode()).signed
    assert parse_add_checkpoint(AddCheckpoint(0, (), signed).data) == AddCheckpoint(0, (), signed)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("old 20852014\n", ""),
        ("old 20852014", "old 020852014"),
        ("old 20852014", "old -1"),
        ("old 20852014", "old  20852014"),
        ("old 20852014", "Old 20852014"),
        ("old 20852014", "old 9223372036854775808"),
        ("old 20852014\n", "old 20852014\r\n"),
        ("PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=", "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw"),
        ("PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=", "PlRN"),
        ("PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n", "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n" * 61),
        ("\n\nexample.com", "\nexample.com"),
        ("\n\nexample.com", "\n\n\nexample.com"),
        ("AYQ8=\n", "AYQ8=\nrest\n"),
    ],
)
def test_what_is_no_request(old: str, new: str) -> None:
    """What the format does not print is not read."""
    assert old in REQUEST
    with pytest.raises(Malformed):
        parse_add_checkpoint(REQUEST.replace(old, new, 1).encode())


def test_a_request_that_is_too_long() -> None:
    """What a peer sends is bounded before it is looked at."""
    with pytest.raises(Malformed, match="more than"):
        parse_add_checkpoint(REQUEST.encode() * 3_000)


def test_what_cannot_be_sent() -> None:
    """Sizes and proofs that no witness may accept are the caller's mistake."""
    signed = parse_add_checkpoint(REQUEST.encode()).signed
    with pytest.raises(UsageError, match="old size"):
        AddCheckpoint(-1, (), signed)
    with pytest.raises(UsageError, match="at most 63"):
        AddCheckpoint(1, (to_hash(bytes(32)),) * (MAX_PROOF_LINES + 1), signed)


def test_the_example_of_an_answer() -> None:
    """It is read, and printed again byte for byte."""
    lines = parse_signatures(ANSWER.encode())
    assert [line.name for line in lines] == ["witness.example/w1"] * 2 + ["witness.example/w2"]
    assert format_signatures(lines) == ANSWER.encode()


@pytest.mark.parametrize("data", [b"", b"\n", ANSWER.encode()[:-1], b"x\n", ANSWER.encode() + b"\n", b"\xff\n"])
def test_what_is_no_answer(data: bytes) -> None:
    """An answer is lines of signatures and nothing else."""
    with pytest.raises(Malformed):
        parse_signatures(data)


def test_an_answer_that_is_too_long() -> None:
    """Lines and bytes are both bounded."""
    with pytest.raises(Malformed, match="not 1 to 100 lines"):
        parse_signatures(ANSWER.encode() * 51)
    with pytest.raises(Malformed, match="more than"):
        parse_signatures(ANSWER.encode() * 10_000)


def test_a_size() -> None:
    """The answer 409."""
    assert parse_size(b"20852014\n") == 20_852_014
    assert format_size(20_852_014) == b"20852014\n"


@pytest.mark.parametrize("data", [b"", b"\n", b"7", b"07\n", b"-1\n", b"7\n\n", b"7 \n", b"9223372036854775808\n"])
def test_what_is_no_size(data: bytes) -> None:
    """A size is a number in one line, and nothing else."""
    with pytest.raises(Malformed):
        parse_size(data)


def test_where_a_witness_shows_what_it_saw() -> None:
    """ "The origin hash is the SHA-256 hash of the log's origin, hex encoded, in lowercase"."""
    digest = "5fd2dc0beb4ce54da5050cf6d5c75248b023abad441c3cecde3976fbe9da4fe4"  # by sha256sum
    assert seen_path("example.com/behind-the-sofa") == f"{digest}/checkpoint"
