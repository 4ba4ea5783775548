"""A terminal of some size: runs a command in it, and tells what a person would see."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from dataclasses import dataclass

_CONTROL = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])|.", re.DOTALL)
NOTHING: Mapping[str, str] = {}
_PATIENCE = 60.0  # seconds until a command that says nothing more has hung


@dataclass(frozen=True)
class Seen:
    """What a command wrote to its terminal.

    lines       that are on the screen at the end, without blanks at their ends
    column      where the cursor is in the last one
    is_hidden   the cursor is
    colours     every sequence that changes how text looks, in the order in which they came
    """

    code: int
    raw: str
    lines: list[str]
    column: int
    is_hidden: bool
    colours: list[str]


def run(words: list[str], columns: int, *, interrupt_at: str = "", environment: Mapping[str, str] = NOTHING) -> Seen:
    """Run a command of `tiletree` in a terminal. interrupt_at: a text after which Ctrl-C is pressed; "": never"""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tiletree", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**kept, "TERM": "xterm-256color", **environment},
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509  it calls nothing that a thread could hold
    )
    os.close(theirs)
    raw = b""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and select.select([ours], [], [], _PATIENCE)[0]:
        try:
            data = os.read(ours, 65_536)
        except OSError:  # the last process that had the terminal has ended
            break
        if not data:
            break
        raw += data
        if interrupt_at and interrupt_at.encode() in raw:
            os.write(ours, b"\x03")
            interrupt_at = ""
    os.close(ours)
    text = raw.decode()
    return Seen(process.wait(_PATIENCE), text, *screen(text, columns))


def _take_terminal() -> None:
    """Make standard input the terminal of this process, so that Ctrl-C reaches it.

    Whoever runs the tests in the background of a script may have told them, and so this process, to ignore Ctrl-C.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def screen(text: str, columns: int) -> tuple[list[str], int, bool, list[str]]:
    """Return lines, column of the cursor, whether that is hidden, and all colours: of what a terminal was sent."""
    lines, column, is_hidden, colours = [""], 0, False, []
    for match in _CONTROL.finditer(text):
        parameters, command = match.groups()
        if command == "m":
            colours.append(match[0])
        elif command == "K":
            lines[-1] = lines[-1][:column]
        elif command in ("l", "h") and parameters == "?25":
            is_hidden = command == "l"
        elif command is not None:
            raise AssertionError(f"unknown: {match[0]!r}")
        elif match[0] == "\r":
            column = 0
        elif match[0] == "\n":
            lines.append("")
        else:
            if column == columns:
                lines.append("")
                column = 0
            lines[-1] = lines[-1][:column].ljust(column) + match[0] + lines[-1][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines], column, is_hidden, colours
