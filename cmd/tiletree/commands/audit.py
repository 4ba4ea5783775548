"""`tiletree audit`: the whole log, recomputed."""

from __future__ import annotations

import click

from tiles.read.fetcher import open_log
from tiles.read.layouts import name_of
from tiles.read.log_formats import TLOG_TILES
from tiles.read.other_layouts import check_layout
from tiles.read.pruned import check_minimum
from tiles.read.runs import Hands
from tiles.read.withheld import WithheldEntries
from tiles.store import StoreFetcher
from tiles.upkeep.audit import audit as recompute
from tiles.user.places import public_store
from tiletree.computing import Spread, address_elsewhere, spread_options
from tiletree.opening import visit
from tiletree.options import json_option, log_argument, output
from tiletree.reading import Pins, pruned_option, reading_options
from tiletree.ui import EXIT_OK, EXIT_WRONG, Output


@click.command()
@log_argument
@spread_options
@pruned_option
@reading_options("layout")
@json_option
@output
def audit(out: Output, log: str, spread: Spread, minimum: int, pins: Pins) -> int:
    """Read the whole log, recompute everything, and report every finding.

    \b
    Example:
      tiletree audit ./log
      tiletree audit https://log.example.com --pruned 1048576
      tiletree audit s3://bucket/log --executor dask://scheduler:8786

    With --pruned, tiles and entry bundles that have only entries below that index may be missing. How many are is
    said, and nothing of them was looked at. Everything else is a finding, as ever.
    """
    client, accepted, pinned = visit(out, log, pins)
    layout = name_of(client.log_format)
    is_ours = client.log_format is TLOG_TILES
    check_minimum(minimum, accepted.signed.tree.size)
    fetcher = open_log(log)
    if is_ours:
        check_layout(fetcher, accepted.signed.tree.size)  # nothing is damaged that is only elsewhere
    store = public_store(log) if is_ours and isinstance(fetcher, StoreFetcher) else None
    size = accepted.signed.tree.size
    with spread.at_work(size) as workers, out.progress("auditing", size) as progress:
        report = recompute(
            fetcher,
            accepted.signed.tree,
            store=store,
            policy=pinned.policy,
            progress=progress.advance,
            hands=Hands(workers, address_elsewhere(log)),
            minimum=minimum,
            withheld=WithheldEntries.of(client) if is_ours else None,
            layout=layout,
        )
    findings = [{"path": finding.path, "problem": finding.problem} for finding in report.findings]
    tree = report.tree
    out.result(
        {
            "origin": accepted.signed.origin,
            "size": tree.size,
            "root": tree.root.hex(),
            "trust": pinned.how,
            "findings": findings,
            **({"pruned": {"minimum": minimum, "objects": report.pruned}} if minimum else {}),
            "withheld": [
                {"index": entry.index, "leaf_hash": entry.leaf.hex(), "reason": entry.reason}
                for entry in report.withheld
            ],
        },
        *(f"entry {entry.index} is withheld: {entry.reason}" for entry in report.withheld),
        *(f"{finding.path}: {finding.problem}" for finding in report.findings),
        *(_pruned_words(minimum, report.pruned) if minimum else ()),
        f"audited {accepted.signed.origin}, size {tree.size}, root {tree.root.hex()}",
        f"{len(findings) or 'no'} findings",
    )
    return EXIT_WRONG if findings else EXIT_OK


def _pruned_words(minimum: int, objects: int) -> list[str]:
    if not objects:
        return [f"nothing below {minimum} is missing: the log has not pruned it"]
    return [f"pruned: {objects} objects that have only entries below {minimum} are not there"]
