"""Writes docs/cli.md, the --help of every command: run it after a change of the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from tiletree.cli import cli
from tiletree.documents import where

TARGET = Path(__file__).resolve().parents[2] / "docs" / "cli.md"

_WIDTH = 100  # columns
_HEAD = """\
# The command line

What `--help` says, of every command. `python -m tests.support.make_cli_docs` writes it, and a test holds it current.

The groups of commands are those of `tiletree --help`. Exit codes are in [outcomes.md](outcomes.md), the fields of JSON
documents in [json.md](json.md).
"""


def contexts(command: click.Command = cli, parent: click.Context | None = None) -> Iterator[click.Context]:
    """Yield a command and all commands below it, each in its context, in the order in which they are listed."""
    name = command.name if parent else "tiletree"
    settings = {**command.context_settings, "terminal_width": _WIDTH, "max_content_width": _WIDTH}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield context
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found is not None
            yield from contexts(found, context)


def document() -> str:
    """Return what docs/cli.md has to hold."""
    helps = (f"\n## {context.command_path}\n\n```text\n{_help(context)}\n```\n" for context in contexts())
    return _HEAD + "".join(helps)


def _help(context: click.Context) -> str:
    text = context.command.get_help(context).replace(f"\n  {where()}", "")  # another path on each machine
    return "\n".join(line.rstrip() for line in text.splitlines()).rstrip()


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
    sys.stdout.write(f"{TARGET} written\n")
