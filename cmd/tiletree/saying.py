"""How much a command says, and in which form: the options that every command has, before or after its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, TypeVar

import click

from tiletree import colours
from tiletree.documents import locate_in_help
from tiletree.ui import Output

FORMATS = ("text", "json")
_FORMAT, _COLOR = "--log-format", "--color"

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def _flag(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def take(context: click.Context, _: click.Parameter, value: bool) -> None:
        if value and (out := context.find_object(Output)) is not None:
            setattr(out, name, True)

    return take


def _options(*, hidden: bool) -> list[click.Option]:
    # `listen` has read their values already, but for letters that are written together, such as -qv
    return [
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            expose_value=False,
            hidden=hidden,
            callback=_flag("verbose"),
            help="say which variables, files and places are used, and how long it took",
        ),
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            expose_value=False,
            hidden=hidden,
            callback=_flag("quiet"),
            help="no report and no progress, unless the command fails; what was asked for is printed all the same",
        ),
        click.Option(
            [_FORMAT],
            type=click.Choice(FORMATS),
            default="text",
            show_default=True,
            expose_value=False,
            hidden=hidden,
            help="what standard error gets: text, or one JSON document in a line for each thing",
        ),
        click.Option(
            [_COLOR],
            type=click.Choice(colours.WHEN),
            default=colours.AUTO,
            expose_value=False,
            hidden=hidden,
            help="whether reports and errors have colours  [default: on a terminal, unless $NO_COLOR is set]",
        ),
    ]


def say_options(command: Decorated) -> Decorated:
    """Add the options to `tiletree` itself, where its --help lists them."""
    for option in reversed(_options(hidden=False)):
        command.__dict__.setdefault("__click_params__", []).append(option)
    return command


def saying(command: click.Command) -> click.Command:
    """Give a command, and all commands below it, the options as well; its --help does not repeat them.

    Where documents are that its --help leads to is said at the end of that.
    """
    locate_in_help(command)
    if not any(_FORMAT in param.opts for param in command.params):
        command.params += _options(hidden=True)
        for below in command.commands.values() if isinstance(command, click.Group) else ():
            saying(below)
    return command


def listen(output: Output, arguments: Iterable[str]) -> None:
    """Let an output be what the words of a call ask for, before click has looked at them."""
    words = list(arguments)
    output.json = "--json" in words
    if "--" in words:
        words = words[: words.index("--")]
    output.verbose = bool({"-v", "--verbose"} & set(words))
    output.quiet = bool({"-q", "--quiet"} & set(words))
    output.log_lines = "json" in _named(words, _FORMAT)
    output.color = next((when for when in reversed(_named(words, _COLOR)) if when in colours.WHEN), colours.AUTO)


def _named(words: list[str], option: str) -> list[str]:
    """Return the values that words of a call give to an option."""
    values = [after for word, after in pairwise(words) if word == option]
    return values + [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
