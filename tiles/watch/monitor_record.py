"""The record that a monitor keeps of a log between rounds. Pure.

    tiletree-monitor/v1
    log <SHA-256 of the log's vkey, in hex; of vkey and origin where the origin is another name>
    next <index>
    kept <bytes>
    tail <SHA-256 of the last of those bytes>
    digest <SHA-256 of the record without this line>
    endorsed <what another log is known by> <first index> <next index>

    <the checkpoint, a signed note>

There are any number of lines `endorsed`, sorted. The digests are for accidents: an older file or another log's, put in
the place of one, or a digit that changed, which would let an entry be left out or told twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from tiles.errors import Malformed
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.encoding import decode_decimal
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.records.fields import MAX_RECORD_SIZE, format_record, parse_digest, parse_repeating_record

MAX_POSITION_SIZE = MAX_NOTE_SIZE + MAX_RECORD_SIZE  # bytes
MAX_CURSORS = 256  # a record has room for a few more
TAIL = 4096  # bytes of matches.jsonl whose digest is in the record: they tell one file from another

_TITLE = "tiletree-monitor/v1"
_NAMES = ("log", "next", "kept", "tail")
_DIGEST = "digest"
_CURSOR = "endorsed"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The entries [first, next) were looked through for endorsements of another log.

    log   what that log is known by, 64 hex digits (`tiles.watch.monitor_endorsed.EndorsedLog.id`)
    """

    log: str
    first: int
    next: int


@dataclass(frozen=True, slots=True)
class Position:
    """What the record says.

    log       SHA-256, in hex, of what the log is known by (`tiles.notes.log_identity.kept_as`)
    next      the entry that is read next, at most the size of the tree that was seen
    kept      bytes of matches.jsonl
    tail      SHA-256, in hex, of the last TAIL of those, or of all if there are fewer
    seen      the largest checkpoint
    endorsed  how far its entries were looked through for endorsements, sorted by log; none beyond `next`
    """

    log: str
    next: int
    kept: int
    tail: str
    seen: SignedCheckpoint
    endorsed: tuple[Cursor, ...] = ()

    @property
    def data(self) -> bytes:
        """The record."""
        fields = list(zip(_NAMES, (self.log, str(self.next), str(self.kept), self.tail), strict=True))
        cursors = [(_CURSOR, f"{each.log} {each.first} {each.next}") for each in self.endorsed]
        digest = sha256(format_record(_TITLE, [*fields, *cursors]) + b"\n" + self.seen.data).hexdigest()
        return format_record(_TITLE, [*fields, (_DIGEST, digest), *cursors]) + b"\n" + self.seen.data


def parse_position(data: bytes) -> Position:
    """Return what a record says, whose `Position.data` is `data`. Raises Malformed."""
    head, blank, note = data.partition(b"\n\n")
    if not blank:
        raise Malformed(_TITLE, "no empty line before the checkpoint")
    names = (*_NAMES, _DIGEST)
    log, next_, kept, tail, _, *cursors = parse_repeating_record(_TITLE, head + b"\n", names, _CURSOR)
    found = Position(
        parse_digest(_TITLE, log),
        decode_decimal(next_, _TITLE),
        decode_decimal(kept, _TITLE),
        parse_digest(_TITLE, tail),
        parse_signed_checkpoint(note),
        tuple(map(_parse_cursor, cursors)),
    )
    if found.next > found.seen.tree.size:
        raise Malformed(_TITLE, f"entry {found.next} is next, and {found.seen.tree.size} were seen")
    logs = [each.log for each in found.endorsed]
    if logs != sorted(set(logs)):
        raise Malformed(_TITLE, f"the lines '{_CURSOR}' are not sorted, or one is there twice")
    for each in found.endorsed:
        if not each.first <= each.next <= found.next:
            raise Malformed(_TITLE, f"endorsements from {each.first} to {each.next}, and entry {found.next} is next")
    if found.data != data:
        raise Malformed(_TITLE, "its digest is another one, or it is not in canonical form")
    return found


def _parse_cursor(text: str) -> Cursor:
    log, *indexes = text.split(" ")
    if len(indexes) != 2:
        raise Malformed(_TITLE, f"not '{_CURSOR} <log> <first> <next>'", text)
    first, next_ = (decode_decimal(each, _TITLE) for each in indexes)
    return Cursor(parse_digest(_TITLE, log), first, next_)
