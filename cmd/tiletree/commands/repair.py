"""`tiletree repair`: lost or damaged objects of a log are put back."""

from __future__ import annotations

import time

import click

from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.upkeep.repair import repair as put_right
from tiles.user.places import private_store, public_store
from tiletree.opening import (
    pinned_for,
)
from tiletree.options import Pins, json_option, log_argument, output, private_option, trust_options
from tiletree.ui import EXIT_OK, EXIT_WRONG, Output

SHOWN = 1000  # repaired objects that --json lists one by one


@click.command()
@log_argument
@click.option(
    "--from", "mirror", metavar="MIRROR", help="a copy of the log: a directory, or any URL a log is read from"
)
@private_option
@click.option("--dry-run", is_flag=True, help="only say what would be done")
@trust_options
@json_option
@output
def repair(out: Output, log: str, mirror: str | None, private: str | None, dry_run: bool, pins: Pins) -> int:
    """Put back tiles and bundles that are lost or damaged, each proven against the signed root.

    \b
    Examples:
      tiletree repair ./log --dry-run
      tiletree repair ./log --from https://mirror.example.com/log

    What the sound objects of LOG determine is computed; the rest is taken from MIRROR, which need not be trusted.
    Damaged objects, and tiles beyond everything that was committed, are kept below set-aside/ in the private part.
    Exits 1 if something could not be repaired. It can be run at any time, any number of times, beside anything else.
    """
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

    with out.progress("checking", accepted.signed.tree.size) as progress:
        done = put_right(
            fetcher,
            public_store(log),
            private_store(log, private),
            accepted.signed,
            pinned.policy,
            now=time.time(),
            mirror=open_log(mirror) if mirror else None,
            dry_run=dry_run,
            told=told,
            progress=progress.advance,
        )
    for note in done.notes:
        out.note(note)
    if (done.replaced or done.set_aside) and not dry_run:
        out.remark("aside", done.aside, f"what was replaced or set aside is in the private part, below {done.aside}")
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
