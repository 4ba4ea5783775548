"""What is coloured: the words with which a line says what it is. On a terminal, unless somebody wants it otherwise.

Text of others is escaped before it comes here, and colours nothing: only the first words of a line of ours do.
"""

from __future__ import annotations

import os
from typing import Any

import click

AUTO, ALWAYS, NEVER = WHEN = ("auto", "always", "never")

_STYLES: dict[str, dict[str, Any]] = {
    "verified:": {"fg": "green"},
    "not verified:": {"fg": "red"},
    "tiletree:": {"fg": "red"},
    "warning:": {"fg": "yellow"},
    "hint:": {"fg": "cyan"},
}


def is_wanted(when: str, stream: Any) -> bool:
    """Tell whether a stream gets colours: https://no-color.org, and terminals that have none. when: one of WHEN"""
    if when != AUTO:
        return when == ALWAYS
    return not os.environ.get("NO_COLOR") and is_terminal(stream)


def is_terminal(stream: Any) -> bool:
    """Tell whether a stream is a terminal that understands more than lines of text."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def coloured(line: str, *, is_warning: bool = False) -> str:
    """Return a line, the words in colour that say what it is; a warning without such words all in colour."""
    for words, style in _STYLES.items():
        if line.startswith(f"{words} "):
            return click.style(words, **style, bold=True) + line[len(words) :]
    return click.style(line, fg="yellow") if is_warning else line
