"""Every word goes through here: results to standard output, everything else to standard error.

With --json, standard output gets one JSON document, whatever happens. Errors read `tiletree: <what was found>`, lower
case, no full stop, then perhaps `hint: <what to do next>`. With --log-format json, each of these is one JSON document
in a line. Whatever is printed may come from a log, a file's name or a
server, and may be hostile: everything is made harmless here, and nowhere else. An address that a call names may hold
credentials, in whatever place it stands: errors and notes have its shown form only.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

import tiles
from tiles.errors import (
    AccessError,
    ForkError,
    HistoryUnknown,
    LogError,
    NotLogged,
    Refused,
    TilesError,
    Unfinished,
    UsageError,
)
from tiletree import colours
from tiletree.hiding import Hidden
from tiletree.progress import Bar, Progress

EXIT_OK = 0
EXIT_WRONG = 1  # verification failed
EXIT_USAGE = 2
EXIT_ACCESS = 3  # could not reach or read
EXIT_REFUSED = 4  # by a guard
EXIT_UNFINISHED = 5  # done, but not as asked
EXIT_BELOW_QUORUM = 6  # published all the same
EXIT_OTHER_HISTORY = 7  # a fork, or what may be one
EXIT_NOT_LOGGED = 8  # the log was read, and does not hold it
EXIT_ALARM = 9
EXIT_FAULT = 70  # of tiletree itself
EXIT_INTERRUPTED = 130

_HELD = 1000  # lines of a report that --quiet keeps for the case that the command fails
_OURS = (Path(tiles.__file__).parent, Path(__file__).parent)
TRACEBACK = "TILETREE_TRACEBACK"  # the variable that asks for the whole of what nobody expected


_EXIT_CODES: tuple[tuple[type[TilesError], int], ...] = (
    (ForkError, EXIT_OTHER_HISTORY),
    (HistoryUnknown, EXIT_OTHER_HISTORY),
    (NotLogged, EXIT_NOT_LOGGED),
    (LogError, EXIT_WRONG),
    (UsageError, EXIT_USAGE),
    (AccessError, EXIT_ACCESS),
    (Refused, EXIT_REFUSED),
    (Unfinished, EXIT_UNFINISHED),
)


def exit_code(error: TilesError) -> int:
    """Return the exit code of an error: whose trouble it is. The first row that fits decides."""
    return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), EXIT_FAULT)


def own_fault(error: Exception) -> tuple[str, str]:
    """Return message and hint for an exception that nobody expected: its type and its place, never what it says."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    import traceback  # needed by calls that fail

    places = [
        f"{Path(frame.filename).relative_to(root.parent).as_posix()}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        for root in _OURS
        if Path(frame.filename).is_relative_to(root)
    ]
    return (
        f"this is a fault of tiletree itself: {name} at {places[-1] if places else 'an unknown place'}",
        f"please report this line and what you called; what was committed stays; {TRACEBACK}=1 shows where it happened",
    )


class Output:
    """What a command says. All text is made harmless; only `raw` sends bytes as they are.

    json        print one JSON document instead of text
    remarks     what is to be said of the next answer besides: its JSON document holds it, and so does an error's
    late        called once, before the answer or the error, to add what is known only then
    partial     what is done so far: an error's JSON document holds it too
    is_answer   standard output is what was asked for, and not a report on what was done otherwise
    hidden      what is in no error and no note
    verbose     say also what `detail` is told
    quiet       print a report only if the command fails; what was asked for, warnings and errors are printed anyway
    below_quorum   what was published last has fewer cosignatures than its policy needs
    quorum_missed  so has what witnesses were asked for last, whether it was published or not; None: none were asked
    color       whether lines are coloured: auto, always or never; documents never are
    log_lines   what goes to standard error is one JSON document in a line each
    now         POSIX seconds, for those lines
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.verbose = self.quiet = self.log_lines = self.below_quorum = False
        self.quorum_missed: bool | None = None
        self.color = colours.AUTO
        self._bar: Bar | None = None
        self._held: deque[str] = deque(maxlen=_HELD)
        self.json = False
        self.remarks: dict[str, Any] = {}
        self.partial: dict[str, Any] = {}
        self.late: list[Callable[[], None]] = []
        self.is_answer = True
        self.hidden = Hidden()

    def answer(self, document: dict[str, Any], *lines: str) -> None:
        """Print what the command was asked for: the document with --json, the lines without."""
        self._say_late()
        if self.json:
            click.echo(self.hidden.without_keys(_json({**document, **self.remarks})))
            self.remarks = {}
        else:
            for line in lines:
                self._print(line, is_report=not self.is_answer)

    def result(self, document: dict[str, Any], *lines: str) -> None:
        """Print what was done, as `answer` does. It stays done where this cannot be printed."""
        self.is_answer = False
        self.answer(document, *lines)

    def _say_late(self) -> None:
        while self.late:
            self.late.pop(0)()

    def line(self, text: str) -> None:
        """Print a line of a report as it comes; nothing with --json."""
        self._print(text, is_report=True)

    def _print(self, text: str, *, is_report: bool) -> None:
        if self.quiet and is_report:
            self._held.append(self.hidden.without_keys(text))
        elif not self.json:
            self._echo(shown(self.hidden.without_keys(text)), colour=is_report)

    def finish(self, code: int, seconds: float) -> None:
        """Say how the command ended, to those who want to know. A report that was held back is printed if it failed."""
        if code != EXIT_OK and not self.json:
            for text in self._held:
                self._echo(shown(text), colour=True)
        self._held.clear()
        if self.verbose or self.log_lines:
            self._say(f"exit code {code} after {seconds:.1f} seconds", "info", "ended", code=code, seconds=seconds)

    def raw(self, data: bytes) -> None:
        """Send bytes as they are, but to a terminal as text made harmless, line by line; nothing with --json."""
        if self.json:
            return
        if sys.stdout.isatty():
            for line in data.removesuffix(b"\n").decode("utf-8", "backslashreplace").split("\n"):
                self._print(line, is_report=False)
        else:
            click.echo(data, nl=False)

    def note(self, text: str) -> None:
        """Print a remark for the person at the terminal."""
        self._say(text, "info", "remark")

    def warn(self, text: str) -> None:
        """Print what somebody should look at."""
        self._say(text, "warning", "remark")

    def remark(self, name: str, value: Any, text: str) -> None:
        """Print a remark on the answer, and put it into the JSON document as a field of that name."""
        self.remarks[name] = value
        self.warn(text)

    def detail(self, event: str, text: str, **fields: Any) -> None:
        """Say what only --verbose asks for. event: the kind of thing, in a word; fields: of a structured log."""
        if self.verbose:
            self._say(text, "debug", event, **fields)

    def log(self, line: str) -> None:
        """Print a line of a structured log, for those who collect one."""
        if self.log_lines:
            click.echo(line, err=True)

    def _say(self, text: str, level: str, event: str, **fields: Any) -> None:
        text = shown(self.plain(text))
        if self.log_lines:
            from tiles.upkeep.log_line import log_line  # needed by few calls

            text = log_line(level, event, {"message": text, **fields}, self.now())
        self._echo(text, err=True, colour=not self.log_lines, is_warning=level == "warning")

    def _echo(self, text: str, *, err: bool = False, colour: bool = False, is_warning: bool = False) -> None:
        self._make_room()
        in_colour = colour and colours.is_wanted(self.color, sys.stderr if err else sys.stdout)
        click.echo(colours.coloured(text, is_warning=is_warning) if in_colour else text, err=err, color=in_colour)

    def _make_room(self) -> None:
        """Take the progress bar from the terminal, if there is one: what is printed stands in a line of its own."""
        if self._bar is not None:
            self._bar.clear()

    def confirm(self, question: str) -> None:
        """Ask the person at the terminal. Raises click.Abort unless the answer is yes."""
        self._make_room()
        try:
            click.confirm(shown(question), abort=True, err=True)
        except OSError as error:  # an answer that cannot be read is none
            raise click.Abort from error

    def error(self, kind: str, message: str, hint: str = "") -> None:
        """Print what went wrong, and with --json a document that says the same."""
        from tiletree.documents import located  # for calls that fail

        self._say_late()
        message, hint = self.plain(message), self.plain(located(hint))
        if self.json:
            click.echo(
                _json({**self.partial, **self.remarks, "error": {"kind": kind, "message": message, "hint": hint}})
            )
        if self.log_lines:
            self._say(message, "error", "failed", kind=kind, hint=shown(hint))
            return
        self.note(f"tiletree: {message}")
        if hint:
            self.note(f"hint: {hint}")

    def plain(self, text: str) -> str:
        """Return text without what is hidden."""
        return self.hidden.plain(text)

    @contextmanager
    def progress(self, label: str, length: int | None = None, then: str = "") -> Iterator[Progress]:
        """Show a progress bar on a terminal, none in a pipe. length: units, where that is known; then: as for `Bar`."""
        if self.quiet or self.verbose or self.log_lines or not colours.is_terminal(sys.stderr):
            yield Progress()
            return
        self._bar, is_done = Bar(label, length, then=then), False
        try:
            yield self._bar
            is_done = True
        finally:
            self._bar.finish(is_done=is_done)
            self._bar = None


def _json(document: dict[str, Any]) -> str:
    """Return a document in one line of printable ASCII."""
    import json  # not for calls without --json

    return json.dumps(document).replace("\x7f", "\\u007f")  # the one control character that dumps leaves


def lasted(seconds: float | None) -> str:
    """Return how long that is, in the largest unit of which there are two at least."""
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds is not None and seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    whole = f"{seconds or 0:.0f}"
    return f"{whole} second{'' if whole == '1' else 's'}"


def shown(text: str) -> str:
    """Return text that cannot move the cursor, colour the screen or pretend to be another line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
