"""`tiletree gc`: what a log has no use for any more is deleted."""

from __future__ import annotations

import time

import click

from tiles.upkeep.gc import DAY
from tiles.upkeep.gc import gc as collect
from tiles.user.places import private_store, public_store
from tiletree.options import json_option, log_argument, output, private_option
from tiletree.ui import Output


@click.command()
@log_argument
@private_option
@click.option(
    "--grace", type=click.FloatRange(min=0), default=DAY, show_default=True, help="seconds that partial tiles stay"
)
@click.option("--dry-run", is_flag=True, help="only say what would be deleted")
@json_option
@output
def gc(out: Output, log: str, private: str | None, grace: float, dry_run: bool) -> None:
    """Delete what the log has no use for any more.

    \b
    Example:
      tiletree gc ./log --dry-run

    This deletes partial tiles and bundles whose full one has been published for the grace period, staged batches that
    can no longer be committed, temporary files of runs that died, and what trying out a bucket left behind. It can be
    run at any time, beside anything else.
    """
    found = collect(public_store(log), private_store(log, private), now=time.time(), grace=grace, dry_run=dry_run)
    counts = {name: getattr(found, name) for name in ("staged", "tiles", "bundles", "temps", "probes", "bytes")}
    out.result(
        {**counts, "sample": list(found.sample), "dry_run": dry_run},
        *found.sample,
        f"{'would delete' if dry_run else 'deleted'} {found.tiles} partial tiles, {found.bundles} partial bundles, "
        f"{found.staged} staged batches, {found.temps} temporary files, {found.probes} probe objects; "
        f"{found.bytes} bytes",
    )
