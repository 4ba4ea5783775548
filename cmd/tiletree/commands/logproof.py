"""`tiletree logproof`: the consistency proof between two sizes of a log, as `rekor-cli logproof` gives it."""

from __future__ import annotations

import click

from tiles.read.consistency import prove_consistency
from tiletree.opening import tiles_of, visit
from tiletree.options import json_option, log_argument, output
from tiletree.reading import Pins, reading_options
from tiletree.ui import Output


@click.command()
@log_argument
@click.option("--first-size", type=click.IntRange(min=0), default=1, show_default=True, help="of the smaller tree")
@click.option("--last-size", type=click.IntRange(min=0), help="of the larger tree  [default: the log's size]")
@reading_options("mirror", "layout")
@json_option
@output
def logproof(out: Output, log: str, first_size: int, last_size: int | None, pins: Pins) -> None:
    """Print the proof, verified, that the log of one size begins with the log of a smaller size.

    \b
    Example:
      tiletree logproof https://log.example.com --first-size 100 --last-size 200

    The roots and the hashes of the proof are in hexadecimal. Every other command does this by itself, from the
    checkpoint that was seen last.
    """
    client, accepted, pinned = visit(out, log, pins)
    with tiles_of(log, client):
        proof = prove_consistency(client, first_size, client.tree.size if last_size is None else last_size)
    hashes = [each.hex() for each in proof.hashes]
    out.answer(
        {
            "origin": accepted.signed.origin,
            "first": {"size": proof.older.size, "root": proof.older.root.hex()},
            "last": {"size": proof.newer.size, "root": proof.newer.root.hex()},
            "hashes": hashes,
            "trust": pinned.how,
        },
        f"first  size {proof.older.size}, root {proof.older.root.hex()}",
        f"last   size {proof.newer.size}, root {proof.newer.root.hex()}",
        *hashes,
    )
