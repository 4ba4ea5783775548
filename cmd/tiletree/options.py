"""Options that several commands share, and what they open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tiletree.ui import Output

Command = TypeVar("Command", bound=Callable[..., Any])

output = click.make_pass_decorator(Output)


log_argument = click.argument("log", metavar="LOG")


def json_option(command: Command) -> Command:
    """Add --json, which `ui.Output` has read already."""
    help_ = "print one JSON document on standard output"
    return click.option("--json", is_flag=True, expose_value=False, help=help_)(command)


def writer_options(command: Command) -> Command:
    """Add --key, --private, --anchor and --policy: what a command needs to write to a log."""
    for option in (
        click.option("--policy", type=click.Path(path_type=Path), help="refuse unless this is the log's policy"),
        anchor_option,
        private_option,
        key_option,
    ):
        command = option(command)
    return command


key_option = click.option(
    "--key",
    type=click.Path(path_type=Path),
    envvar="TILETREE_KEY",
    help="the log's key file  [$TILETREE_KEY; default: as at init, or by its origin]",
)
admission_option = click.option(
    "--admission", type=click.Path(path_type=Path), help="refuse unless this is the log's policy for submissions"
)
private_option = click.option(
    "--private",
    metavar="PLACE",
    envvar="TILETREE_PRIVATE",
    help="the log's private part  [$TILETREE_PRIVATE; default: as at init, or <LOG>.private]",
)
anchor_option = click.option(
    "--anchor",
    metavar="PLACE",
    envvar="TILETREE_ANCHOR",
    help="where the signer remembers  [$TILETREE_ANCHOR; default: as at init, or <KEY>.anchor]",
)


def trust_options(command: Command) -> Command:
    """Add --vkey and --policy: what a command pins when it reads or verifies."""
    for option in (
        click.option("--policy", type=click.Path(path_type=Path), help="accept what this tlog-policy file accepts"),
        click.option("--vkey", metavar="VKEY", help="accept what this key of the log has signed"),
    ):
        command = option(command)
    return command
