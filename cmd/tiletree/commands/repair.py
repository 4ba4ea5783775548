"""The command that puts a damaged log right: repair."""

from __future__ import annotations

import time
from pathlib import Path

import click

from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.read.trust import resolve
from tiles.upkeep.repair import repair as put_right
from tiles.user.places import private_store, public_store
from tiles.user.trusted_keys import Trust
from tiletree.options import (
    json_option,
    log_argument,
    output,
    private_option,
    read_policy,
    read_vkey,
    trust_options,
)
from tiletree.ui import EXIT_OK, EXIT_WRONG, Output, shown

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
def repair(
    out: Output, log: str, mirror: str | None, private: str | None, dry_run: bool, vkey: str | None, policy: Path | None
) -> int:
    """Put back tiles and bundles that are lost or damaged, each proven against the signed root.

    \b
    Examples:
      tiletree repair ./log --dry-run
      tiletree repair ./log --from https://mirror.example.com/log

    What can be is computed from what is sound in LOG, the rest is taken from MIRROR, which need not be trusted. What
    was damaged, and tiles beyond everything that was committed, are kept in the private part, below set-aside/. Exits 1
    if something could not be repaired. It can be run at any time, and again, beside anything else.
    """
    fetcher = open_log(log)
    pinned = resolve(log, fetcher, Trust(), read_vkey(vkey), read_policy(policy))
    # not compared with what was seen before: that takes tiles, which may be what is to be repaired
    accepted = LogClient(fetcher, pinned.policy).visit()
    if pinned.is_first_use:
        out.note(f"trust: {pinned.how}; compare the key with its publisher's: {shown(accepted.log.vkey)}")
    repaired: list[dict[str, str]] = []

    def told(path: str, what: str, how: str) -> None:
        if len(repaired) < SHOWN:
            repaired.append({"path": path, "what": what, "how": how})
        out.line(f"{shown(path)}: {what}, {how}")

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
        out.note(shown(note))
    if (done.replaced or done.set_aside) and not dry_run:
        out.note(f"what was replaced or set aside is in the private part, below {done.aside}")
    findings = [{"path": finding.path, "problem": finding.problem} for finding in done.findings]
    tree = done.tree
    out.result(
        {
            "origin": accepted.signed.origin,
            "size": tree.size,
            "root": tree.root.hex(),
            "dry_run": dry_run,
            "put_back": done.put_back,
            "replaced": done.replaced,
            "set_aside": done.set_aside,
            "repaired": repaired,
            "notes": list(done.notes),
            "findings": findings,
        },
        *(f"{shown(finding.path)}: {shown(finding.problem)}; it could not be repaired" for finding in done.findings),
        f"{'would repair' if dry_run else 'repaired'} {shown(accepted.signed.origin)}, size {tree.size}: "
        f"{done.put_back} objects put back, {done.replaced} replaced, {done.set_aside} set aside; "
        f"{len(findings) or 'none'} could not be repaired",
    )
    return EXIT_WRONG if findings else EXIT_OK
