"""`tiletree cost`: what a log costs in a month."""

from __future__ import annotations

import click

from tiles.cost.month import ASSUMED, ASSUMED_ON, WITH_KEYS, Use, assumed, bill, gigabytes, month
from tiles.cost.requests import Setup
from tiles.errors import UsageError
from tiletree.options import json_option, output
from tiletree.ui import Output


@click.command()
@click.option("--entries-per-day", type=click.IntRange(1), required=True, metavar="N", help="entries a day")
@click.option(
    "--per-submission",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="entries of one object in the inbox",
)
@click.option(
    "--interval",
    type=click.FloatRange(1),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="from one run to the next",
)
@click.option(
    "--entry-size", type=click.IntRange(1), default=1024, show_default=True, metavar="BYTES", help="of one entry"
)
@click.option(
    "--size", type=click.IntRange(0), default=0, show_default=True, metavar="N", help="entries that are there already"
)
@click.option("--on", type=click.Choice(list(ASSUMED)), default="aws", show_default=True, help="whose prices")
@click.option("--index/--no-index", default=True, show_default=True, help="with the index, as a large log has it")
@click.option("--once/--again", default=True, show_default=True, help="look for each entry before it is logged")
@click.option("--anchor-in-bucket/--anchor-beside-key", default=True, show_default=True, help="where the anchor is")
@click.option(
    "--assume",
    multiple=True,
    metavar="NAME=NUMBER",
    help="another price, or another number that is assumed; the last line has them all",
)
@json_option
@output
def cost(
    out: Output,
    entries_per_day: int,
    per_submission: int,
    interval: float,
    entry_size: int,
    size: int,
    on: str,
    index: bool,
    once: bool,
    anchor_in_bucket: bool,
    assume: tuple[str, ...],
) -> None:
    """Say what a log in buckets costs in a month of 30 days: requests of each kind, and dollars.

    \b
    Examples:
      tiletree cost --entries-per-day 1000
      tiletree cost --entries-per-day 1000000 --per-submission 100 --interval 300 --on gcp
      tiletree cost --entries-per-day 1000 --assume put-1000=0.0054

    Requests are counted as the code makes them. Prices are assumptions, which --assume replaces: ask your provider.
    What readers fetch is not in it, because that is for a CDN and its free tier to decide.
    """
    use = Use(entries_per_day, per_submission, interval, entry_size, size)
    prices = assumed(on, dict(_assumption(each) for each in assume))
    setup = Setup(anchor_in_bucket, on in WITH_KEYS, once, Setup().kinds if index else ())
    found = month(use, setup)
    items = bill(use, found, prices)
    total = sum(item.dollars for item in items)
    more = gigabytes(use, found.entries) * prices["gb-month"]
    requests = found.requests
    named = ", ".join(f"{name}={value:g}" for name, value in prices.items())
    out.answer(
        {
            "on": on,
            "runs": found.runs,
            "working_runs": found.working,
            "entries": found.entries,
            "requests": {
                "submissions": found.submissions,
                "put": requests.put,
                "get": requests.get,
                "list": requests.list,
                "delete": requests.delete,
                "sign": requests.sign,
            },
            "items": [{"what": item.what, "amount": item.amount, "dollars": item.dollars} for item in items],
            "dollars": total,
            "more_each_month": more,
            "assumed": prices,
            "assumed_on": ASSUMED_ON,
        },
        f"{found.entries:,} entries a month in {found.submissions:,.0f} submissions; {found.runs:,.0f} runs, of which "
        f"{found.working:,.0f} find something",
        *(
            f"{item.what:<31} {item.amount:>16,.{2 if item.amount < 100 else 0}f} {item.dollars:>11,.2f}"
            for item in items
        ),
        f"{'US dollars a month':<31} {'':>16} {total:>11,.2f}",
        f"each further month {more:,.2f} more, for what is stored; what readers fetch is not in it",
        f"prices as assumed on {ASSUMED_ON}, not looked up: {named}",
    )


def _assumption(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e12:  # neither of them holds for what is no number
        raise UsageError(f"--assume is NAME=NUMBER, not {text}", hint="such as --assume put-1000=0.0054")
    return name, value
