"""What a monitor keeps of the endorsements of one log, over all logs in which it finds them.

    endorsed/<name>-<16 hex of the keys' SHA-256>/new/<size>     an endorsed checkpoint, as the entry has it
    endorsed/<name>-<16 hex of the keys' SHA-256>/held/<size>    the same, once the log was held to it
    endorsed/<name>-<16 hex of the keys' SHA-256>/count          how many there are

One file for each size, whichever log has endorsed it: a second one of the same size has to state the same root, or the
log has shown two histories. That needs nothing but the log's keys. Where the log itself is watched, too, it is held to
each: what it shows has to be of one history with it. That is done once, as each visit shows that the log only grew. So
memory is that for one tree, however many there are.

A file is written, to last, before the record counts the entry that it is from (`tiles.watch.monitor_state`), and one
that is there is compared and not written: so a round that dies is gone on with, and nothing is found twice. A file that
is missing or damaged is no reason to begin anew in silence: it could be the one that a later one contradicts.
"""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from tiles.errors import AccessError, LogError, Malformed, Refused, TilesError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.encoding import decode_decimal
from tiles.notes.endorsement import parse_endorsement
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import policy_of
from tiles.read.client import LogClient
from tiles.read.endorsed import check_endorsed
from tiles.read.memories import CheckpointMemory
from tiles.tree.bundle import MAX_ENTRY_SIZE
from tiles.user.files import locked, make_directory, read_file, sync_directory, write_file
from tiles.watch.monitor_state import tidy

ENDORSED = "endorsed"
NEW, HELD = "new", "held"
COUNT = "count"

_AT_ONCE = 1000  # names that are held in memory
_AGAIN = "put it back from a backup; or remove {}, and name --begin first: what was read is read again for it"


class EndorsedLog:
    """A log whose endorsements are collected.

    directory   of the states of all logs
    keys        of the log, all of one name, which is its origin

    Methods raise AccessError for what cannot be read or written, and Refused for what is missing or damaged.
    """

    def __init__(self, directory: Path, keys: Sequence[VerifierKey]) -> None:
        self.origin = keys[0].name
        self.policy = policy_of(keys)
        self.id = sha256("\n".join(sorted({key.vkey for key in keys})).encode()).hexdigest()
        name = re.sub(r"[^A-Za-z0-9.-]+", "_", self.origin)[:80]
        self.folder = directory / ENDORSED / f"{name}-{self.id[:16]}"

    def is_of(self, keys: Sequence[VerifierKey]) -> bool:
        """Whether a log that has these keys is this one; all of its keys have to be among them."""
        return {log.key for log in self.policy.logs} <= set(keys)

    @property
    def is_begun(self) -> bool:
        """Whether anything is kept of it."""
        return (self.folder / COUNT).exists()

    def begin(self) -> None:
        """Make the place where endorsements are kept."""
        with locked(self.folder):
            if not self.is_begun:
                self._make_places()
                write_file(self.folder / COUNT, b"0\n")

    def check(self) -> None:
        """Raise Refused if anything that was kept is missing."""
        if not self.is_begun:
            raise self._refused(self.folder / COUNT, "is missing")
        with locked(self.folder):
            for folder in (self.folder, self.folder / NEW, self.folder / HELD):
                tidy(folder)
            count = self._count()
            there = sum(1 for place in (NEW, HELD) for _ in self._sizes(place))
            if there < count:
                raise self._refused(self.folder, f"has {there} endorsed checkpoints, and had {count}")
            if there > count:  # whoever wrote one died before it was counted
                write_file(self.folder / COUNT, b"%d\n" % there)

    def keep(self, signed: SignedCheckpoint) -> tuple[SignedCheckpoint, bool]:
        """Keep an endorsed checkpoint, unless there is one of its size; return that one, and whether it is new."""
        size = signed.tree.size
        with locked(self.folder):
            if (there := self._read(NEW, size) or self._read(HELD, size)) is not None:
                return there, False
            count = self._count()
            write_file(self.folder / NEW / str(size), signed.data)
            write_file(self.folder / COUNT, b"%d\n" % (count + 1))
        return signed, True

    def hold(self, client: LogClient, visits: CheckpointMemory) -> Iterator[TilesError]:
        """Hold the log, just visited, to each new tree, the smallest first; yield what is wrong with one, and stop.

        What the log contradicts, or cannot be held to, stays new, so it is told by each round.
        """
        while sizes := self._smallest():
            for size in sizes:
                try:
                    if (signed := self._read(NEW, size)) is not None:
                        check_endorsed(client, signed, visits)
                        self._move(size)
                except TilesError as error:
                    yield error
                    return

    @property
    def is_waiting(self) -> bool:
        """Whether there is a tree that the log was not held to."""
        return self.is_begun and next(self._sizes(NEW), None) is not None

    # ---- files

    def _make_places(self) -> None:
        try:
            for place in (NEW, HELD):
                make_directory(self.folder / place)
        except OSError as error:
            raise AccessError(f"{self.folder} cannot be written: {error.strerror}") from error

    def _smallest(self) -> list[int]:
        return heapq.nsmallest(_AT_ONCE, self._sizes(NEW))

    def _sizes(self, place: str) -> Iterator[int]:
        """Yield the sizes in a place, in any order; other files count for nothing."""
        try:
            with os.scandir(self.folder / place) as found:
                yield from (int(entry.name) for entry in found if re.fullmatch("0|[1-9][0-9]{0,18}", entry.name))
        except FileNotFoundError as error:
            raise self._refused(self.folder / place, "is missing") from error
        except OSError as error:
            raise AccessError(f"{self.folder / place} cannot be read: {error.strerror}") from error

    def _read(self, place: str, size: int) -> SignedCheckpoint | None:
        path = self.folder / place / str(size)
        data = read_file(path, MAX_ENTRY_SIZE)
        if data is None:
            return None
        try:
            signed = parse_endorsement(data)
            self.policy.accept(signed, self.origin)
        except LogError as error:
            raise self._refused(path, f"is damaged, or another log's: {error.message}") from error
        if signed.tree.size != size:
            raise self._refused(path, f"is the checkpoint of size {signed.tree.size}")
        return signed

    def _move(self, size: int) -> None:
        with locked(self.folder):
            try:
                (self.folder / NEW / str(size)).replace(self.folder / HELD / str(size))
                sync_directory(self.folder / HELD)
                sync_directory(self.folder / NEW)
            except OSError as error:
                raise AccessError(f"{self.folder / HELD} cannot be written: {error.strerror}") from error

    def _count(self) -> int:
        path = self.folder / COUNT
        data = read_file(path, 32)
        if data is None:
            raise self._refused(path, "is missing")
        text = data.decode("ascii", "replace").removesuffix("\n")
        try:
            count = decode_decimal(text, COUNT)
        except Malformed as error:
            raise self._refused(path, f"is damaged: {error.message}") from error
        return count

    def _refused(self, path: Path, problem: str) -> Refused:
        return Refused(f"{path} {problem}", hint=_AGAIN.format(self.folder))
