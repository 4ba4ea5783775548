"""What a shell completes: names of commands, without importing them, and places, as directories or files.

click asks all parameters what could follow, and those that only know their word's type know nothing. What their word
names says what to look for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]  # which older versions of click do not know at run time
else:
    _ParamType = click.ParamType

_DIRECTORY, _FILE = "dir", "file"
# what a word names, by what --help calls it
PLACES = {
    "LOG": _DIRECTORY,
    "SRC": _DIRECTORY,
    "DST": _DIRECTORY,
    "DIR": _DIRECTORY,
    "MIRROR": _DIRECTORY,
    "PLACE": _DIRECTORY,
    "PUBLIC": _DIRECTORY,
    "FILE": _FILE,
    "KEY": _FILE,
    "CONFIG": _FILE,
    "BUNDLE": _FILE,
}


class _Place(_ParamType):
    """A word that names a place. Nothing else of its type matters while a shell completes."""

    name = "place"

    def __init__(self, what: str) -> None:
        self._what = what

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """Let the shell look for directories or files, which it does better."""
        return [CompletionItem(incomplete, type=self._what)]


def complete_places(command: click.Command) -> None:
    """Let a command, and all commands below it, complete what names a place."""
    for param in command.params:
        if (what := named(param)) and not isinstance(param.type, (click.Choice, click.Path)):
            param.type = _Place(what)
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        complete_places(below)


def named(param: click.Parameter) -> str:
    """Return which kind of place a parameter names: that of a word of its own in --help; "" for none."""
    is_plain = isinstance(param, click.Argument) or param.type.name == "text"
    word = param.metavar or (param.name or "" if is_plain else param.type.name)
    found = {PLACES[each] for each in word.upper().strip("[].").split("|") if each in PLACES}
    return _FILE if _FILE in found else "".join(found)  # where a file may stand, a shell shows directories as well


def names(groups: Mapping[str, Iterable[str]], incomplete: str) -> list[CompletionItem]:
    """Return the commands whose names begin so, each with its group: what it does is known once it is imported."""
    every = ((name, group) for group, those in groups.items() for name in those)
    return [CompletionItem(name, help=group) for name, group in every if name.startswith(incomplete)]
