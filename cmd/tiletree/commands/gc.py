"""`tiletree gc`: what a log has no use for any more is deleted."""

from __future__ import annotations

import time

import click

from tiles.upkeep.gc import DAY, KEPT_REFUSALS
from tiles.upkeep.gc import gc as collect
from tiles.user.places import private_store, public_store
from tiletree.keys import at_a_log
from tiletree.options import json_option, log_argument, output, private_option
from tiletree.ui import Output

_COUNTS = ("staged", "tiles", "bundles", "temps", "probes", "refusals", "decided", "runs", "bytes")


@click.command()
@log_argument
@private_option
@click.option(
    "--grace",
    type=click.FloatRange(min=0),
    default=DAY,
    show_default=True,
    help="seconds that partial tiles and merged runs stay",
)
@click.option(
    "--keep-refusals",
    type=click.FloatRange(min=0),
    default=KEPT_REFUSALS,
    show_default=True,
    help="seconds that refusals stay",
)
@click.option("--dry-run", is_flag=True, help="only say what would be deleted")
@json_option
@output
def gc(out: Output, log: str, private: str | None, grace: float, keep_refusals: float, dry_run: bool) -> None:
    """Delete what the log has no use for any more.

    \b
    Example:
      tiletree gc ./log --dry-run

    This deletes partial tiles and bundles whose full one has been published for the grace period, index runs that were
    merged as long ago, staged batches that can no longer be committed, temporary files of runs that died, and what
    trying out a bucket left behind. Refusals
    go after 30 days, unless --keep-refusals says otherwise. Submissions that are decided and could not be deleted from
    the inbox are tried again; once one is gone, so is the record that it is decided. It can be run at any time, beside
    anything else.
    """
    public = public_store(log)
    with at_a_log(public):
        found = collect(
            public,
            private_store(log, private),
            now=time.time(),
            grace=grace,
            keep_refusals=keep_refusals,
            dry_run=dry_run,
        )
    counts = {name: getattr(found, name) for name in _COUNTS}
    out.result(
        {**counts, "sample": list(found.sample), "dry_run": dry_run},
        *found.sample,
        f"{'would delete' if dry_run else 'deleted'} {found.tiles} partial tiles, {found.bundles} partial bundles, "
        f"{found.staged} staged batches, {found.temps} temporary files, {found.probes} probe objects, "
        f"{found.refusals} refusals, {found.decided} records of decided submissions, {found.runs} objects of merged "
        f"index runs; "
        f"{found.bytes} bytes",
    )
