"""`tiletree get`: one entry of a log."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import click

from tiles.entries.payload import fetch_payload
from tiles.read.fetcher import open_log
from tiles.tree.merkle import leaf_hash
from tiletree.opening import (
    tiles_of,
    visit,
    write_file,
)
from tiletree.options import Pins, json_option, log_argument, output, trust_options
from tiletree.ui import Output


@click.command()
@log_argument
@click.argument("index", type=click.IntRange(min=0))
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), help="write the bytes to this file")
@click.option("--payload", is_flag=True, help="the file whose digest the entry is, if it was added with --payload")
@trust_options
@json_option
@output
def get(out: Output, log: str, index: int, target: Path | None, payload: bool, pins: Pins) -> None:
    """Print one entry, verified against the checkpoint.

    \b
    Examples:
      tiletree get https://log.example.com 42 -o entry
      tiletree get https://log.example.com 42 --payload -o app.whl

    The bytes are printed as they are, but on a terminal without characters that could harm it.
    """
    client, _, pinned = visit(out, log, pins)
    with tiles_of(log, client):
        entry = client.entry(index)
    data = fetch_payload(open_log(log), entry) if payload else entry
    document = {"index": index, "leaf_hash": leaf_hash(entry).hex(), "entry": b64encode(entry).decode()}
    if target is not None:
        write_file(target, data)
        out.result({**document, "trust": pinned.how})
        return
    if payload:
        document["payload"] = b64encode(data).decode()
    out.answer({**document, "trust": pinned.how})
    out.raw(data)
