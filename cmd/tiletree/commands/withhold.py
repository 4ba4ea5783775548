"""`tiletree withhold`: a log says, signed, that it denies the bytes of entries to readers."""

from __future__ import annotations

import click

from tiles.signing.signer import Signer
from tiles.upkeep.withhold import withhold as withhold_entries
from tiles.user.places import private_store, public_store
from tiles.write.parts import Parts
from tiles.write.prepare import as_settled
from tiletree.keys import find_anchor, find_key
from tiletree.options import Writer, json_option, log_argument, output, writer_options
from tiletree.ui import Output


@click.command()
@log_argument
@click.argument("indexes", metavar="INDEX...", nargs=-1, required=True, type=click.IntRange(min=0))
@click.option("--reason", metavar="TEXT", required=True, help="why, for everybody to read; one line")
@writer_options("key", "private", "anchor")
@json_option
@output
def withhold(out: Output, log: str, indexes: tuple[int, ...], reason: str, writer: Writer) -> None:
    """Say, signed by the log, that the bytes of entries are withheld; and which objects the host has to deny.

    \b
    Example:
      tiletree withhold ./log 42 --reason "personal data; case 2026-17"

    No object of the log is changed or deleted: let the host or CDN answer 404 or 403 for the paths that are printed,
    and purge its caches. A bundle has up to 256 entries, and is denied as a whole. The leaf hashes stay, so proofs of
    all of them stay good. `audit` reports them as withheld, and `get` says why. docs/operations.md has the whole of it.
    """
    key = find_key(log, writer)
    parts = Parts(public_store(log), private_store(log, writer.private))
    parts = Parts(as_settled(parts), parts.private)
    done = withhold_entries(parts, Signer(key.signing, find_anchor(log, writer, key.place)), indexes, reason)
    out.result(
        {
            "origin": done.origin,
            "entries": [{"index": each.index, "leaf_hash": each.leaf.hex()} for each in done.entries],
            "reason": reason,
            "deny": list(done.deny),
        },
        *(f"{each.index}  {each.leaf.hex()}  withheld" for each in done.entries),
        *(f"deny  {each}" for each in done.deny),
    )
