"""The progress bar of long work on a terminal: one line, drawn again as it grows, and taken away while others print."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import click

_REDRAWN = 0.1  # seconds after which it is drawn again
_WIDTH = 36  # columns of the bar itself, at most
_LEAST = 8  # below, there are numbers only
_DEFAULT = 80  # columns of a terminal that does not say how many it has
_ETA_AFTER = 1.0  # seconds after which it says how long it will take


class Progress:
    """Somewhere to say how much was done; shows nothing."""

    def advance(self, units: int) -> None:
        """Say that so many more units are done."""

    def within(self, done: int, length: int) -> None:
        """Say how many bytes of the unit at work are done, of how many; `advance` ends the unit."""


class Bar(Progress):
    """A progress bar on standard error.

    length   units to be done; None: nobody knows, so that there are numbers only
    then     what goes on when all units are done, in a word
    clock    seconds since any fixed moment
    """

    def __init__(
        self, label: str, length: int | None, clock: Callable[[], float] = time.monotonic, *, then: str = ""
    ) -> None:
        self._label = label
        self._then = then
        self._within = (0, 0)
        self._length = length
        self._clock = clock
        self._began = self._drawn = clock()
        self._done = 0
        self._is_shown = False
        self._draw()

    def advance(self, units: int) -> None:
        """Say that so many more units are done; draw it, if it was not drawn a moment ago."""
        self._done += units
        self._within = (0, 0)
        self._draw_again()

    def within(self, done: int, length: int) -> None:
        """Say how many bytes of the unit at work are done, of how many; draw it, if it was not drawn a moment ago."""
        self._within = (min(done, length), length)
        self._draw_again()

    def _draw_again(self) -> None:
        if not self._is_shown or self._clock() - self._drawn >= _REDRAWN:
            self._draw()

    # color=True below: click would take control sequences away where it takes the stream for no terminal

    def clear(self) -> None:
        """Take it from the terminal, so that a line can be printed; it comes back as it grows."""
        if self._is_shown:
            self._is_shown = False
            click.echo("\r\033[K", err=True, nl=False, color=True)

    def finish(self, *, is_done: bool) -> None:
        """Leave it where it is, or at its end if all is done, and begin a new line."""
        if is_done and self._length is not None:
            self._done = self._length
        self._draw(is_last=True)
        click.echo(err=True)

    def _draw(self, *, is_last: bool = False) -> None:
        self._drawn, self._is_shown = self._clock(), True
        room = _columns() - 1
        click.echo(f"\r\033[K{self._line(room, is_last=is_last)[:room]}", err=True, nl=False, color=True)

    def _line(self, room: int, *, is_last: bool) -> str:
        if self._length is None:
            return f"{self._label}  {self._done}"
        part = min(1.0, self._part_done() / self._length) if self._length else 1.0
        numbers = f"{self._done}/{self._length}  {int(part * 100)}%{'' if is_last else self._detail()}"
        width = min(_WIDTH, room - len(self._label) - len(numbers) - len("  []  "))
        if width < _LEAST:
            line = f"{self._label}  {numbers}"
            while len(line) > room and "  " in line:  # a number that is cut would be another one
                line = line.rpartition("  ")[0]
            return line
        filled = int(part * width)
        return f"{self._label}  [{'#' * filled}{'-' * (width - filled)}]  {numbers}"

    def _part_done(self) -> float:
        """Return how many units are done, with the part of the one at work."""
        done, length = self._within
        return self._done + (done / length if length else 0.0)

    def _detail(self) -> str:
        """Return what is at work, if one unit takes long or all are done, or else for how long it will go on."""
        done, length = self._within
        if length:
            return f"  {_large(done)} of {_large(length)}{self._left() if self._length == 1 else ''}"
        return f"  {self._then}" if self._then and self._done == self._length else self._left()

    def _left(self) -> str:
        """Return for how long it will go on, in words; nothing if that is not known."""
        seconds, done = self._clock() - self._began, self._part_done()
        if not done or self._length is None or seconds < _ETA_AFTER:
            return ""
        minutes, left = divmod(int(seconds / done * max(0, self._length - done)), 60)
        return f"  {minutes // 60:02}:{minutes % 60:02}:{left:02}"


def _large(count: int) -> str:
    """Return how many bytes that is, in the largest unit of which there is one."""
    for size, unit in ((10**9, "GB"), (10**6, "MB")):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1000:.1f} kB"


def _columns() -> int:
    """Return how wide the terminal is that the bar is on: standard output may be another, or none."""
    with suppress(OSError, ValueError):
        return os.get_terminal_size(sys.stderr.fileno()).columns or _DEFAULT
    return _DEFAULT
