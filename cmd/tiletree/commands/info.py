"""`tiletree info`: the newest checkpoint of a log, how the log was on a day, and how other copies stand to it."""

from __future__ import annotations

from copy import copy
from datetime import datetime

import click

from tiletree.opening import tiles_of, visit
from tiletree.options import json_option, log_argument, output
from tiletree.reading import Pins, reading_options
from tiletree.remarks import cosigned
from tiletree.ui import Output


@click.command()
@log_argument
@click.option(
    "--at", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="how the log was on a day (UTC), such as 2026-11-03"
)
@click.option("--compare", "others", multiple=True, metavar="URL", help="another copy of the log; can be repeated")
@click.option("--keys", "with_keys", is_flag=True, help="how the log's keys have changed: when each was in use")
@reading_options("mirror", "layout")
@json_option
@output
def info(out: Output, log: str, at: datetime | None, others: tuple[str, ...], with_keys: bool, pins: Pins) -> None:
    """Show a log's newest checkpoint, verified and consistent with what was seen before.

    \b
    Examples:
      tiletree info https://log.example.com
      tiletree info https://log.example.com --at 2026-11-03
      tiletree info https://log.example.com --compare https://mirror.example.org/log --compare s3://bucket/log
      tiletree info https://log.example.com --keys

    With --at, show how many entries were there by that day, from the checkpoints that the log keeps of each day, and
    prove that the present tree begins with them. The day is the log's word; cosignatures date it besides. If nothing is
    kept of that day or before, it is not known: exit code 3.

    With --keys, show from which size to which the log has used each key, by what it has signed about them, and between
    which times, by the checkpoints that it keeps. No key is trusted for that: `key trust` says which ones are.

    With --compare, say of each other copy whether it is the same, behind, ahead, or another history: exit code 7, and
    the evidence is saved.
    """
    client, accepted, pinned = visit(out, log, pins)
    fields, lines = cosigned(accepted, pinned.policy)
    tree = accepted.signed.tree
    document = {
        "origin": accepted.signed.origin,
        "size": tree.size,
        "root": tree.root.hex(),
        "vkey": accepted.log.vkey,
        "trust": pinned.how,
        **fields,
    }
    shown = [
        f"origin  {accepted.signed.origin}",
        f"size    {tree.size}",
        f"root    {tree.root.hex()}",
        f"vkey    {accepted.log.vkey}",
        f"trust   {pinned.how}",
        *lines,
    ]
    if with_keys:
        from tiletree.key_use import keys_used, use_fields, use_lines  # not for other calls

        out.partial = document
        with tiles_of(log, client):
            used = keys_used(out, log, client)
        document["keys"] = [use_fields(*each) for each in used]
        shown += use_lines(used)
    if at is not None or others:
        from tiles.read.same_history import worst  # not for other calls
        from tiletree.commands.info_report import compare, on_day

        out.partial = document
        if at is not None:
            with tiles_of(log, client):
                more, said = on_day(out, client, at.date())
            document, shown = document | more, [*shown, *said]
        if others:
            more, said, copies = compare(client, accepted, pinned.policy, others)
            document, shown = document | more, [*shown, *said]
            if (error := worst(copies)) is not None:
                out.partial = document
                for line in shown:
                    out.line(line)
                raise error
    out.answer(document, *shown)


loginfo = copy(info)  # as rekor-cli calls it
loginfo.name = "loginfo"
loginfo.help = str(info.help).replace("tiletree info", "tiletree loginfo")
loginfo.short_help = "The same as `tiletree info`, by the name that rekor-cli has for it."
