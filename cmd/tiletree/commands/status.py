"""`tiletree status`: what the next run on a log will find and do, and what somebody should be woken for."""

from __future__ import annotations

import time
from typing import Any

import click

from tiles.errors import TilesError
from tiles.notes.keys import VerifierKey
from tiles.upkeep.alarms import Limits, alarms
from tiles.upkeep.exposition import exposition
from tiles.upkeep.status import Status, look
from tiles.upkeep.status_metrics import gauges
from tiles.user.exposed import readable
from tiles.user.places import private_store, public_store
from tiletree.commands.status_report import document, lines
from tiletree.keys import find_anchor, key_place, open_named
from tiletree.opening import remark_readable
from tiletree.options import Decorator, Writer, as_one, json_option, log_argument, output, writer_options
from tiletree.ui import EXIT_ALARM, EXIT_OK, EXIT_REFUSED, Output


def _limit(name: str, kind: Any, metavar: str, about: str) -> Decorator:
    return click.option(f"--max-{name}", type=kind, metavar=metavar, help=f"alarm where {about}")


_SECONDS, _NUMBER = click.FloatRange(min=0), click.IntRange(min=0)
limit_options = as_one(
    "limits",
    lambda max_age, max_oldest, max_backlog, max_index_lag: Limits(max_age, max_backlog, max_oldest, max_index_lag),
    max_age=_limit(
        "age", _SECONDS, "SECONDS", "something has waited for longer, and nothing was published in that time"
    ),
    max_oldest=_limit("oldest", _SECONDS, "SECONDS", "a submission has waited for longer"),
    max_backlog=_limit("backlog", _NUMBER, "N", "more than N submissions wait"),
    max_index_lag=_limit("index-lag", _NUMBER, "N", "an index does not cover more than N published entries"),
)


@click.command()
@log_argument
@limit_options
@click.option("--metrics", is_flag=True, help="print it as numbers, in the text format of Prometheus and OpenMetrics")
@click.option("--without-key", is_flag=True, help="do not look for the log's key: for a job that only watches")
@writer_options("key", "private", "anchor")
@json_option
@output
def status(out: Output, log: str, limits: Limits, metrics: bool, without_key: bool, writer: Writer) -> int:
    """Say what the next run will find and do. For whoever may read both parts of LOG; changes nothing.

    \b
    Examples:
      tiletree status ./log
      tiletree status s3://bucket/log --max-oldest 600 --max-age 3600
      tiletree status ./log --metrics > /var/lib/node_exporter/log.prom
      tiletree status s3://bucket/log --private s3://own/log --anchor s3://anchor/log --max-oldest 600 --without-key

    Exits 4 if the next run would refuse, or has no key to sign with, and 9 at any other alarm: beyond a limit that an
    option names, or an inbox that cannot be listed, or an index that is damaged. All of it is printed in any case.

    With --without-key nothing is said of the key, and a job that must not be able to sign can watch the log: the right
    to read and list the log's three places is enough.
    """
    public, own = public_store(log), private_store(log, writer.private)
    place = key_place(log, writer)
    memory = find_anchor(log, writer, place)
    now = time.time()
    found = look(public, own, memory, now)
    key, problem, hint = None if without_key else str(place), "", ""
    try:
        if not without_key:
            problem = _other(open_named(place, log, writer).verifier, found)
    except TilesError as error:
        problem, hint = error.message, error.hint
    will = f"refuse: {problem}" if problem and not found.refusal else found.next
    remark_readable(out, readable(own, memory))
    raised = alarms(found, limits, now, problem)
    report = document(found, now, key, problem, will, raised)
    for alarm in raised:
        out.warn(f"alarm: {alarm.name}: {alarm.text}")
    if hint := found.hint or hint:
        out.remark("hint", hint, f"hint: {hint}")
    if metrics:
        text = exposition(gauges(found, raised, now))
        out.answer({**report, "metrics": text}, *text.splitlines())
    else:
        out.answer(report, *lines(found, now, key, problem, will, memory.url))
    if found.refusal or problem:
        return EXIT_REFUSED
    return EXIT_ALARM if raised else EXIT_OK


def _other(key: VerifierKey, found: Status) -> str:
    """Return what is wrong with a key that is not the log's; "" if it is."""
    return "" if key.vkey in found.head.vkeys else f"it is the key {key.vkey}, not the log's"
