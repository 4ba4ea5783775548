"""`tiletree prove`: the proof that an entry is in a log."""

from __future__ import annotations

from pathlib import Path

import click

from tiles.entries.proof_extra import extra_for
from tiletree.files import write_file
from tiletree.finding import check_named, find_entry
from tiletree.opening import tiles_of, visit
from tiletree.options import Pins, json_option, log_argument, output, pruned_option, reading_options
from tiletree.ui import Output
from tiletree.when import remark_when, when_option


@click.command()
@log_argument
@click.argument("file", required=False)
@click.option("--index", type=click.IntRange(min=0), help="prove the entry at this index")
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path), help="the proof's file, .tlog-proof by custom"
)
@click.option("--scan", is_flag=True, help="look for FILE in a log of any size, entry by entry")
@when_option
@pruned_option
@reading_options("mirror", "layout")
@json_option
@output
def prove(
    out: Output,
    log: str,
    file: str | None,
    index: int | None,
    target: Path | None,
    scan: bool,
    when: bool,
    minimum: int,
    pins: Pins,
) -> None:
    """Write the proof that an entry is in a log; it is verified offline, with `tiletree verify`.

    \b
    Examples:
      tiletree prove ./log --index 0 -o app.tlog-proof
      tiletree prove ./log dist/app.whl -o app.tlog-proof
      tiletree prove ./log sha256:3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b

    FILE is a file, or sha256:HEX. It is found under whatever name it was logged. A log of more than 16,384 entries
    needs an index for that, or --scan. What is not in the log: exit code 8.
    """
    if (file is None) == (index is None):
        raise click.UsageError("name a file, or --index", click.get_current_context())
    if file is not None:
        check_named(file)
    client, accepted, pinned = visit(out, log, pins)
    with tiles_of(log, client, minimum):
        extra = b""
        if index is None and file is not None:
            index, entry, content = find_entry(out, client, file, log, any_size=scan)
            extra = extra_for(entry, content)
        proof = client.prove(index or 0, extra)
        remark_when(out, client, proof.index, wanted=when)
    origin, size = accepted.signed.origin, accepted.signed.tree.size
    document = {"index": proof.index, "size": size, "origin": origin, "trust": pinned.how}
    if target is not None:
        write_file(target, proof.data)
        line = f"wrote {target}: entry {proof.index} of {origin}, size {size}"
        out.result({**document, "path": str(target)}, line)
        return
    out.answer({**document, "proof": proof.data.decode()})
    out.raw(proof.data)
