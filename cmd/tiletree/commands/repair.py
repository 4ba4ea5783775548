"""`tiletree repair`: lost or damaged objects of a log are put back."""

from __future__ import annotations

import time
from dataclasses import replace

import click

from tiles.errors import UsageError
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.read.runs import Hands
from tiles.records.settings import MAX_LOCK_DAYS
from tiles.upkeep.repair import Repaired
from tiles.upkeep.repair import repair as put_right
from tiles.user.places import private_store, public_store
from tiletree.computing import Spread, address_elsewhere, spread_options
from tiletree.keys import find_key
from tiletree.opening import open_sequencer, pinned_for
from tiletree.options import WITNESSES, Writer, json_option, log_argument, output, writer_options
from tiletree.reading import Pins, trust_options
from tiletree.ui import EXIT_OK, EXIT_WRONG, Output

SHOWN = 1000  # repaired objects that --json lists one by one


@click.command()
@log_argument
@click.option(
    "--from", "mirror", metavar="MIRROR", help="a copy of the log: a directory, or any URL a log is read from"
)
@click.option("--head", is_flag=True, help="first make the head again, if it is gone or was put back")
@click.option("--gzip", is_flag=True, help="with --head, if the settings are lost: entries are stored gzip-encoded")
@click.option(
    "--lock-days",
    type=click.IntRange(0, MAX_LOCK_DAYS),
    default=0,
    help="with --head, if the settings are lost: for how long full tiles are locked",
)
@writer_options("key", "private", "anchor", "admission", *WITNESSES)
@click.option("--dry-run", is_flag=True, help="only say what would be done")
@spread_options
@trust_options
@json_option
@output
def repair(
    out: Output,
    log: str,
    mirror: str | None,
    head: bool,
    gzip: bool,
    lock_days: int,
    dry_run: bool,
    writer: Writer,
    spread: Spread,
    pins: Pins,
) -> int:
    """Put back tiles and bundles that are lost or damaged, each proven against the signed root.

    \b
    Examples:
      tiletree repair ./log --dry-run
      tiletree repair ./log --from https://mirror.example.com/log
      tiletree repair ./log --head

    What the sound objects of LOG determine is computed; the rest is taken from MIRROR, which need not be trusted.
    Damaged objects are kept below set-aside/ in the private part. Exits 1 if something could not be repaired. It can be
    run at any time, any number of times, beside anything else.

    With --head, which needs the key, the private part gets the head that the checkpoint and the anchor lead to, and
    what could not be known is said. Tiles in the way of the log, beyond what was committed or in the place of what is
    not published yet, are set aside. Stop every other writer before.
    """
    _check_options(head=head, settings=gzip or lock_days > 0, dry_run=dry_run)
    fenced = False
    if head:
        pins, fenced = _rebuild_head(
            out, log, replace(writer, policy=pins.policy), pins, gzip=gzip, lock_days=lock_days
        )
    fetcher = open_log(log)
    pinned = pinned_for(log, fetcher, pins)
    # not compared with what was seen before: that takes tiles, which may be what is to be repaired
    accepted = LogClient(fetcher, pinned.policy).visit()
    if pinned.is_first_use:
        out.remark(
            "trust", pinned.how, f"trust: {pinned.how}; compare the key with its publisher's: {accepted.log.vkey}"
        )
    if pinned.not_remembered:
        problem = pinned.not_remembered
        out.remark("not_remembered", problem, f"this first use is not remembered: {problem}")
    repaired: list[dict[str, str]] = []

    def told(path: str, what: str, how: str) -> None:
        if len(repaired) < SHOWN:
            repaired.append({"path": path, "what": what, "how": how})
        out.line(f"{path}: {what}, {how}")

    size = accepted.signed.tree.size
    with spread.at_work(size) as workers, out.progress("checking", size) as progress:
        done = put_right(
            fetcher,
            public_store(log),
            private_store(log, writer.private),
            accepted.signed,
            pinned.policy,
            now=time.time(),
            mirror=open_log(mirror) if mirror else None,
            fenced=fenced,
            dry_run=dry_run,
            told=told,
            progress=progress.advance,
            hands=Hands(workers, address_elsewhere(log)),
        )
    if head:
        open_sequencer(log, replace(writer, policy=pins.policy)).finish()
    _say(out, done, dry_run=dry_run)
    findings = [{"path": finding.path, "problem": finding.problem} for finding in done.findings]
    tree = done.tree
    out.result(
        {
            "origin": accepted.signed.origin,
            "size": tree.size,
            "root": tree.root.hex(),
            "trust": pinned.how,
            "dry_run": dry_run,
            "put_back": done.put_back,
            "replaced": done.replaced,
            "set_aside": done.set_aside,
            "repaired": repaired,
            "notes": list(done.notes),
            "findings": findings,
        },
        *(f"{finding.path}: {finding.problem}; it could not be repaired" for finding in done.findings),
        f"{'would repair' if dry_run else 'repaired'} {accepted.signed.origin}, size {tree.size}: "
        f"{done.put_back} objects put back, {done.replaced} replaced, {done.set_aside} set aside; "
        f"{len(findings)} could not be repaired",
    )
    return EXIT_WRONG if findings else EXIT_OK


def _check_options(*, head: bool, settings: bool, dry_run: bool) -> None:
    if settings and not head:
        raise UsageError("--gzip and --lock-days are for --head")
    if head and dry_run:
        raise UsageError("--head writes; it has no --dry-run")


def _say(out: Output, done: Repaired, *, dry_run: bool) -> None:
    for note in done.notes:
        out.note(note)
    if (done.replaced or done.set_aside) and not dry_run:
        out.remark("aside", done.aside, f"what was replaced or set aside is in the private part, below {done.aside}")


def _rebuild_head(
    out: Output, log: str, writer: Writer, pins: Pins, *, gzip: bool, lock_days: int
) -> tuple[Pins, bool]:
    """Make the head again, say what was done, and return whom to trust for the rest, and whether the anchor was fenced.

    The log's own key is trusted.
    """
    key = find_key(log, writer)
    done = open_sequencer(log, writer, key, look_closer=True).rebuild_head(gzip=gzip, lock_days=lock_days)
    size = done.head.tree.size
    if not done.is_new:
        out.remark("head", {"size": size, "rebuilt": False}, f"the head is there, and sound: size {size}")
    else:
        state = ", frozen" if done.head.frozen else ""
        unknown = list(done.unknown)
        out.remark("head", {"size": size, "rebuilt": True, "unknown": unknown}, f"head rebuilt: size {size}{state}")
        for text in unknown:
            out.note(f"not known: {text}")
    return (pins if pins.vkey or pins.policy else Pins(vkey=key.verifier.vkey)), done.is_new
