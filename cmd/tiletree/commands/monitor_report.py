"""What `tiletree monitor` says: of each log, line by line, from threads; and to the command of --exec."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import Any

from tiles.entries.other_keys import keys_in
from tiles.entries.other_logs import kind_in
from tiles.errors import AccessError, TilesError, UsageError
from tiles.index.key_text import text_of
from tiles.tree.merkle import leaf_hash
from tiles.watch.monitor import Round
from tiles.watch.monitor_reading import Match, Unread
from tiletree.ui import (
    EXIT_ACCESS,
    EXIT_ALARM,
    EXIT_FAULT,
    EXIT_OK,
    EXIT_OTHER_HISTORY,
    EXIT_REFUSED,
    EXIT_USAGE,
    EXIT_WRONG,
    Output,
    exit_code,
    own_fault,
)

EXEC_SECONDS = 300.0  # that the command of --exec may take for one document

# what the command exits with if several things were found: the first of these
_WORST_FIRST = (
    EXIT_OTHER_HISTORY, EXIT_WRONG, EXIT_FAULT, EXIT_REFUSED, EXIT_USAGE, EXIT_ALARM, EXIT_ACCESS, EXIT_OK,
)  # fmt: skip


class Handler:
    """The command of --exec: it gets one JSON document on standard input at a time, and no word of it otherwise.

    text      program and arguments, as a shell splits them; no shell runs it
    seconds   that it may take for one document
    Raises UsageError if there is no such program.
    """

    def __init__(self, text: str, seconds: float = EXEC_SECONDS) -> None:
        try:
            self._words = shlex.split(text)
        except ValueError as error:
            raise UsageError(f"--exec {text}: {error}") from error
        if not self._words or shutil.which(self._words[0]) is None:
            raise UsageError(f"--exec {text}: there is no such program")
        self._name = self._words[0]
        self._seconds = seconds

    def take(self, line: bytes) -> None:
        """Hand over a line. Raises AccessError unless it was taken: exit code 0 says so."""
        try:
            # in a session of its own: whatever it starts is ended with it, and Ctrl-C is for the monitor
            process = subprocess.Popen(  # noqa: S603  whoever calls the monitor names it
                self._words, stdin=subprocess.PIPE, stdout=_standard_error(), start_new_session=True
            )
        except OSError as error:
            raise AccessError(f"--exec: {self._name} cannot be run: {error.strerror}") from error
        try:
            process.communicate(line, timeout=self._seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AccessError(f"--exec: {self._name} did not end in {self._seconds:g} seconds") from None
        if process.returncode:
            hint = "what it did not take is told again by the next round"
            raise AccessError(f"--exec: {self._name} ended with {process.returncode}", hint=hint)


def _standard_error() -> int:
    """Return where the output of the command goes: standard output is the monitor's own."""
    try:
        os.fstat(2)
    except OSError:
        return subprocess.DEVNULL
    return 2


class Report:
    """What all logs of a call have in common. Threads share it.

    codes   the exit codes of all that was said
    """

    def __init__(self, out: Output, handler: Handler | None) -> None:
        self.handler = handler
        self.codes: set[int] = {EXIT_OK}
        self._out = out
        self._lock = Lock()
        self._is_closed = False

    def close(self) -> int:
        """Say nothing more, and return what the command exits with: the worst that was found.

        A round that is still under way is told so, and leaves what it could not say to the next one.
        """
        with self._lock:
            self._is_closed = True
            self._out.is_answer = False  # it is kept: where standard output fails, nothing has to be done again
            return next(code for code in _WORST_FIRST if code in self.codes)

    def say(self, document: dict[str, Any], line: str, *, code: int = EXIT_OK, is_report: bool = False) -> None:
        """Print one document, or its line. Raises AccessError if nothing is said any more."""
        with self._lock:
            if self._is_closed:
                raise AccessError("the monitor has ended")
            self.codes.add(code)
            if is_report and not self._out.json:
                self._out.line(line)
            else:
                self._out.answer(document, line)

    def fail(self, log: str, kind: str, message: str, hint: str, code: int) -> None:
        """Print what is wrong with a log, unless nothing is said any more."""
        with self._lock:
            if self._is_closed:
                return
            self.codes.add(code)
            self._out.partial = {"event": "trouble", "log": log, "code": code}
            self._out.error(kind, message if log in message else f"{log}: {message}", hint)
            self._out.partial = {}


class Teller:
    """What is said of one log (`tiles.watch.monitor.Receiver`).

    log         its address, as it may be shown
    is_quiet    a round in which nothing happened is not said
    """

    def __init__(self, report: Report, log: str, *, is_quiet: bool) -> None:
        self._report = report
        self._log = log
        self._is_quiet = is_quiet
        self._size: int | None = None

    @property
    def is_slow(self) -> bool:
        """Whether a command is run for each line: none should be run twice."""
        return self._report.handler is not None

    def line(self, origin: str, found: Match | Unread) -> bytes:
        """Return the document of what was found, in one line."""
        document = _match(self._log, origin, found) if isinstance(found, Match) else _unread(self._log, origin, found)
        return json.dumps(document).encode() + b"\n"

    def tell(self, line: bytes) -> None:
        """Hand a line to the command, and print it."""
        if self._report.handler is not None:
            self._report.handler.take(line)
        document = json.loads(line)
        if document["event"] == "withheld":
            reasons = "; ".join(f"entry {each['index']}: {each['reason']}" for each in document["withheld"][:3])
            text = f"{document['origin']}  {document['index']}  {document['count']} entries cannot be read: {reasons}"
            self._report.say(document, text, code=EXIT_ALARM)
            return
        by = ", ".join(document["by"])
        self._report.say(document, f"{document['origin']}  {document['index']}  {document['kind']}  {by}".rstrip())

    def ended(self, done: Round) -> None:
        """Say what came of a round."""
        size, root = done.tree.size, done.tree.root.hex()
        document: dict[str, Any] = {
            "event": "round",
            "log": self._log,
            "origin": done.origin,
            "vkey": done.vkey,
            "trust": done.trust,
            "size": size,
            "root": root,
            "first_index": done.start,
            "count": done.next - done.start,
            "matches": done.found,
            "compared": [{"place": place, "size": there} for place, there in done.seen],
            "endorsed": [
                {"origin": each.log.origin, "first_index": each.first, "trees": each.new, "others": each.others}
                for each in done.endorsed
            ],
        }
        if not self._is_quiet or done.next > done.start or size != self._size:
            read = f"{done.next - done.start} new entries, {done.found} found"
            for each in done.endorsed:
                if each.new or each.others:
                    by_others = f" and {each.others} that it has not signed" if each.others else ""
                    read += f"; {each.new} new endorsements of {each.log.origin}{by_others}"
            self._report.say(document, f"{done.origin}  size {size}, root {root}: {read}", is_report=True)
        self._size = size
        if done.newer is not None:
            self._old_copy(done, done.newer.tree.size)

    def trouble(self, error: Exception) -> None:
        """Say what is wrong with the log, or with the way to it, or with another place."""
        if isinstance(error, TilesError):
            code = exit_code(error)
            kind, message, hint = type(error).__name__, error.message, error.hint
        elif isinstance(error, OSError):
            code = EXIT_ACCESS
            kind, message, hint = "AccessError", f"{error.filename or 'input or output'}: {error.strerror or error}", ""
        else:
            code = EXIT_FAULT
            kind, (message, hint) = "Unexpected", own_fault(error)
        self._report.fail(self._log, kind, message, hint, code)
        shown = {"kind": kind, "message": message, "hint": hint}
        self._hand_over({"event": "trouble", "log": self._log, "code": code, "error": shown})

    def _old_copy(self, done: Round, seen: int) -> None:
        text = f"the log shows {done.tree.size} entries, and {seen} were seen before: it is an old copy"
        document = {"event": "alarm", "log": self._log, "origin": done.origin, "size": done.tree.size, "text": text}
        self._report.say(document, f"{done.origin}  {text}", code=EXIT_ALARM)
        self._hand_over(document)

    def _hand_over(self, document: dict[str, Any]) -> None:
        if self._report.handler is None:
            return
        try:
            self._report.handler.take(json.dumps(document).encode() + b"\n")
        except AccessError as error:
            self._report.fail(self._log, type(error).__name__, error.message, "", EXIT_ACCESS)


def _match(log: str, origin: str, found: Match) -> dict[str, Any]:
    return {
        "event": "match",
        "log": log,
        "origin": origin,
        "index": found.index,
        "leaf_hash": leaf_hash(found.entry).hex(),
        "kind": kind_in(found.layout, found.entry),
        "keys": [{"kind": key.kind, "value": text_of(key)} for key in keys_in(found.layout, found.entry)],
        "by": list(found.by),
    }


def _unread(log: str, origin: str, found: Unread) -> dict[str, Any]:
    withheld = [
        {"index": entry.index, "leaf_hash": entry.leaf.hex(), "reason": entry.reason} for entry in found.withheld
    ]
    return {
        "event": "withheld",
        "log": log,
        "origin": origin,
        "index": found.index,
        "count": found.count,
        "withheld": withheld,
    }


def check_once(logs: Sequence[str], shown: Sequence[str]) -> None:
    """Raise UsageError for an address that is named twice. shown: as it may be shown"""
    for at, log in enumerate(logs):
        if log in logs[:at]:
            raise UsageError(f"{shown[at]} is named twice")
