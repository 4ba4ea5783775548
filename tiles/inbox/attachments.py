"""What a submission has beside an entry: by what that is judged, and the file that is published with it. Pure.

None of it is logged. docs/admission.md, "Submissions with attachments", has the format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tiles.errors import Malformed, UsageError
from tiles.notes.encoding import decode_decimal

MAX_ATTACHMENTS = 4096  # of one submission
MAX_LINES_SIZE = MAX_ATTACHMENTS * len("certificate 1048575 33554432\n")  # bytes of the lines that name them

_LINE = re.compile(r"(timestamp|certificate|envelope|payload) ([0-9]{1,7}) ([0-9]{1,9})", re.ASCII)
# In the order in which they stand: how many an entry may have, and how long each may be. The format has limits of its
# own; a test holds them to those of the modules of `tiles.sigstore`, which are slow to import.
# A payload leaves 64 KiB of the largest submission for its header and the entry.
MOST = {
    "timestamp": (32, 16 * 1024),
    "certificate": (8, 32 * 1024),
    "envelope": (1, 32 << 20),
    "payload": (1, (256 << 20) - (64 << 10)),
}
_LEAST = dict.fromkeys(MOST, 1) | {"payload": 0}  # bytes: a file may be empty


@dataclass(frozen=True, slots=True)
class Attachments:
    """What is attached to one entry; nothing about it is verified, or parsed.

    timestamps     TimeStampResp of RFC 3161, over the signature in the entry
    certificates   DER: others than the one in the entry, of which a path to an authority may be made
    envelope       the DSSE envelope that was signed, as a file; b"" if there is none
    payload        the file whose digest the entry is, to be published; None if it is not to be
    """

    timestamps: tuple[bytes, ...] = field(default=(), repr=False)
    certificates: tuple[bytes, ...] = field(default=(), repr=False)
    envelope: bytes = field(default=b"", repr=False)
    payload: bytes | None = field(default=None, repr=False)

    @property
    def parts(self) -> Iterator[tuple[str, bytes]]:
        """What is there, in the order in which it stands: what each part is, and its bytes."""
        yield from (("timestamp", each) for each in self.timestamps)
        yield from (("certificate", each) for each in self.certificates)
        if self.envelope:
            yield "envelope", self.envelope
        if self.payload is not None:
            yield "payload", self.payload


NONE = Attachments()


def format_attachments(attached: Mapping[int, Attachments], count: int) -> tuple[bytes, bytes]:
    """Return the lines that name what is attached, and what follows the entries.

    attached   by the position of the entry, from 0
    count      how many entries there are
    Raises UsageError for more than a submission can have, an empty attachment, and a position that no entry has.
    """
    lines, bodies = [], []
    for position, one in sorted(attached.items()):
        if not 0 <= position < count:
            raise UsageError(f"something is attached to entry {position}, and there are {count}")
        numbers = dict.fromkeys(MOST, 0)
        for what, data in one.parts:
            numbers[what] += 1
            most, longest = MOST[what]
            if numbers[what] > most or not _LEAST[what] <= len(data) <= longest:
                raise UsageError(f"an entry has at most {most} {what}s, each of {_LEAST[what]} to {longest} bytes")
            lines.append(f"{what} {position} {len(data)}\n")
            bodies.append(data)
    if len(lines) > MAX_ATTACHMENTS:
        raise UsageError(f"a submission has at most {MAX_ATTACHMENTS} attachments, not {len(lines)}")
    return "".join(lines).encode("ascii"), b"".join(bodies)


@dataclass(frozen=True, slots=True)
class Named:
    """An attachment as a line names it: what it is, to which entry, and how many bytes."""

    what: str
    position: int
    size: int


def parse_lines(text: str, title: str, count: int) -> list[Named]:
    """Return what lines name: at least one attachment, in the one order.

    count   how many entries there are
    Raises Malformed.
    """
    order = list(MOST)
    named: list[Named] = []
    numbers: dict[tuple[int, str], int] = {}
    for line in text.split("\n")[:-1]:
        match = _LINE.fullmatch(line)
        if not match:
            raise Malformed(title, "not the line of an attachment", line)
        most, longest = MOST[match[1]]
        one = Named(match[1], decode_decimal(match[2], title), decode_decimal(match[3], title, maximum=longest))
        if one.position >= count or one.size < _LEAST[one.what]:
            raise Malformed(title, "an attachment of no entry, or of no bytes", line)
        if named and (named[-1].position, order.index(named[-1].what)) > (one.position, order.index(one.what)):
            raise Malformed(title, "attachments are not in order", line)
        numbers[one.position, one.what] = number = numbers.get((one.position, one.what), 0) + 1
        if number > most:
            raise Malformed(title, f"more than {most} {one.what}s of one entry", line)
        named.append(one)
    if not 1 <= len(named) <= MAX_ATTACHMENTS:
        raise Malformed(title, f"{len(named)} attachments, 1 to {MAX_ATTACHMENTS} can be", len(named))
    return named


def cut_attachments(named: list[Named], data: memoryview) -> dict[int, Attachments]:
    """Return what is attached to which entry. data: all of it, as long as the lines say together"""
    parts: dict[int, dict[str, list[bytes]]] = {}
    at = 0
    for one in named:
        parts.setdefault(one.position, {}).setdefault(one.what, []).append(bytes(data[at : at + one.size]))
        at += one.size
    return {
        position: Attachments(
            tuple(each.get("timestamp", ())),
            tuple(each.get("certificate", ())),
            b"".join(each.get("envelope", ())),
            each["payload"][0] if "payload" in each else None,
        )
        for position, each in parts.items()
    }
