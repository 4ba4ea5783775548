"""The index head: what a log, or whoever built an index of it, vouches for; docs/index-format.md, "The index head".

    tiletree/index/v1
    <origin>
    <kind>
    <covered size>
    <root hash of the log's tree at the covered size, base64>
    <L> <N> <number of records> <root of the run, base64>       one line for each live run, left to right

Everything in it is a function of the log's entries, so whoever recomputes it sees whether it is right. Parsing is not
verifying: `open_index_head` says whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tiles.errors import Malformed, UsageError
from tiles.notes.encoding import decode_base64, decode_decimal, decode_text, encode_base64, is_line
from tiles.notes.keys import SIGNS_TEXT, SigningKey, VerifierKey
from tiles.notes.note import Note, Signature, parse_note, verify_note
from tiles.tree.merkle import EMPTY_ROOT, HASH_SIZE, Hash, TreeHead, to_hash

RUN_ENTRIES = 4096  # the unit of level 0: a run of it covers one, two or three
FAN_OUT = 4  # a level's unit is as many of the level below
MAX_COVERED = 1 << 48  # entries: an index in a record has 6 bytes
MAX_LEVEL = 18  # its unit is MAX_COVERED entries
MAX_KEYS = 64  # of one kind that count of one entry
MAX_KIND_SIZE = 32  # characters: the third line of a checkpoint has 44
MAX_HEAD_SIZE = 16 << 10  # bytes, signed

_WHAT = "index head"
_TITLE = "tiletree/index/v1"
_KIND = re.compile(r"[a-z][a-z0-9]*(\.[a-z][a-z0-9]*)*/[1-9][0-9]{0,2}", re.ASCII)


def check_kind(kind: str) -> None:
    """Raise UsageError for what no kind of keys can be called."""
    if len(kind) > MAX_KIND_SIZE or not _KIND.fullmatch(kind):
        raise UsageError(
            f"a kind of keys is called like sha256/1 or acme.build/1, in {MAX_KIND_SIZE} characters at most"
        )


def is_local(kind: str) -> bool:
    """Whether an application made the kind: nobody else can recompute its keys, so it proves no absence."""
    return "." in kind


def run_range(level: int, number: int) -> range:
    """Return the entries that a run covers: units of its level, the last of which has its number.

    They are one to three of the four that make a unit of the next level. level, number   0 ≤ level, 0 ≤ number
    """
    unit = RUN_ENTRIES * int(FAN_OUT**level)
    return range((number - number % FAN_OUT) * unit, (number + 1) * unit)


def is_run(level: int, number: int) -> bool:
    """Whether there is a run of this level and number: four units are one of the next level."""
    return 0 <= level <= MAX_LEVEL and number % FAN_OUT != FAN_OUT - 1


def live_runs(covered: int) -> list[tuple[int, int]]:
    """Return level and number of the runs that cover the entries before `covered`, left to right.

    Raises UsageError unless it is a multiple of RUN_ENTRIES, and 0 ≤ covered ≤ MAX_COVERED.
    """
    if covered % RUN_ENTRIES or not 0 <= covered <= MAX_COVERED:
        raise UsageError(f"an index covers a multiple of {RUN_ENTRIES} entries, at most {MAX_COVERED}, not {covered}")
    runs: list[tuple[int, int]] = []
    units, level = covered // RUN_ENTRIES, 0
    while units:
        if units % FAN_OUT:
            runs.insert(0, (level, units - 1))
        units, level = units // FAN_OUT, level + 1
    return runs


@dataclass(frozen=True, slots=True)
class Run:
    """The records of a range of entries.

    level     0 ≤ level: its unit is RUN_ENTRIES * FAN_OUT ** level entries
    number    0 ≤ number: of the last unit that it covers (`run_range`)
    records   how many it has
    root      of the tree of its pages; EMPTY_ROOT without records
    """

    level: int
    number: int
    records: int
    root: Hash

    @property
    def covers(self) -> range:
        """The entries that it covers."""
        return run_range(self.level, self.number)

    @property
    def line(self) -> str:
        """Its line in an index head."""
        return f"{self.level} {self.number} {self.records} {encode_base64(self.root)}"


@dataclass(frozen=True, slots=True)
class IndexHead:
    """What is stated of an index of one kind of keys, unsigned.

    origin   of the log
    kind     of keys
    tree     of the log: the covered size, and its root
    runs     the live runs of the covered size, left to right
    Raises UsageError for what no head can state.
    """

    origin: str
    kind: str
    tree: TreeHead
    runs: tuple[Run, ...]

    def __post_init__(self) -> None:
        if not is_line(self.origin):
            raise UsageError("an origin is one line, not empty, without control characters")
        check_kind(self.kind)
        if len(self.tree.root) != HASH_SIZE or (self.tree.size == 0 and self.tree.root != EMPTY_ROOT):
            raise UsageError("the root hash is not one of a tree of the covered size")
        if [(run.level, run.number) for run in self.runs] != live_runs(self.tree.size):
            raise UsageError(f"the runs are not the live ones of {self.tree.size} entries")
        for run in self.runs:
            if not 0 <= run.records <= len(run.covers) * MAX_KEYS:
                raise UsageError(f"a run of {len(run.covers)} entries cannot have {run.records} records")
            if len(run.root) != HASH_SIZE or (run.root == EMPTY_ROOT) != (run.records == 0):
                raise UsageError("a run has the root of the empty tree if, and only if, it has no records")

    @property
    def text(self) -> bytes:
        """The note text: what is signed."""
        head = (_TITLE, self.origin, self.kind, str(self.tree.size), encode_base64(self.tree.root))
        return "".join(f"{line}\n" for line in (*head, *(run.line for run in self.runs))).encode()


def parse_index_head(text: bytes) -> IndexHead:
    """Return the head in an unsigned note text. Raises Malformed unless it is exactly `IndexHead.text`."""
    if len(text) > MAX_HEAD_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_HEAD_SIZE} bytes", len(text))
    lines = decode_text(text, _WHAT).removesuffix("\n").split("\n")
    if len(lines) < 5 or lines[0] != _TITLE:
        raise Malformed(_WHAT, f"not {_TITLE} and at least four lines more", lines[0])
    _, origin, kind, covered, root, *runs = lines
    tree = TreeHead(decode_decimal(covered, f"{_WHAT} size"), to_hash(decode_base64(root, f"{_WHAT} root hash")))
    try:
        head = IndexHead(origin, kind, tree, tuple(map(_parse_run, runs)))
    except UsageError as error:
        raise Malformed(_WHAT, error.message) from None
    if head.text != text:
        raise Malformed(_WHAT, "does not end in newline, or is not in canonical form")
    return head


def sign_index_head(head: IndexHead, key: SigningKey) -> Note:
    """Return the head, signed. key: an ED25519 key, the log's own or that of whoever built the index

    Raises UsageError for a key of another type: its signatures are of checkpoints only.
    """
    if key.verifier.type not in SIGNS_TEXT:
        raise UsageError(f"{key.verifier} signs checkpoints only, no index head")
    return Note(head.text, (Signature(key.verifier.name, key.verifier.key_id, key.sign(head.text)),))


def open_index_head(data: bytes, keys: Iterable[VerifierKey]) -> IndexHead:
    """Return a head that one of the keys has signed. Raises Malformed; SignatureError as `verify_note` does."""
    note = parse_note(data)
    verify_note(note, keys)
    return parse_index_head(note.text)


def _parse_run(line: str) -> Run:
    parts = line.split(" ")
    if len(parts) != 4:
        raise Malformed(_WHAT, "a run is not <L> <N> <records> <root>", line)
    level = decode_decimal(parts[0], f"{_WHAT} run", maximum=MAX_LEVEL)
    number, records = (decode_decimal(part, f"{_WHAT} run") for part in parts[1:3])
    return Run(level, number, records, to_hash(decode_base64(parts[3], f"{_WHAT} root of a run")))
