"""Submissions: what somebody without the log's key asks to have logged, one object for one or many entries. Pure.

It lies at `inbox/<submitter>/<32 hex digits, random>-<SHA-256 of the object>` of the private part:

    tiletree-submission/v1\\n
    entries <count>\\n
    once\\n                        if what is in the log already need not be logged again
    \\n
    the entries, each with its length as a big-endian uint16

One with attachments (`tiles.inbox.attachments`) is a `tiletree-submission/v2`: docs/admission.md has both formats.

The storage decides who may create below `inbox/<submitter>/`. The digest shows whether the object was changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tiles.errors import Malformed, UsageError
from tiles.inbox.attachments import (
    MAX_LINES_SIZE,
    Attachments,
    Named,
    cut_attachments,
    format_attachments,
    parse_lines,
)
from tiles.notes.encoding import decode_decimal
from tiles.records.paths import INBOX
from tiles.tree.bundle import decode_entries, encode_entries

TITLE = "tiletree-submission/v1"
TITLE_2 = "tiletree-submission/v2"  # of one with attachments
NONCE_SIZE = 16  # bytes

_WHAT_NAME = "name of a submission"
SUBMITTER = "[a-z0-9][a-z0-9._-]{0,63}"  # what a submitter may be called, as a regular expression
_SUBMITTER = re.compile(SUBMITTER, re.ASCII)
_NAME = re.compile(rf"({SUBMITTER})/([0-9a-f]{{32}})-([0-9a-f]{{64}})", re.ASCII)
_HEADER = re.compile(rb"tiletree-submission/v1\nentries ([0-9]{1,19})\n(once\n)?\n")
_HEADER_2 = re.compile(rb"tiletree-submission/v2\nentries ([0-9]{1,19})\n(once\n)?")


@dataclass(frozen=True, slots=True)
class Name:
    """Where a submission is.

    submitter   1 to 64 of a-z, 0-9, ".", "_" and "-", the first a letter or digit
    nonce       32 lower-case hexadecimal digits
    digest      SHA-256 of the object, 64 lower-case hexadecimal digits
    """

    submitter: str
    nonce: str
    digest: str

    @property
    def text(self) -> str:
        """The name below `inbox/`, by which a batch names it."""
        return f"{self.submitter}/{self.nonce}-{self.digest}"

    @property
    def path(self) -> str:
        """The path in the private part."""
        return INBOX + self.text


def parse_name(text: str) -> Name:
    """Return the submission that `text` names, relative to `inbox/`. Raises Malformed for any other text."""
    match = _NAME.fullmatch(text)
    if not match:
        raise Malformed(_WHAT_NAME, "not <submitter>/<32 hex digits>-<SHA-256>", text)
    return Name(match[1], match[2], match[3])


def is_submitter(text: str) -> bool:
    """Whether a submitter may be called that."""
    return _SUBMITTER.fullmatch(text) is not None


def check_submitter(text: str) -> str:
    """Return the name of a submitter. Raises UsageError if nobody may be called that."""
    if not is_submitter(text):
        raise UsageError(
            f"{text!r} cannot be the name of a submitter",
            hint="1 to 64 lower-case letters, digits, dots, underscores and hyphens; a letter or digit comes first",
        )
    return text


@dataclass(frozen=True, slots=True)
class Submission:
    """What is submitted.

    entries    at least one
    once       an entry that is in the log already is not to be logged again
    attached   what is attached to which entry, by its position from 0
    """

    entries: Sequence[bytes] = field(repr=False)
    once: bool = False
    attached: Mapping[int, Attachments] = field(default_factory=dict)


def format_submission(
    entries: Sequence[bytes], *, once: bool = False, attached: Mapping[int, Attachments] | None = None
) -> bytes:
    """Return the object that submits these entries. Raises UsageError for none, and for what no object can hold.

    once       an entry that is in the log already is not to be logged again
    attached   what is attached to which entry, by its position from 0; the object is a v2 only if something is
    """
    if not entries:
        raise UsageError("a submission has at least one entry")
    asked = "once\n" if once else ""
    lines, bodies = format_attachments(attached or {}, len(entries))
    title = TITLE_2 if lines else TITLE
    return (
        f"{title}\nentries {len(entries)}\n{asked}".encode("ascii") + lines + b"\n" + encode_entries(entries) + bodies
    )


def count_entries(data: bytes) -> int:
    """Return how many entries a submission says it has, at least one; only its header is looked at.

    Raises Malformed unless it begins as a submission does.
    """
    return _header(data).entries


def is_once(data: bytes) -> bool:
    """Whether a submission asks not to log again what is in the log. Raises Malformed as `count_entries` does."""
    return _header(data).once


def parse_submission(data: bytes) -> list[bytes]:
    """Return the entries, at least one. Raises Malformed for bytes that `format_submission` does not return."""
    return list(read_submission(data).entries)


def read_submission(data: bytes) -> Submission:
    """Return all that a submission says. Raises Malformed for bytes that `format_submission` does not return."""
    header = _header(data)
    end = len(data) - sum(one.size for one in header.named)
    if end < header.end:
        raise Malformed(header.title, "it is shorter than its attachments")
    entries = decode_entries(data[header.end : end], header.title)
    if len(entries) != header.entries:
        raise Malformed(header.title, f"{len(entries)} entries instead of {header.entries}")
    return Submission(entries, header.once, cut_attachments(header.named, memoryview(data)[end:]))


class _Header(NamedTuple):
    entries: int
    once: bool
    end: int
    title: str
    named: list[Named]


def _header(data: bytes) -> _Header:
    match = _HEADER.match(data)
    title = TITLE if match else TITLE_2
    match = match or _HEADER_2.match(data)
    if not match:
        raise Malformed(TITLE, "it does not begin with the header of a submission", data[:80])
    count = decode_decimal(match[1].decode("ascii"), title)
    if not count:
        raise Malformed(title, "no entries")
    end, named = match.end(), []
    if title == TITLE_2:
        end = data.find(b"\n\n", match.end(), match.end() + MAX_LINES_SIZE) + 2
        if end < 2:
            raise Malformed(title, "the header has no end, or more lines than a submission can have", data[:80])
        named = parse_lines(data[match.end() : end - 1].decode("ascii", "replace"), title, count)
    return _Header(count, match[2] is not None, end, title, named)
