"""`tiletree info`: the newest checkpoint of a log."""

from __future__ import annotations

from pathlib import Path

import click

from tiletree.opening import (
    visit,
)
from tiletree.options import json_option, log_argument, output, trust_options
from tiletree.ui import Output, shown


@click.command()
@log_argument
@trust_options
@json_option
@output
def info(out: Output, log: str, vkey: str | None, policy: Path | None) -> None:
    """Show a log's newest checkpoint, verified and consistent with what was seen before.

    \b
    Example:
      tiletree info https://log.example.com
    """
    _, accepted, pinned = visit(out, log, vkey, policy)
    tree = accepted.signed.tree
    out.result(
        {
            "origin": accepted.signed.origin,
            "size": tree.size,
            "root": tree.root.hex(),
            "vkey": accepted.log.vkey,
            "trust": pinned.how,
        },
        f"origin  {shown(accepted.signed.origin)}",
        f"size    {tree.size}",
        f"root    {tree.root.hex()}",
        f"vkey    {accepted.log.vkey}",
        f"trust   {pinned.how}",
        *(f"cosigned by {shown(str(cosignature.key))}" for cosignature in accepted.cosignatures),
    )
