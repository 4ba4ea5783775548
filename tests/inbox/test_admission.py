"""The admission policy: one text for one policy; each of its rules refuses, and says why in a harmless line."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.malformed import accept_or_refuse, refuse_changed
from tiles.errors import Malformed, UsageError
from tiles.inbox.admission import (
    MAX_ADMISSION_SIZE,
    MOST_ENTRIES,
    OPEN,
    Admission,
    Admitted,
    admit,
    parse_admission,
    refusal_before_reading,
)
from tiles.inbox.rules import NotAdmitted
from tiles.inbox.submission import format_submission
from tiles.write.ahead import MAX_BATCH

NONCE = "0" * 32
FULL = Admission(1000, 2, 30, ("ann", "bob"))
TEXT = (
    b"tiletree-admission/v1\nmax-submission-bytes 1000\nmax-entries 2\nmax-entry-bytes 30\n"
    b"submitter ann\nsubmitter bob\n"
)
REASON = re.compile(r"[ -~]{0,199}[!-~]", re.ASCII)  # what can stand in a staged batch


def name_of(data: bytes, submitter: str = "ann") -> str:
    """Return the right name of a submission."""
    return f"{submitter}/{NONCE}-{sha256(data).hexdigest()}"


def test_the_text_of_the_open_policy() -> None:
    """Logs that exist have these very bytes: their heads name its digest."""
    assert OPEN.data == b"tiletree-admission/v1\n"
    assert parse_admission(OPEN.data) == OPEN == Admission(16 << 20, 65_536, 65_535, ())
    assert OPEN.sha256 == sha256(OPEN.data).hexdigest()


def test_the_text_of_a_full_policy() -> None:
    """All lines, in their order."""
    assert FULL.data == TEXT
    assert parse_admission(TEXT) == FULL
    with_payloads = TEXT.replace(b"max-entry-bytes 30\n", b"max-entry-bytes 30\nmax-payload-bytes 999\n")
    assert parse_admission(with_payloads) == replace(FULL, max_payload_bytes=999)
    assert replace(FULL, max_payload_bytes=999).data == with_payloads


@given(
    st.integers(1, 256 << 20),
    st.integers(1, 1 << 20),
    st.integers(1, 65_535),
    st.sets(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,5}", fullmatch=True), max_size=4),
    st.integers(0, 268_369_920),
)
def test_round_trip(size: int, count: int, longest: int, submitters: set[str], payload: int) -> None:
    """Whatever a policy can say is read back."""
    payload = min(payload, size - 1)
    admission = Admission(size, count, longest, tuple(sorted(submitters)), max_payload_bytes=payload)
    assert parse_admission(admission.data) == admission


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"max-entries 2", b"max-entries 0"),
        (b"max-entries 2", b"max-entries 02"),
        (b"max-entries 2", b"max-entries -2"),
        (b"max-entries 2", b"max-entries  2"),
        (b"max-entries 2", b"max-entries 2 "),
        (b"max-entries 2", b"max-entries"),
        (b"max-entries 2", b"max-entries 65536"),  # what holds anyway
        (b"max-entries 2", b"max-entries 1048577"),
        (b"max-entries 2", b"max-entries 2\nmax-entries 2"),
        (b"max-entry-bytes 30", b"max-entry-bytes 65535"),
        (b"max-entry-bytes 30", b"max-entry-bytes 65536"),
        (b"max-submission-bytes 1000", b"max-submission-bytes 16777216"),
        (b"max-submission-bytes 1000", b"max-submission-bytes 268435457"),
        (b"max-submission-bytes 1000\nmax-entries 2", b"max-entries 2\nmax-submission-bytes 1000"),
        (b"submitter ann\nsubmitter bob", b"submitter bob\nsubmitter ann"),
        (b"submitter bob", b"submitter ann"),
        (b"submitter bob", b"submitter Bob"),
        (b"submitter bob", b"submitter "),
        (b"submitter bob", b"submitter bob\n"),
        (b"submitter bob", b"max-entries 3"),
        (b"submitter ann", b"max-payload-bytes 0\nsubmitter ann"),  # what holds anyway
        (b"submitter ann", b"max-payload-bytes 1000\nsubmitter ann"),  # no submission could hold it
        (b"submitter ann", b"max-payload-bytes 09\nsubmitter ann"),
        (b"submitter ann", b"max-payload-bytes\nsubmitter ann"),
        (b"submitter ann\n", b"submitter ann\nmax-payload-bytes 9\n"),
        (b"max-entry-bytes 30\n", b"max-payload-bytes 9\nmax-entry-bytes 30\n"),
        (b"submitter bob\n", b"submitter bob"),
        (b"submitter", b"unknown"),
        (b"\n", b"\r\n"),
        (b"/v1", b"/v2"),
        (TEXT, b"tiletree-admission/v1"),
        (TEXT, b""),
    ],
)
def test_almost_a_policy_is_malformed(old: bytes, new: bytes) -> None:
    """One wrong thing each; a line that says what holds anyway is wrong too, or one policy had two texts."""
    refuse_changed(parse_admission, TEXT, old, new, "tiletree-admission/v1")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"junk\n", "v1: its first line has to be tiletree-admission/v1"),
        (OPEN.data + b"max-entries 5", "v1: its last line does not end in newline"),
        (OPEN.data + b"max-entries 5\nmax-entry-bytes x\n", "v1 line 3: not a decimal number without sign"),
        (OPEN.data + b"max-entries 5\nsubmitter ann\nmax-entries 6\n", "v1 line 4: it is unknown, or not where it"),
        (OPEN.data + b"submitter ann\nallow nothing\n", "v1 line 3: "),
        (OPEN.data + b"submitter ann\nmax-entries 65536\n", "v1 line 3: it is unknown, or not where it belongs"),
        (OPEN.data + b"max-entries 65536\n", "v1 line 2: it is not where it belongs, or states a default"),
    ],
)
def test_where_a_policy_is_wrong(text: bytes, says: str) -> None:
    """The line is named, and what should stand there; nothing of the file is shown, which may be another one."""
    with pytest.raises(Malformed) as raised:
        parse_admission(text)
    assert says in raised.value.plain


@given(st.binary() | st.builds(bytes.__add__, st.just(OPEN.data), st.binary()))
@example(OPEN.data + b"submitter a\n" * (MAX_ADMISSION_SIZE // 12))
def test_arbitrary_bytes_give_a_policy_or_our_error(data: bytes) -> None:
    """Bytes that nobody wrote give Malformed, or a policy whose text they are."""
    accept_or_refuse(parse_admission, lambda admission: admission.data, data)


@pytest.mark.parametrize(
    "values",
    [
        (0, 1, 1, ()),
        (1, MOST_ENTRIES + 1, 1, ()),
        (1, 1, 65_536, ()),
        (1, 1, 1, ("b", "a")),
        (1, 1, 1, ("a", "a")),
        (1, 1, 1, ("A",)),
        (1, 1, 1, tuple(f"{number:060}" for number in range(15_000))),
    ],
)
def test_what_no_policy_can_say(values: tuple[int, int, int, tuple[str, ...]]) -> None:
    """Values that have no text are a wrong call."""
    with pytest.raises(UsageError):
        Admission(*values)


def test_the_order_of_submitters_is_said() -> None:
    """Numbers do not count as numbers: which name stands wrong is said, and how it is sorted."""
    text = b"tiletree-admission/v1\n" + b"".join(b"submitter team%d\n" % number for number in range(1, 21))
    with pytest.raises(Malformed, match=r"sorted as text \(LC_ALL=C sort\): 'team10' cannot follow 'team9'"):
        parse_admission(text)


def test_every_admitted_submission_fits_a_commit() -> None:
    """No policy admits a submission that no commit could take."""
    assert MOST_ENTRIES <= MAX_BATCH


@pytest.mark.parametrize("most", [-1, 1000, 268_369_921])
def test_no_payload_is_larger_than_its_submission(most: int) -> None:
    """A limit that no submission could come up to is a wrong call: it would be refused for its size, whoever reads."""
    with pytest.raises(UsageError, match="max-payload-bytes"):
        Admission(max_submission_bytes=1000 if most < 10_000 else 256 << 20, max_payload_bytes=most)


@pytest.mark.parametrize("entries", [[b""], [b"a" * 30, b"b"]])
def test_what_is_admitted(entries: list[bytes]) -> None:
    """Whatever keeps to the limits, up to each of them, is admitted: its entries, in order."""
    data = format_submission(entries)
    assert refusal_before_reading(name_of(data), len(data), FULL) is None
    assert admit(name_of(data), data, FULL) == Admitted(entries)
    assert admit(name_of(data, "eve"), data, OPEN) == Admitted(entries)


DATA = format_submission([b"an entry"])


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [
        ("ann/x", 100, "the name is not <submitter>/<32 lower-case hex digits>-<SHA-256 of the object>"),
        (name_of(DATA, "eve"), 100, "the submitter eve is not admitted"),
        (name_of(DATA), 1001, "1001 bytes, 1000 is the most"),
        (name_of(DATA), 35, "35 bytes, which is less than any submission has"),
        (name_of(DATA), 1000, None),
        (name_of(DATA), 36, None),
    ],
)
def test_what_is_refused_unread(name: str, size: int, reason: str | None) -> None:
    """Name, submitter and length refuse by the listing alone, and so does what is read at that length."""
    assert refusal_before_reading(name, size, FULL) == reason
    if reason:
        with pytest.raises(NotAdmitted) as refused:
            admit(name, bytes(size), FULL)
        assert refused.value.message == reason


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (DATA, name_of(b""), f"the content has another SHA-256 than the name says: {sha256(DATA).hexdigest()}"),
        (bytes(50), None, "malformed tiletree-submission/v1: it does not begin with the header of a submission"),
        (DATA + b"\xff", None, "malformed tiletree-submission/v1: the last entry is cut short, 11 bytes in all"),
        (DATA + bytes(2), None, "malformed tiletree-submission/v1: 2 entries instead of 1"),
        (format_submission([b"1", b"2", b"3"]), None, "3 entries, 2 is the most"),
        (format_submission([b"1", bytes(31)]), None, "an entry has 31 bytes, 30 is the most"),
    ],
)
def test_what_is_refused_once_it_is_read(data: bytes, name: str | None, reason: str) -> None:
    """A wrong digest, a wrong form, too many entries, an entry that is too long: each with its reason."""
    name = name or name_of(data)
    assert refusal_before_reading(name, len(data), FULL) is None
    with pytest.raises(NotAdmitted) as refused:
        admit(name, data, FULL)
    assert refused.value.message == reason


def test_entries_beyond_the_limit_are_not_even_cut_out() -> None:
    """An object that says it has too many entries is refused for that, before its entries are made."""
    data = b"tiletree-submission/v1\nentries 70000\n\n" + bytes(3)
    with pytest.raises(NotAdmitted, match=r"^70000 entries, 65536 is the most$"):
        admit(name_of(data), data, OPEN)


@given(
    st.text() | st.just(""),
    st.binary() | st.builds(bytes.__add__, st.just(b"tiletree-submission/v1\nentries 1\n\n"), st.binary(max_size=50)),
)
@example("", b"tiletree-submission/v1\nentries \x1b[31m\n\n\x00\x00")
@example("ann/\x1b[2J\n", DATA)
@example("a" * 5000, DATA)
def test_hostile_objects_give_entries_or_a_harmless_reason(name: str, data: bytes) -> None:
    """Whatever the name and the bytes, a submission is admitted or refused by one short printable line."""
    reason = ""
    try:
        entries = admit(name or name_of(data), data, OPEN).entries
    except NotAdmitted as refused:
        reason = refused.message
    assert REASON.fullmatch(reason) if reason else format_submission(entries) == data
