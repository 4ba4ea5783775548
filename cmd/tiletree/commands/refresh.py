"""`tiletree refresh`: an unchanged tree gets the cosignatures that it lacks, and newer ones."""

from __future__ import annotations

import click

from tiletree.cosigning import cosigned_fields
from tiletree.opening import open_sequencer
from tiletree.options import WITNESSES, Writer, json_option, log_argument, output, writer_options
from tiletree.publishing import published_line, remark_made
from tiletree.ui import Output


@click.command()
@log_argument
@writer_options("key", "private", "anchor", "policy", *WITNESSES)
@json_option
@output
def refresh(out: Output, log: str, writer: Writer) -> None:
    """Ask the witnesses for cosignatures over the published tree, and publish those that are new.

    \b
    Example:
      tiletree refresh ./log

    The tree stays what it is; the checkpoint gets the line of each witness of the policy that answers, or that shows
    what it has cosigned, also where it has an older line of that witness: its time is newer. What is committed and not
    published is published first. All witnesses are waited for, at most for --witness-timeout.
    """
    opened = open_sequencer(log, writer)
    done = opened.refresh()
    made = remark_made(out, opened)
    tree = done.signed.tree
    out.result(
        {"origin": done.signed.origin, "size": tree.size, "root": tree.root.hex(), **cosigned_fields(done)},
        *(f"cosigned by {name}" for name in done.cosigned_by),
        *(f"missing     {name}: {why}" for name, why in done.missing),
        published_line(done.signed.origin, tree, made, 0),
    )
