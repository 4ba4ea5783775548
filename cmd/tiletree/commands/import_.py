"""`tiletree import`: entries are copied from log to log."""

from __future__ import annotations

import click

from tiles.errors import Unfinished
from tiles.read.runs import Hands
from tiles.upkeep.import_log import import_log
from tiletree.computing import Spread, address_elsewhere, spread_options
from tiletree.opening import open_sequencer, tiles_of, visit
from tiletree.options import WITNESSES, Writer, json_option, output, writer_options
from tiletree.publishing import published_line, remark_made
from tiletree.reading import Pins, reading_options
from tiletree.remarks import remark_index
from tiletree.ui import Output


@click.command("import")
@click.argument("src", metavar="SRC")
@click.argument("dst", metavar="DST")
@reading_options("mirror")
@writer_options("anchor", "private", "key", *WITNESSES)
@spread_options
@json_option
@output
def import_(
    out: Output,
    src: str,
    dst: str,
    writer: Writer,
    spread: Spread,
    pins: Pins,
) -> None:
    """Append to DST what SRC has beyond it, verified, and publish.

    \b
    Example:
      tiletree import https://log.example.com ./log --vkey 'log.example.com+…'

    DST has to be empty, or to begin as SRC does. Its root is then the same as SRC's, at every size. An import that was
    interrupted goes on where DST ends, and so does one that is made again after SRC has grown. --vkey and --policy say
    whom to trust for SRC. Bundles of SRC are read and checked by as many as --jobs or --executor say. The other options
    are about DST. Nobody else may write to DST meanwhile.
    """
    target = open_sequencer(dst, writer)
    client, accepted, pinned = visit(out, src, pins)
    source = {"origin": accepted.signed.origin, "size": client.tree.size, "trust": pinned.how}
    index = ""
    count = client.tree.size
    with tiles_of(src, client), spread.at_work(count) as workers, out.progress("importing", count) as progress:

        def told(count: int) -> None:
            nonlocal index
            progress.advance(count)
            index = target.update_index(more=True)

        try:
            done = import_log(client, target, progress=told, hands=Hands(workers, address_elsewhere(src)))
        except Unfinished as error:
            out.partial |= {"source": source, "committed": True, "published": error.published}
            raise
        index = target.update_index()
    remark_index(out, dst, index)
    made = remark_made(out, target)
    tree = done.checkpoint.tree
    out.result(
        {
            "source": source,
            "first_index": done.first_index,
            "count": done.count,
            "origin": done.checkpoint.origin,
            "size": tree.size,
            "root": tree.root.hex(),
            "published": True,
        },
        f"imported {done.count} entries of {accepted.signed.origin} into {done.checkpoint.origin}, "
        f"from index {done.first_index}",
        published_line(done.checkpoint.origin, tree, made, done.count),
    )
