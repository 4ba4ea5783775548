"""A progress bar on a terminal: as wide as that allows, at its end when the work is, and never in the way of words."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

CLEAR = "\r\033[K"  # what a bar's line is cleared with, before something else is written there
_WIDEST = 36  # columns of the bar itself
_ETA = 12  # columns of the time that is left
_FEWEST = 4  # columns of a bar that still shows something


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

    def end(self) -> None:
        """Show what is done, also where something else was written over it."""
        if self._grows:
            self._bar.length = self._bar.pos
            self._bar.finish()
        click.echo(CLEAR + self._bar.format_progress_line(), err=True, nl=False, color=True)


@contextmanager
def bar(label: str, length: int | None) -> Iterator[Progress]:
    """Show a bar on standard error, which is a terminal. length: units to be done, where that is known."""
    room = _columns() - len(label) - len("  []  ") - (2 * len(str(length)) + 1 if length else 10)
    has_eta = bool(length) and room >= _ETA + _FEWEST
    width = max(1, min(_WIDEST, room - (_ETA if has_eta else 0)))
    known: dict[str, Any] = {"show_pos": True, "length": length}
    unknown: dict[str, Any] = {"item_show_func": lambda _: str(shown.pos), "show_percent": False, "length": 1}
    given = known if length else unknown
    shown = click.progressbar(label=label, file=sys.stderr, show_eta=has_eta, width=width, **given)
    progress = _Bar(shown, grows=not length)
    try:  # no `with`: whoever is interrupted while it is drawn for the first time gets the cursor back, too
        shown.render_progress()
        yield progress
        progress.end()
    finally:
        shown.render_finish()


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns - 1 or 80  # the last column makes some terminals wrap
    except (OSError, ValueError):
        return 80
