"""Writes docs/cli.md, the --help of every command: run it after a change of the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from tiletree.cli import cli

TARGET = Path(__file__).resolve().parents[2] / "docs" / "cli.md"

_WIDTH = 100  # columns
_HEAD = """\
# The command line

What `--help` says, of every command. `python -m tests.support.make_cli_docs` writes it, and a test holds it current.

## Exit codes

| code | means |
|---|---|
| 0 | done, or verified |
| 1 | something does not verify |
| 2 | the call is wrong |
| 3 | something could not be reached or read; trying again may help. Also a log that is none of tlog-tiles |
| 4 | a guard refused, and nothing was changed |
| 5 | committed, and not published yet: the next run finishes it |
| 6 | published with fewer cosignatures than the policy needs |
| 7 | another history than was seen before, or what may be one; the evidence is saved |
| 8 | the log was read, and does not hold what was looked for |
| 9 | an alarm of `status` or `monitor` |
| 70 | an error of tiletree itself |
| 130 | interrupted, or a question was not answered with yes |

## Remarks

What a command remarks on standard error besides its result is a field of its JSON document as well. The field is there
if the remark is made, in the document of an error, too.

| field | of | says |
|---|---|---|
| `newer` | what reads a log | The log is an old copy: `size` and `root` of what was seen before. |
| `not_remembered` | what reads a log | Why this visit is not remembered, though the log was read. |
| `trust` | what reads a log | The key is what the log itself showed at first use. |
| `cosigned_by` | `info`, `verify` | The witnesses of the policy that cosigned. |
| `time` | `info`, `verify` | POSIX seconds: the newest time at which the policy's quorum still holds. |
| `retries` | `add` | How often other writers were first. |
| `unreadable`, `unlistable`, `ignored` | `sequence` | What somebody should look at in the inbox. |
| `aside` | `repair` | Where what was replaced or set aside is in the private part. |
| `unknown` | `submit` | It is not known whether the last object was submitted; the log will tell. |

## Standard streams that are closed or full

The exit code says what became of the work, whatever becomes of the streams. Nothing has to be done again because its
report could not be printed.

| standard output | a command that does something | a command that answers |
|---|---|---|
| is a pipe that its reader has closed | goes on, exits as if it had been read | the same |
| is full, or fails | goes on, says so on standard error, exits as if it had been printed | exits 3 |
| was closed when the command began | the same | exits 3 |

The commands that answer are `info`, `status`, `get`, `prove`, `key show`, `key list` and every `--help`; but with `-o`,
`get` and `prove` do something. What `verify` and `audit` do is to verify: the exit code says what they found. A
terminal that is gone is a stream that fails. A character that the encoding of a stream does not have is escaped.

| stream | what becomes of it |
|---|---|
| standard error, closed, full or gone | nothing changes |
| standard input, closed, where `-` or lines are read from it | exit code 3: it is not taken for an empty file |
| standard input, closed or without a yes, where a question is asked | exit code 130, and nothing is done |
| a stream that is a directory (`< .`) | Python does not start: exit code 1, before `tiletree` can say anything |

## When tiletree itself is at fault

Exit code 70 is an error that nobody expected. The message has its kind and its place in the code, and nothing of any
file, key or entry; please report it. With `TILETREE_TRACEBACK=1` in the environment the whole traceback is printed,
which may hold such contents.
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
    return "\n".join(line.rstrip() for line in context.command.get_help(context).splitlines()).rstrip()


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
    sys.stdout.write(f"{TARGET} written\n")
