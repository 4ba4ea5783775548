"""`tiletree prove`: the proof that an entry is in a log."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from tiles.entries.kinds import Content, forms
from tiles.entries.proof_extra import extra_for
from tiles.errors import NotLogged
from tiles.notes.policy import Accepted
from tiles.read.client import LogClient
from tiles.tree.merkle import leaf_hash
from tiletree.blinding import known_secrets
from tiletree.opening import (
    read_file,
    tiles_of,
    visit,
    write_file,
)
from tiletree.options import Pins, json_option, log_argument, output, trust_options
from tiletree.ui import Output


@click.command()
@log_argument
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--index", type=click.IntRange(min=0), help="prove the entry at this index")
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path), help="the proof's file, .tlog-proof by custom"
)
@click.option("--scan", is_flag=True, help="look for FILE in a log of any size, entry by entry")
@trust_options
@json_option
@output
def prove(
    out: Output,
    log: str,
    file: str | None,
    index: int | None,
    target: Path | None,
    scan: bool,
    pins: Pins,
) -> None:
    """Write the proof that an entry is in a log; it is verified offline, with `tiletree verify`.

    \b
    Examples:
      tiletree prove ./log --index 0 -o app.tlog-proof
      tiletree prove ./log dist/app.whl -o app.tlog-proof
    """
    if (file is None) == (index is None):
        raise click.UsageError("name a file, or --index", click.get_current_context())
    client, accepted, pinned = visit(out, log, pins)
    with tiles_of(log, client):
        extra = b""
        if index is None and file is not None:
            content = read_file(file, partial(known_secrets, log, accepted.signed.origin))
            index, entry = _find(client, file, content, accepted, scan=scan)
            extra = extra_for(entry, content)
        proof = client.prove(index or 0, extra)
    origin, size = accepted.signed.origin, accepted.signed.tree.size
    document = {"index": proof.index, "size": size, "origin": origin, "trust": pinned.how}
    if target is not None:
        write_file(target, proof.data)
        line = f"wrote {target}: entry {proof.index} of {origin}, size {size}"
        out.result({**document, "path": str(target)}, line)
        return
    out.answer({**document, "proof": proof.data.decode()})
    out.raw(proof.data)


def _find(client: LogClient, file: str, content: Content, accepted: Accepted, *, scan: bool) -> tuple[int, bytes]:
    """Return the first index of a file, and the entry: its digest, with its name, its bytes, or its digest blinded."""
    for _, entry in forms(content):
        if found := client.find(leaf_hash(entry), any_size=scan):
            return found[0], entry
    raise NotLogged(f"{file} is not among the {accepted.signed.tree.size} entries of {accepted.signed.origin}")
