"""Attachments of submissions: one text for one value, within limits, and submissions of both versions are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.malformed import accept_or_refuse, refuse_changed
from tests.support.reference import flipped
from tiles.entries.payload import MAX_PAYLOAD_SIZE
from tiles.errors import Malformed, UsageError
from tiles.inbox.admission import MOST_SUBMISSION_BYTES
from tiles.inbox.attachments import MAX_ATTACHMENTS, MAX_LINES_SIZE, MOST, Attachments
from tiles.inbox.submission import Submission, count_entries, format_submission, is_once, parse_submission
from tiles.inbox.submission import read_submission as read
from tiles.sigstore.certificate import MAX_CERTIFICATE_SIZE
from tiles.sigstore.chain import MAX_INTERMEDIATES
from tiles.sigstore.dsse import MAX_ENVELOPE_SIZE
from tiles.sigstore.timestamp import MAX_TIMESTAMP_SIZE, MAX_TIMESTAMPS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "admission.md").read_text(encoding="utf-8")
ENTRIES = [b"one", b""]
ATTACHED = {0: Attachments(envelope=b"{}"), 1: Attachments((b"t", b"tt"))}
DATA = (
    b"tiletree-submission/v2\nentries 2\nenvelope 0 2\ntimestamp 1 1\ntimestamp 1 2\n\n"
    b"\x00\x03one\x00\x00" + b"{}" + b"t" + b"tt"
)


def form(submission: Submission) -> bytes:
    """Return a submission's object."""
    return format_submission(submission.entries, once=submission.once, attached=submission.attached)


@pytest.mark.parametrize(("version", "attached"), [("v1", {}), ("v2", ATTACHED)])
def test_the_bytes_in_the_document(version: str, attached: dict[int, Attachments]) -> None:
    """The vectors of docs/admission.md are written and read; a v1 is written wherever nothing is attached."""
    found = re.search(rf"^    {version}  ([0-9a-f]+)$", DOCUMENT, re.MULTILINE)
    assert found
    data = bytes.fromhex(found[1])
    assert format_submission(ENTRIES, attached=attached) == data
    assert read(data) == Submission(ENTRIES, attached=attached)
    assert (parse_submission(data), count_entries(data), is_once(data)) == (ENTRIES, 2, False)
    assert format_submission(ENTRIES, attached={0: Attachments()}).startswith(b"tiletree-submission/v1\n")


def test_the_limits_in_the_document() -> None:
    """The table says what the code refuses."""
    rows = re.findall(
        r"^\| `(timestamp|certificate|envelope|payload)` \|.*\| ([0-9,]+) \| ([0-9,]+) \|$", DOCUMENT, re.MULTILINE
    )
    assert len(rows) == 4
    assert MOST == {
        "timestamp": (MAX_TIMESTAMPS, MAX_TIMESTAMP_SIZE),
        "certificate": (MAX_INTERMEDIATES, MAX_CERTIFICATE_SIZE),
        "envelope": (1, MAX_ENVELOPE_SIZE),
        "payload": (1, MOST_SUBMISSION_BYTES - (1 << 16)),
    }
    assert MOST["payload"][1] < MAX_PAYLOAD_SIZE  # what readers take of it
    for what, *numbers in rows:
        most, longest = (int(number.replace(",", "")) for number in numbers)
        if what == "payload":
            assert (most, longest) == MOST[what]  # 256 MiB are not made in a test
            continue
        sizes = [[1] * most, [longest]]
        too_much = [[longest + 1]] if what == "envelope" else [[longest + 1], [0], [1] * (most + 1)]
        for each in sizes:
            form(Submission([b""], attached={0: attached(what, each)}))
        for each in too_much:
            with pytest.raises(UsageError, match=rf"at most {most} {what}s, each of 1 to {longest} bytes"):
                form(Submission([b""], attached={0: attached(what, each)}))


def attached(what: str, sizes: list[int]) -> Attachments:
    """Return attachments of a kind, of these sizes."""
    data = tuple(bytes(size) for size in sizes)
    return Attachments(envelope=data[0]) if what == "envelope" else Attachments(**{f"{what}s": data})


SOME = st.builds(
    Attachments,
    st.lists(st.binary(min_size=1, max_size=9), max_size=3).map(tuple),
    st.lists(st.binary(min_size=1, max_size=9), max_size=3).map(tuple),
    st.binary(max_size=9),
    st.none() | st.binary(max_size=9),
).filter(lambda one: one != Attachments())


@given(
    st.lists(st.binary(max_size=9), min_size=1, max_size=6).flatmap(
        lambda entries: st.builds(
            Submission, st.just(entries), st.booleans(), st.dictionaries(st.integers(0, len(entries) - 1), SOME)
        )
    )
)
def test_round_trip(submission: Submission) -> None:
    """Whatever can be submitted is read back, in whatever order it was given."""
    assert read(form(submission)) == submission


@given(st.binary() | st.builds(bytes.__add__, st.just(DATA[:60]), st.binary()))
@example(DATA.replace(b"timestamp 1 2\n", b"timestamp 1 2\n" * 100_000))
@example(DATA.replace(b"timestamp 1 2", b"timestamp 1 " + b"9" * 100_000))
@example(DATA.replace(b"1 2\n\n", b"1 2\n\xff\n\n"))
@example(b"tiletree-submission/v2\nentries 1048575\n" + bytes(MAX_LINES_SIZE + 2))
def test_arbitrary_bytes_give_a_submission_or_our_error(data: bytes) -> None:
    """Bytes that nobody wrote give Malformed, or what they submit."""
    accept_or_refuse(read, form, data)


def test_no_changed_bit_gives_the_same_submission() -> None:
    """A submission with a bit changed is malformed or another one."""
    for bit in range(8 * len(DATA)):
        try:
            assert read(flipped(DATA, bit)) != Submission(ENTRIES, attached=ATTACHED)
        except Malformed:
            continue


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"envelope 0 2", b"envelope 1 2"),  # behind it stands the same entry's timestamp
        (b"envelope 0 2", b"envelope 2 2"),
        (b"envelope 0 2", b"envelope 00 2"),
        (b"envelope 0 2", b"envelope 0 02"),
        (b"envelope 0 2", b"envelope 0 0"),
        (b"envelope 0 2", b"envelope 0 3"),
        (b"envelope 0 2", b"envelope 0 1"),
        (b"envelope 0 2", b"envelope 0 33554433"),
        (b"envelope 0 2", b"envelope 0  2"),
        (b"envelope 0 2", b"envelope 0 2\nenvelope 0 2"),
        (b"envelope 0 2", b"envelope 0 1\nenvelope 0 1"),
        (b"envelope 0 2", b"Envelope 0 2"),
        (b"envelope 0 2", b"payloads 0 2"),
        (b"envelope 0 2", b"payload 0 2\nenvelope 0 0"),
        (b"envelope 0 2", b"envelope 0 \xd9\xa2"),
        (b"envelope 0 2\ntimestamp 1 1", b"timestamp 1 1\nenvelope 0 2"),
        (b"timestamp 1 1", b"timestamp 1 16385"),
        (b"envelope 0 2\ntimestamp 1 1\ntimestamp 1 2\n", b""),  # a v2 without attachments is a v1
        (b"1 2\n\n", b"1 2\n"),
        (b"1 2\n\n", b"1 2\n\n\n"),
        (b"1 2\n\n", b"1 2\r\n\n"),
        (b"entries 2\n", b"entries 2\nOnce\n"),
        (b"entries 2", b"entries 3"),
        (b"entries 2", b"entries 02"),
        (b"entries 2", b"entries 0"),
        (b"tt", b"t"),
        (b"tt", b"ttt"),
    ],
)
def test_almost_a_submission_is_malformed(old: bytes, new: bytes) -> None:
    """One wrong thing each."""
    assert read(DATA) == Submission(ENTRIES, attached=ATTACHED)
    refuse_changed(read, DATA, old, new, "tiletree-submission/v2")


def test_a_payload_in_a_submission() -> None:
    """It follows the envelope, once; it may be empty, as a file may, and then it is there nevertheless."""
    header = b"tiletree-submission/v2\nentries 1\n"
    data = header + b"envelope 0 1\npayload 0 2\n\n\0\0epp"
    assert read(data) == Submission([b""], attached={0: Attachments(envelope=b"e", payload=b"pp")})
    assert form(read(data)) == data
    empty = header + b"payload 0 0\n\n\0\0"
    assert read(empty) == Submission([b""], attached={0: Attachments(payload=b"")})
    assert form(read(empty)) == empty
    for lines, size, says in (
        (b"payload 0 2\nenvelope 0 1\n", 3, "attachments are not in order"),
        (b"payload 0 1\npayload 0 1\n", 2, "more than 1 payloads of one entry"),
        (b"payload 1 1\n", 1, "an attachment of no entry"),
        (b"payload 0 00\n", 0, "malformed"),
        (b"payload 0 268369921\n", 9, "number above 268369920"),
        (b"payload 0 268369920\n", 9, "it is shorter than its attachments"),  # a bomb in words only
        (b"payload 0 9999999999\n", 9, "not the line of an attachment"),
    ):
        with pytest.raises(Malformed, match=says):
            read(header + lines + b"\n\0\0" + bytes(size))


def test_attachments_that_are_there_and_may_not_be() -> None:
    """Of an entry that is not there, too long, too many: with all their bytes, so that nothing else is wrong."""
    header, most = b"tiletree-submission/v2\nentries 1\n", MOST["timestamp"]
    for lines, size, says in (
        ([b"timestamp 1 1\n"], 1, "an attachment of no entry"),
        ([b"timestamp 0 %d\n" % (most[1] + 1)], most[1] + 1, "number above 16384"),
        ([b"timestamp 0 1\n"] * (most[0] + 1), most[0] + 1, "more than 32 timestamps of one entry"),
    ):
        with pytest.raises(Malformed, match=says):
            read(header + b"".join(lines) + b"\n\0\0" + bytes(size))
    count = MAX_ATTACHMENTS + 1
    lines = b"".join(b"timestamp %d 1\n" % number for number in range(count))
    with pytest.raises(Malformed, match="4097 attachments, 1 to 4096 can be"):
        read(b"tiletree-submission/v2\nentries %d\n" % count + lines + b"\n" + bytes(3 * count))


def test_attachments_longer_than_the_object() -> None:
    """Counted from its end they would begin before it: nothing is cut out from the wrong side."""
    for left in range(1, 6):
        for size in range(60, 80):
            data = b"tiletree-submission/v2\nentries 1\ntimestamp 0 %d\n\n\0\0" % size + bytes(left)
            with pytest.raises(Malformed):
                read(data)


def test_what_no_submission_can_hold() -> None:
    """Something attached to no entry, something empty, too many of them: a wrong call."""
    many = {number: Attachments((b"t",)) for number in range(MAX_ATTACHMENTS + 1)}
    for entries, attached_ in (
        ([b""], {1: Attachments((b"t",))}),
        ([b""], {-1: Attachments((b"t",))}),
        ([b""], {0: Attachments((b"",))}),
        ([b""] * len(many), many),
    ):
        with pytest.raises(UsageError):
            format_submission(entries, attached=attached_)
    del many[0]
    assert read(format_submission([b""] * (MAX_ATTACHMENTS + 1), attached=many)).attached == many


def test_more_lines_than_any_submission_has_are_not_looked_at() -> None:
    """The header is sought within what the lines of 4,096 attachments can have."""
    lines = b"timestamp 0 1\n" * (MAX_LINES_SIZE // 14 + 1)
    with pytest.raises(Malformed, match="the header has no end"):
        read(b"tiletree-submission/v2\nentries 1\n" + lines + b"\n\0\0")
