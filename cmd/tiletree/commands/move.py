"""`tiletree move`: a log is moved to other stores."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from functools import partial

import click

from tiles.errors import UsageError
from tiles.records.settings import MAX_LOCK_DAYS, Settings
from tiles.retry import Clock
from tiles.signing.key_place import Kind
from tiles.signing.signer import Signer
from tiles.store.address import absolute, check_place, name_of
from tiles.user.known_logs import Remembered, try_to_remember
from tiles.user.places import private_store, public_store, remembered
from tiles.version import __version__
from tiles.write.move import Mover, Place
from tiles.write.parts import Parts
from tiles.write.prepare import Preparation, Wishes, anonymous_reader, as_public
from tiletree.commands.init import exposed_places, private_place
from tiletree.keys import find_anchor, find_key
from tiletree.opening import open_sequencer, remark_readable
from tiletree.options import WITNESSES, Writer, json_option, log_argument, output, writer_options
from tiletree.ui import Output


@click.command()
@log_argument
@click.argument("dst", metavar="DST")
@click.option("--to-private", metavar="PLACE", help="where the private part is to be  [default: <DST>.private]")
@click.option("--private-in-bucket", is_flag=True, help="have the private part beside DST, in its bucket")
@click.option("--readable-private", is_flag=True, help="move even if anyone can read the private part there")
@click.option("--gzip", is_flag=True, help="store entries gzip-encoded there, in a bucket")
@click.option(
    "--lock-days",
    type=click.IntRange(0, MAX_LOCK_DAYS),
    default=0,
    help="keep full tiles from being deleted there, by S3 Object Lock",
)
@writer_options("key", "private", "anchor", *WITNESSES)
@json_option
@output
def move(
    out: Output,
    log: str,
    dst: str,
    to_private: str | None,
    private_in_bucket: bool,
    readable_private: bool,
    gzip: bool,
    lock_days: int,
    writer: Writer,
) -> None:
    """Move LOG to DST, a directory or a part of a bucket, so that at no instant two places can sign.

    \b
    Examples:
      tiletree move ./log s3://public-bucket/log --to-private s3://own-bucket/log --anchor s3://anchors/log
      tiletree move s3://public-bucket/log /srv/log --to-private /var/lib/log

    Both parts are copied; the anchor stays where it is, and `tiletree key adopt DST --anchor PLACE` moves it. DST may
    be LOG, to move the private part alone. Writers of LOG may be at work: what they have committed comes along, and
    from some moment on they are refused, and told where the log is. Submissions that come to the old inbox after that
    stay there. If the command is interrupted, run it again. Nothing in the old place is deleted.
    """
    place = private_place(dst, to_private, in_bucket=private_in_bucket)
    for each in (dst, place):
        check_place(each)
    key = find_key(log, writer)
    anchor = find_anchor(log, writer, key.place)
    source = Parts(public_store(log), private_store(log, writer.private))
    target = Parts(public_store(dst), private_store(dst, place))
    if absolute(target.private.url) == absolute(source.private.url):
        raise UsageError("the private part would stay where it is", hint="name another place with --to-private")
    Wishes(gzip, lock_days).check(target.public)
    Preparation(target, anchor, None if readable_private else anonymous_reader(dst, place)).check_places()
    settings = Settings(__version__, gzip, lock_days)
    with out.progress("copying") as progress:
        done = Mover(
            source,
            Place(Parts(as_public(target.public, settings), target.private), name_of(place), settings),
            Signer(key.signing, anchor),
            Clock(time.time, time.sleep, random.SystemRandom()),
            progress.advance,
        ).move(partial(finish, log, writer))
    there = Remembered(
        absolute(dst),
        absolute(place),
        None if key.place.kind is Kind.ENVIRONMENT else key.place.remembered,
        absolute(writer.anchor) if writer.anchor else remembered(log).anchor,
    )
    is_remembered = try_to_remember(name_of(dst), there)
    moved = open_sequencer(dst, replace(writer, private=place, anchor=there.anchor), key)
    published = moved.finish()
    if not is_remembered:
        problem = "these places could not be remembered: name --private, --key and --anchor in later calls"
        out.remark("not_remembered", problem, problem)
    if exposed := exposed_places(replace(writer, key=None, private=place)):
        out.remark("exposed", exposed, f"warning: {'; '.join(exposed)}")
    remark_readable(out, moved.readable())
    if done.left:
        out.remark(
            "left", list(done.left), f"{len(done.left)} objects of the inbox stay behind, which are no submissions"
        )
    out.result(
        {
            "origin": published.origin,
            "size": published.tree.size,
            "root": published.tree.root.hex(),
            "public": moved.public.url,
            "private": moved.private.url,
            "anchor": anchor.url,
            "new": done.is_new,
            "copied": done.copied,
        },
        f"moved {published.origin}, size {published.tree.size}: {done.copied} objects copied"
        if done.is_new
        else f"{published.origin}, size {published.tree.size}, is there already",
        f"public   {moved.public.url}",
        f"private  {moved.private.url}",
        f"anchor   {anchor.url}",
    )
    out.note("readers and submitters have to be told the new place; nothing in the old one was deleted")


def finish(log: str, writer: Writer) -> None:
    """Publish what is committed in the old place."""
    open_sequencer(log, writer).finish()
