"""Submissions: what somebody without the log's key asks to have logged, one object for one or many entries. Pure.

It lies at `inbox/<submitter>/<32 hex digits, random>-<SHA-256 of the object>` of the private part:

    tiletree-submission/v1\\n
    entries <count>\\n
    once\\n                        if what is in the log already need not be logged again
    \\n
    the entries, each with its length as a big-endian uint16

The storage decides who may create below `inbox/<submitter>/`. The digest shows whether the object was changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tiles.errors import Malformed, UsageError
from tiles.notes.encoding import decode_decimal
from tiles.records.paths import INBOX
from tiles.tree.bundle import decode_entries, encode_entries

TITLE = "tiletree-submission/v1"
NONCE_SIZE = 16  # bytes

_WHAT_NAME = "name of a submission"
SUBMITTER = "[a-z0-9][a-z0-9._-]{0,63}"  # what a submitter may be called, as a regular expression
_SUBMITTER = re.compile(SUBMITTER, re.ASCII)
_NAME = re.compile(rf"({SUBMITTER})/([0-9a-f]{{32}})-([0-9a-f]{{64}})", re.ASCII)
_HEADER = re.compile(rb"tiletree-submission/v1\nentries ([0-9]{1,19})\n(once\n)?\n")


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


def format_submission(entries: Sequence[bytes], *, once: bool = False) -> bytes:
    """Return the object that submits these entries. Raises UsageError for none, and for one that is too long.

    once   an entry that is in the log already is not to be logged again
    """
    if not entries:
        raise UsageError("a submission has at least one entry")
    asked = "once\n" if once else ""
    return f"{TITLE}\nentries {len(entries)}\n{asked}\n".encode("ascii") + encode_entries(entries)


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
    header = _header(data)
    entries = decode_entries(data[header.end :], TITLE)
    if len(entries) != header.entries:
        raise Malformed(TITLE, f"{len(entries)} entries instead of {header.entries}")
    return entries


class _Header(NamedTuple):
    entries: int
    once: bool
    end: int


def _header(data: bytes) -> _Header:
    match = _HEADER.match(data)
    if not match:
        raise Malformed(TITLE, "it does not begin with the header of a submission", data[:80])
    count = decode_decimal(match[1].decode("ascii"), TITLE)
    if not count:
        raise Malformed(TITLE, "no entries")
    return _Header(count, match[2] is not None, match.end())
