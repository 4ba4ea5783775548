"""`tiletree freeze`: a log is closed for ever."""

from __future__ import annotations

import click

from tiletree.opening import open_sequencer, remark_undeleted
from tiletree.options import WITNESSES, Writer, json_option, log_argument, output, writer_options
from tiletree.ui import Output


@click.command()
@log_argument
@click.option("--yes", is_flag=True, help="do not ask")
@writer_options("key", "private", "anchor", "policy", *WITNESSES)
@json_option
@output
def freeze(out: Output, log: str, yes: bool, writer: Writer) -> None:
    """Close a log for ever: nothing can be added to it any more.

    \b
    Example:
      tiletree freeze ./log-2026 --yes

    The log stays as it is: it can be read, verified and mirrored. Submissions that wait will not be looked at.
    """
    if not yes:
        out.confirm("After this nothing can be added to the log, ever. Freeze it?")
    opened = open_sequencer(log, writer)
    signed = opened.freeze()
    remark_undeleted(out, opened.undeleted())
    out.result(
        {"origin": signed.origin, "size": signed.tree.size, "root": signed.tree.root.hex(), "frozen": True},
        f"frozen {signed.origin}, size {signed.tree.size}, root {signed.tree.root.hex()}",
    )
