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
        """Show that all of it is done."""
        if self._grows:
            self._bar.length = self._bar.pos
            self._bar.finish()
            self._bar.render_progress()


@contextmanager
def bar(label: str, length: int | None) -> Iterator[Progress]:
    """Show a bar on standard error, which is a terminal. length: units to be done, where that is known."""
    room = _columns() - len(label) - len("  []  ") - (2 * len(str(length)) + 1 if length else 10)
    has_eta = room >= _ETA + _FEWEST
    width = max(1, min(_WIDEST, room - (_ETA if has_eta else 0)))
    shown = click.progressbar(
        length=length or 1, label=label, file=sys.stderr, show_pos=True, show_eta=has_eta, width=width
    )
    with shown:
        progress = _Bar(shown, grows=length is None)
        yield progress
        progress.end()


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns - 1 or 80  # the last column makes some terminals wrap
    except (OSError, ValueError):
        return 80
