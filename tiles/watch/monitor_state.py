"""What a monitor keeps of a log between rounds: a folder for each log, for one monitor at a time.

    <name>-<16 hex of the key's SHA-256>/state           one record, replaced whole
    <name>-<16 hex of the key's SHA-256>/matches.jsonl   the lines that were found, in the order of the entries

The record has the largest checkpoint that was seen, which entry is read next, and how long matches.jsonl is by then:

    tiletree-monitor/v1
    log <SHA-256 of the log's vkey, in hex; of vkey and origin where the origin is another name>
    next <index>
    kept <bytes>

    <the checkpoint, a signed note>

A round may die at any moment. Lines are appended and synced first, and the record is replaced then, so what is longer
than the record says was found by a round that died: it is cut off, and found again. So matches.jsonl has every line
once, and in order. What else is told of a line (standard output, a command) is told before the record is replaced, and
may be told again by the round after one that died.

A log without a record is not begun silently: a state that was lost would let it show another history.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Self

from tiles.errors import AccessError, LogError, Malformed, Refused, UsageError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.encoding import decode_decimal
from tiles.notes.keys import VerifierKey
from tiles.notes.log_identity import kept_as
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import Policy
from tiles.records.fields import format_record, parse_digest, parse_record
from tiles.user.files import locked, read_file, sync_directory, write_file
from tiles.user.seen_checkpoints import Visits

STATE = "state"
MATCHES = "matches.jsonl"

_TITLE = "tiletree-monitor/v1"
_NAMES = ("log", "next", "kept")
_MAX_SIZE = MAX_NOTE_SIZE + 1024  # bytes: the lines before the note have far less
_UNVISITED = "the log whose state this is was not visited"
_AGAIN = "put it back from a backup; or begin the log anew with --begin, and nothing before that is compared"


class Begin(Enum):
    """Where a log is begun that has no state: with its first entry, or with those logged from now on."""

    FIRST = "first"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Position:
    """What the record says.

    log    SHA-256, in hex, of what the log is known by (`tiles.notes.log_identity.kept_as`)
    next   the entry that is read next, at most the size of the tree that was seen
    kept   bytes of matches.jsonl
    seen   the largest checkpoint
    """

    log: str
    next: int
    kept: int
    seen: SignedCheckpoint

    @property
    def data(self) -> bytes:
        """The record."""
        values = (self.log, str(self.next), str(self.kept))
        return format_record(_TITLE, list(zip(_NAMES, values, strict=True))) + b"\n" + self.seen.data


def parse_position(data: bytes) -> Position:
    """Return what a record says, whose `Position.data` is `data`. Raises Malformed."""
    head, blank, note = data.partition(b"\n\n")
    if not blank:
        raise Malformed(_TITLE, "no empty line before the checkpoint")
    log, next_, kept = parse_record(_TITLE, head + b"\n", _NAMES)
    found = Position(
        parse_digest(_TITLE, log),
        decode_decimal(next_, _TITLE),
        decode_decimal(kept, _TITLE),
        parse_signed_checkpoint(note),
    )
    if found.data != data:
        raise Malformed(_TITLE, "not in canonical form")
    if found.next > found.seen.tree.size:
        raise Malformed(_TITLE, f"entry {found.next} is next, and {found.seen.tree.size} were seen")
    return found


def folder_of(directory: Path, key: VerifierKey, origin: str | None = None) -> Path:
    """Return where the state of a log is kept.

    key      the first one that the policy has of the log
    origin   of the log, where it is not the key's name
    """
    name = re.sub(r"[^A-Za-z0-9.-]+", "_", key.name)[:80]
    return directory / f"{name}-{_digest(key, origin)[:16]}"


class LogState:
    """The state of one log, for one round: what the client remembers (`CheckpointMemory`), and how far it was read.

    directory   of the states of all logs
    policy      whose keys the log has; a state is of the first one of the log's origin
    begin       where a log without a state is begun; None: it is refused

    It is of the log whose checkpoint is visited. Leaving the context ends the round. Methods raise AccessError for what
    cannot be read or written, and Refused for a state that is missing, damaged or another log's.
    """

    def __init__(self, directory: Path, policy: Policy, begin: Begin | None = None) -> None:
        self._directory = directory
        self._logs = replace(policy, witnesses=(), groups=(), quorum=None)
        self._begin = begin
        self._open = ExitStack()
        self._folder: Path | None = None
        self._position: Position | None = None
        self._file: BinaryIO | None = None
        self._trouble: OSError | None = None
        self._length = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        with suppress(OSError):  # of lines that do not count
            self._open.close()

    # ---- how far the log was read

    @property
    def folder(self) -> Path:
        """Where the state of the log is, which has been visited."""
        if self._folder is None:
            raise UsageError(_UNVISITED)
        return self._folder

    @property
    def next(self) -> int:
        """The entry that is to be read next."""
        return self._known.next

    @property
    def _known(self) -> Position:
        if self._position is None:
            raise UsageError(_UNVISITED)
        return self._position

    def keep(self, line: bytes) -> None:
        """Append a line to matches.jsonl. It counts once `advance` has returned."""
        with self._writing() as file:
            file.write(line)
        self._length += len(line)

    def advance(self, next_: int) -> None:
        """Take down that all entries before this one were read, and what was kept of them."""
        known = self._known
        if self._length != known.kept:
            with self._writing() as file:
                file.flush()
                os.fsync(file.fileno())
        if (next_, self._length) != (known.next, known.kept):
            self._write(replace(known, next=next_, kept=self._length))

    # ---- what the client remembers

    def last(self, key: VerifierKey, origin: str | None = None) -> SignedCheckpoint | None:
        """Return the largest checkpoint that was seen of a log; None if it has no state."""
        if self._folder is None:
            self._find(origin or key.name)
        return None if self._position is None else self._position.seen

    def remember(self, key: VerifierKey, signed: SignedCheckpoint, since: SignedCheckpoint | None) -> bool:
        """Remember a checkpoint that extends `since`; a log without a state is begun, or refused."""
        last = self.last(key, signed.origin)
        if (last and last.data) != (since and since.data):
            return False
        if self._position is None:
            if self._begin is None:
                raise Refused(
                    f"{self._directory} has no state of {signed.origin}",
                    hint="if the log was never watched there, --begin first or --begin new begins it; if the state was "
                    "lost, put it back from a backup: nobody would notice another history otherwise",
                )
            next_ = 0 if self._begin is Begin.FIRST else signed.tree.size
            self._write(Position(_digest(self._logs.keys_of(signed.origin)[0], signed.origin), next_, 0, signed))
        elif signed.tree.size > self._position.seen.tree.size:
            self._write(replace(self._position, seen=signed))
        return True

    def before(self, _key: VerifierKey, _origin: str | None = None) -> tuple[VerifierKey, ...]:
        """Return none: the state of a log that is known by another key is refused."""
        return ()

    def save_evidence(self, key: VerifierKey, evidence: Mapping[str, bytes]) -> Path:
        """Keep the evidence of a fork, or of an index that lies, below the directory, and return where it is."""
        return Visits(self._directory).save_evidence(key, evidence)

    # ---- files

    def _find(self, origin: str) -> None:
        """Find, lock and read the state of a log."""
        key = self._logs.keys_of(origin)[0]
        folder = folder_of(self._directory, key, origin)
        if self._begin is None and not folder.is_dir():
            return
        self._open.enter_context(locked(folder, wait=0))
        self._folder = folder
        _tidy(folder)
        data = read_file(folder / STATE, _MAX_SIZE)
        if data is not None:
            self._position = self._parsed(key, origin, data)
            self._check_matches(self._position.kept)
        elif (folder / MATCHES).exists():
            raise Refused(f"{folder / STATE} is missing, and {MATCHES} is there", hint=f"{_AGAIN}, in another place")

    def _parsed(self, key: VerifierKey, origin: str, data: bytes) -> Position:
        path = self.folder / STATE
        try:
            found = parse_position(data)
            self._logs.accept(found.seen, origin)
        except LogError as error:
            raise Refused(f"{path} is damaged, or another log's: {error.message}", hint=_AGAIN) from error
        if found.log != _digest(key, origin):
            raise Refused(f"{path} is the state of another log", hint=_AGAIN)
        return found

    def _check_matches(self, kept: int) -> None:
        path = self.folder / MATCHES
        try:
            length = path.stat().st_size
        except FileNotFoundError:
            length = 0
        except OSError as error:
            raise AccessError(f"{path} cannot be read: {error.strerror}") from error
        if length < kept:
            raise Refused(f"{path} has {length} bytes, and had {kept}: lines are lost", hint=_AGAIN)
        self._length = length
        if length > kept:  # of a round that died
            self._cut(kept)

    def _cut(self, kept: int) -> None:
        with self._writing() as file:
            file.truncate(kept)
            file.seek(kept)
            os.fsync(file.fileno())
        self._length = kept

    @contextmanager
    def _writing(self) -> Iterator[BinaryIO]:
        """Give matches.jsonl, open at its end, whose name lasts, too.

        Once something was not written, nobody knows what the file holds: nothing counts until the next round opens it.
        """
        path = self.folder / MATCHES
        if self._trouble is not None:
            raise _unwritable(path, self._trouble)
        try:
            if self._file is None:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                self._file = self._open.enter_context(os.fdopen(descriptor, "r+b"))
                self._file.seek(0, os.SEEK_END)
                sync_directory(path.parent)
            yield self._file
        except OSError as error:
            self._trouble = error
            raise _unwritable(path, error) from error

    def _write(self, position: Position) -> None:
        write_file(self.folder / STATE, position.data)
        self._position = position


def _tidy(folder: Path) -> None:
    """Remove what writers of the record left that died; nobody else writes there now."""
    with suppress(OSError):
        for path in folder.glob(".*.tmp"):
            path.unlink()


def _digest(key: VerifierKey, origin: str | None) -> str:
    return sha256(kept_as(key, origin).encode()).hexdigest()


def _unwritable(path: Path, error: OSError) -> AccessError:
    return AccessError(f"{path} cannot be written: {error.strerror}")
