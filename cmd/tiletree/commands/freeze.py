"""`tiletree freeze`: a log is closed for ever."""

from __future__ import annotations

import click

from tiletree.opening import (
    open_sequencer,
)
from tiletree.options import Writer, json_option, log_argument, output, writer_options
from tiletree.ui import Output


@click.command()
@log_argument
@click.confirmation_option(prompt="After this nothing can be added to the log, ever. Freeze it?", help="do not ask")
@writer_options("key", "private", "anchor", "policy")
@json_option
@output
def freeze(out: Output, log: str, writer: Writer) -> None:
    """Close a log for ever: nothing can be added any more, by anyone who keeps to the head.

    \b
    Example:
      tiletree freeze ./log-2026 --yes

    It stays as it is, and can be read, verified and mirrored; submissions that wait are not looked at any more.
    """
    signed = open_sequencer(log, writer).freeze()
    out.result(
        {"origin": signed.origin, "size": signed.tree.size, "root": signed.tree.root.hex(), "frozen": True},
        f"frozen {signed.origin}, size {signed.tree.size}, root {signed.tree.root.hex()}",
    )
