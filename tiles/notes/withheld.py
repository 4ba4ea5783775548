"""What a log says of entries that it withholds: their bytes are denied to readers, and stay what was logged.

    tiletree/withheld/v1
    <origin>
    <number of the entry bundle>
    <index> <leaf hash, base64> <reason>       one line for each withheld entry of the bundle, by index

It is signed by the log's key, and served beside the tiles (`tiles.records.paths.withheld_path`). No tree depends on it:
the leaf hash of a withheld entry stays where it is, and so does every proof. Without a record that the log has signed,
an entry bundle that is not there is a bundle that was lost. Parsing is not verifying: `open_withheld` says whose it is.
No such text is a checkpoint: its third line has no 44 characters. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tiles.errors import Malformed, UsageError
from tiles.notes.encoding import decode_base64, decode_decimal, decode_text, encode_base64, is_line
from tiles.notes.keys import SIGNS_TEXT, SigningKey, VerifierKey
from tiles.notes.note import Note, Signature, parse_note, verify_note
from tiles.tree.layout import TILE_WIDTH
from tiles.tree.merkle import HASH_SIZE, Hash, to_hash

MAX_REASON_SIZE = 200  # characters
MAX_WITHHELD_SIZE = (
    1 << 18
)  # bytes, signed: 256 lines of the longest reason, each character of which has 4 bytes at most

_WHAT = "record of withheld entries"
_TITLE = "tiletree/withheld/v1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One withheld entry.

    index    0 ≤ index
    leaf     its leaf hash
    reason   one line, not empty, without control characters, at most MAX_REASON_SIZE characters
    """

    index: int
    leaf: Hash
    reason: str

    @property
    def line(self) -> str:
        """Its line in the record."""
        return f"{self.index} {encode_base64(self.leaf)} {self.reason}"


@dataclass(frozen=True, slots=True)
class Withheld:
    """The withheld entries of one entry bundle, unsigned.

    origin   of the log
    bundle   its number, 0 ≤ bundle
    entries  at least one, by index, each in the bundle
    Raises UsageError for what no record can say.
    """

    origin: str
    bundle: int
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        if not is_line(self.origin):
            raise UsageError("an origin is one line, not empty, without control characters")
        indexes = [entry.index for entry in self.entries]
        if not indexes or indexes != sorted(set(indexes)):
            raise UsageError("withheld entries are at least one, by index, each once")
        if self.bundle < 0 or any(index // TILE_WIDTH != self.bundle for index in indexes):
            raise UsageError(f"not all of these entries are in bundle {self.bundle}")
        for entry in self.entries:
            check_reason(entry.reason)
            if len(entry.leaf) != HASH_SIZE:
                raise UsageError(f"a leaf hash has {HASH_SIZE} bytes")

    @property
    def text(self) -> bytes:
        """The note text: what is signed."""
        lines = (_TITLE, self.origin, str(self.bundle), *(entry.line for entry in self.entries))
        return "".join(f"{line}\n" for line in lines).encode()

    def extended(self, entry: Entry) -> Withheld:
        """Return the record that also has this entry, or has it instead of what it said of the same index."""
        others = [each for each in self.entries if each.index != entry.index]
        return replace(self, entries=tuple(sorted([*others, entry], key=lambda each: each.index)))


def check_reason(reason: str) -> None:
    """Raise UsageError for what cannot be a reason."""
    if not is_line(reason) or reason != reason.strip() or len(reason) > MAX_REASON_SIZE:
        raise UsageError(f"a reason is one line of 1 to {MAX_REASON_SIZE} characters, without control characters")


def parse_withheld(text: bytes) -> Withheld:
    """Return the record in an unsigned note text. Raises Malformed unless it is exactly `Withheld.text`."""
    lines = decode_text(text, _WHAT).removesuffix("\n").split("\n")
    if len(lines) < 4 or lines[0] != _TITLE:
        raise Malformed(_WHAT, f"not {_TITLE} and at least three lines more", lines[0])
    _, origin, bundle, *entries = lines
    try:
        found = Withheld(origin, decode_decimal(bundle, _WHAT), tuple(map(_parse_entry, entries)))
    except UsageError as error:
        raise Malformed(_WHAT, error.message) from None
    if found.text != text:
        raise Malformed(_WHAT, "does not end in newline, or is not in canonical form")
    return found


def sign_withheld(said: Withheld, key: SigningKey) -> Note:
    """Return the record, signed by the log's key. Raises UsageError for a key that signs checkpoints only."""
    if key.verifier.type not in SIGNS_TEXT:
        raise UsageError(f"{key.verifier} signs checkpoints only, no record of withheld entries")
    return Note(said.text, (Signature(key.verifier.name, key.verifier.key_id, key.sign(said.text)),))


def read_withheld(data: bytes) -> Note:
    """Return the note that a record is in. VERIFIES NOTHING. Raises Malformed."""
    if len(data) > MAX_WITHHELD_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_WITHHELD_SIZE} bytes", len(data))
    return parse_note(data)


def open_withheld(data: bytes, keys: Iterable[VerifierKey]) -> Withheld:
    """Return a record that one of the keys has signed. Raises Malformed; SignatureError as `verify_note` does."""
    note = read_withheld(data)
    verify_note(note, keys)
    return parse_withheld(note.text)


def _parse_entry(line: str) -> Entry:
    parts = line.split(" ", 2)
    if len(parts) != 3:
        raise Malformed(_WHAT, "an entry is not <index> <leaf hash> <reason>", line)
    return Entry(decode_decimal(parts[0], _WHAT), to_hash(decode_base64(parts[1], _WHAT)), parts[2])
