"""`tiletree get`: one entry of a log."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import click

from tiles.entries.kinds import LEAF
from tiles.entries.payload import fetch_payload
from tiles.index.find_file import find_leaf_hash
from tiles.index.key_text import key_from
from tiles.read.fetcher import open_log
from tiles.tree.merkle import leaf_hash, to_hash
from tiletree.finding import check_named, find_entry, remarks
from tiletree.opening import tiles_of, visit, write_file
from tiletree.options import Pins, json_option, log_argument, output, trust_options
from tiletree.ui import Output


@click.command()
@log_argument
@click.argument("what", metavar="[WHAT]", required=False)
@click.option(
    "--uuid", metavar="HEX", help="the entry with this leaf hash, which `sign` and `add --json` print as uuid"
)
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), help="write the bytes to this file")
@click.option(
    "--payload", is_flag=True, help="the file or statement whose digest the entry has, if it was added with --payload"
)
@click.option("--scan", is_flag=True, help="look for it in a log of any size, entry by entry")
@trust_options
@json_option
@output
def get(
    out: Output,
    log: str,
    what: str | None,
    uuid: str | None,
    target: Path | None,
    payload: bool,
    scan: bool,
    pins: Pins,
) -> None:
    """Print one entry, verified against the checkpoint.

    \b
    Examples:
      tiletree get https://log.example.com 42 -o entry
      tiletree get https://log.example.com 42 --payload -o app.whl
      tiletree get https://log.example.com app.whl
      tiletree get https://log.example.com --uuid 3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b

    WHAT is an index, a file, or sha256:HEX; what is not in the log: exit code 8. A file whose name is a number is ./42.
    The bytes are printed as they are, but on a terminal without characters that could harm it.
    """
    if (what is None) == (uuid is None):
        raise click.UsageError("name an index, a file or sha256:HEX, or --uuid", click.get_current_context())
    leaf = to_hash(key_from(LEAF, uuid).value) if uuid is not None else None
    is_index = what is not None and what.isascii() and what.isdigit()
    if what is not None and not is_index:
        check_named(what)
    client, _, pinned = visit(out, log, pins)
    with tiles_of(log, client):
        if leaf is not None:
            index, entry = find_leaf_hash(client, leaf, remarks(out), any_size=scan)
        elif is_index:
            index = int(what or "")
            entry = client.entry(index)
        else:
            index, entry, _ = find_entry(out, client, what or "", log, any_size=scan)
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
