"""Every word goes through here: results to standard output, everything else to standard error.

With --json, standard output gets one JSON document, whatever happens. Errors read `tiletree: <what was found>`, lower
case, no full stop, then perhaps `hint: <what to do next>`. What comes from a log is hostile: `shown` makes it harmless.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from tiles.errors import (
    AccessError,
    LogError,
    Refused,
    TilesError,
    Unfinished,
    UsageError,
)

EXIT_OK = 0
EXIT_WRONG = 1  # verification failed, or a fork
EXIT_USAGE = 2
EXIT_ACCESS = 3  # could not reach or read
EXIT_REFUSED = 4  # by a guard
EXIT_UNFINISHED = 5  # done, but not as asked
EXIT_INTERRUPTED = 130

_EXIT_CODES: tuple[tuple[type[TilesError], int], ...] = (
    (LogError, EXIT_WRONG),
    (UsageError, EXIT_USAGE),
    (AccessError, EXIT_ACCESS),
    (Refused, EXIT_REFUSED),
    (Unfinished, EXIT_UNFINISHED),
)


def exit_code(error: TilesError) -> int:
    """Return the exit code of an error: whose trouble it is."""
    return next(code for kind, code in _EXIT_CODES if isinstance(error, kind))


class Output:
    """What a command says.

    json      print one JSON document instead of text
    partial   what is done so far: an error's JSON document holds it too
    """

    def __init__(self) -> None:
        self.json = False
        self.partial: dict[str, Any] = {}

    def result(self, document: dict[str, Any], *lines: str) -> None:
        """Print the outcome: the document with --json, the lines without."""
        if self.json:
            click.echo(json.dumps(document))
        else:
            for line in lines:
                click.echo(line)

    def line(self, text: str) -> None:
        """Print a line of the outcome as it comes; nothing with --json."""
        if not self.json:
            click.echo(text)

    def note(self, text: str) -> None:
        """Print a remark for the person at the terminal."""
        click.echo(text, err=True)

    def error(self, kind: str, message: str, hint: str = "") -> None:
        """Print what went wrong, and with --json a document that says the same."""
        if self.json:
            click.echo(json.dumps({**self.partial, "error": {"kind": kind, "message": message, "hint": hint}}))
        click.echo(f"tiletree: {shown(message)}", err=True)
        if hint:
            click.echo(f"hint: {shown(hint)}", err=True)

    @contextmanager
    def progress(self, label: str, length: int | None = None) -> Iterator[Progress]:
        """Show a progress bar on a terminal, none in a pipe. length: units to be done, where that is known."""
        if not sys.stderr.isatty():
            yield Progress()
            return
        bar = click.progressbar(length=length or 1, label=label, file=sys.stderr, show_pos=True)
        with bar:
            yield _Bar(bar, grows=length is None)


class Progress:
    """Somewhere to say how much was done; shows nothing."""

    def advance(self, units: int) -> None:
        """Say that so many more units are done."""


class _Bar(Progress):
    def __init__(self, bar: Any, *, grows: bool) -> None:
        self._bar = bar
        self._grows = grows

    def advance(self, units: int) -> None:
        if self._grows:  # of unknown length: always about to be done
            self._bar.length = self._bar.pos + units + 1
        self._bar.update(units)


def shown(text: str) -> str:
    """Return text that cannot move the cursor, colour the screen or pretend to be another line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
