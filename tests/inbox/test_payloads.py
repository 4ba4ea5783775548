"""Payloads of submissions: which are published, and where; what is not what its entry says is refused."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.entry_texts import PLAIN
from tiles.entries.blinded import blinded_entry
from tiles.entries.file_digest import DigestEntry, digest_entry
from tiles.entries.payload import payload_of
from tiles.inbox.admission import OPEN, Admission, Admitted, admit
from tiles.inbox.attachments import Attachments
from tiles.inbox.rules import NotAdmitted, Rule
from tiles.inbox.submission import format_submission

DOCUMENT = (Path(__file__).parents[2] / "docs" / "admission.md").read_text(encoding="utf-8")
FILE = b"hi\n"
HEX = sha256(FILE).hexdigest()
ENTRY = digest_entry(HEX, 3)
PATH = f"payload/sha256/{HEX}"
TWENTY = Admission(max_payload_bytes=20)


def submitted(*entries: bytes, admission: Admission = TWENTY, once: bool = False, **payloads: bytes) -> Admitted:
    """Return what is taken of entries with payloads, each named by "p" and the position of its entry."""
    attached = {int(name[1:]): Attachments(payload=data) for name, data in payloads.items()}
    data = format_submission(entries, once=once, attached=attached)
    return admit(f"ann/{'0' * 32}-{sha256(data).hexdigest()}", data, admission)


def test_the_bytes_in_the_document() -> None:
    """The vector of docs/admission.md is what is submitted of a file with its payload, and what is taken of it."""
    found = re.search(r"^    payload  ([0-9a-f]+)$", DOCUMENT, re.MULTILINE)
    assert found
    data = bytes.fromhex(found[1])
    assert format_submission([ENTRY], once=True, attached={0: Attachments(payload=FILE)}) == data
    name = f"ann/{'0' * 32}-{sha256(data).hexdigest()}"
    assert admit(name, data, TWENTY) == Admitted([ENTRY], True, {PATH: FILE})


def test_where_readers_look() -> None:
    """A payload is published where readers of its entry look for it, named or not, empty or as long as may be."""
    for file in (b"", FILE, bytes(20)):
        hexadecimal = sha256(file).hexdigest()
        for entry in (digest_entry(hexadecimal, len(file)), DigestEntry(hexadecimal, len(file), "a name").data):
            assert submitted(entry, p0=file) == Admitted([entry], False, {payload_of(entry): file})


def test_several_of_one_submission() -> None:
    """Each goes by its position; entries of the same file share one, and others need none."""
    named = DigestEntry(HEX, 3, "name").data
    taken = submitted(b"raw", ENTRY, named, PLAIN.encode(), p1=FILE, p2=FILE, once=True)
    assert taken == Admitted([b"raw", ENTRY, named, PLAIN.encode()], True, {PATH: FILE})


@pytest.mark.parametrize(
    ("entries", "payload", "reason"),
    [
        ([ENTRY], b"hi!", "with another SHA-256 than it says"),
        ([ENTRY], b"hi", "of 2 bytes, and says 3"),
        ([ENTRY], b"", "of 0 bytes, and says 3"),
        ([digest_entry(HEX, 4)], FILE, "of 3 bytes, and says 4"),
        ([digest_entry(sha256(bytes(21)).hexdigest(), 21)], bytes(21), "of 21 bytes, 20 is the most"),
        ([FILE], FILE, "and is not the digest of a file"),
        ([b""], b"", "and is not the digest of a file"),
        ([ENTRY + b"\n"], FILE, "and is not the digest of a file"),
        ([blinded_entry(bytes(32), DigestEntry(HEX, 3))], FILE, "and is not the digest of a file"),
    ],
)
def test_what_is_refused(entries: list[bytes], payload: bytes, reason: str) -> None:
    """What is not the file that its entry says, is too long, or belongs to no file."""
    with pytest.raises(NotAdmitted) as refused:
        submitted(*entries, p0=payload)
    assert refused.value.message.removeprefix("entry 0 has a payload").lstrip(", ") == reason
    with pytest.raises(NotAdmitted, match=r"^entry 1 has a payload"):
        submitted(ENTRY, *entries, p0=FILE, p1=payload)


@pytest.mark.parametrize("file", [b"", FILE])
def test_no_policy_admits_payloads_unless_it_says_so(file: bytes) -> None:
    """A log that was begun before there were any, or without a thought of them, publishes nothing."""
    entry = digest_entry(sha256(file).hexdigest(), len(file))
    for admission in (OPEN, Admission(rules=(Rule("file"),)), Admission(submitters=("ann",))):
        with pytest.raises(NotAdmitted, match=r"^entry 0 has a payload, and the policy has no max-payload-bytes that"):
            submitted(entry, admission=admission, p0=file)
        assert submitted(entry, admission=admission) == Admitted([entry])


def test_rules_and_limits_hold_as_ever() -> None:
    """That payloads are admitted admits no entry, no submitter and no size that would not be."""
    for admission in (
        Admission(rules=(Rule("raw"),), max_payload_bytes=20),
        Admission(submitters=("bob",), max_payload_bytes=20),
        Admission(max_submission_bytes=100, max_payload_bytes=20),
    ):
        with pytest.raises(NotAdmitted):
            submitted(ENTRY, admission=admission, p0=FILE)


@given(st.binary(max_size=25), st.binary(max_size=25))
def test_only_the_file_itself(file: bytes, payload: bytes) -> None:
    """Whatever is attached, it is published at the path of its own SHA-256, or refused."""
    entry = digest_entry(sha256(file).hexdigest(), len(file))
    try:
        taken = submitted(entry, p0=payload)
    except NotAdmitted:
        assert payload != file or len(file) > 20
    else:
        assert taken.payloads == {f"payload/sha256/{sha256(payload).hexdigest()}": payload}
        assert payload == file
