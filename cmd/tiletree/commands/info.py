"""`tiletree info`: the newest checkpoint of a log."""

from __future__ import annotations

from copy import copy

import click

from tiletree.opening import visit
from tiletree.options import Pins, json_option, log_argument, output, reader_options
from tiletree.remarks import cosigned
from tiletree.ui import Output


@click.command()
@log_argument
@reader_options
@json_option
@output
def info(out: Output, log: str, pins: Pins) -> None:
    """Show a log's newest checkpoint, verified and consistent with what was seen before.

    \b
    Example:
      tiletree info https://log.example.com
    """
    _, accepted, pinned = visit(out, log, pins)
    fields, lines = cosigned(accepted, pinned.policy)
    tree = accepted.signed.tree
    out.answer(
        {
            "origin": accepted.signed.origin,
            "size": tree.size,
            "root": tree.root.hex(),
            "vkey": accepted.log.vkey,
            "trust": pinned.how,
            **fields,
        },
        f"origin  {accepted.signed.origin}",
        f"size    {tree.size}",
        f"root    {tree.root.hex()}",
        f"vkey    {accepted.log.vkey}",
        f"trust   {pinned.how}",
        *lines,
    )


loginfo = copy(info)  # as rekor-cli calls it
loginfo.name = "loginfo"
loginfo.help = str(info.help).replace("tiletree info", "tiletree loginfo")
loginfo.short_help = "The same as `tiletree info`, by the name that rekor-cli has for it."
