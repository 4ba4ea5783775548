"""What a month costs: sums that can be done by hand, and prices that somebody names."""

from __future__ import annotations

import pytest

from tests.support.command_line import Command
from tiles.cost.month import ASSUMED, KEPT, SECONDS, Use, assumed, bill, gigabytes, month
from tiles.cost.requests import Requests, Setup, idle
from tiles.errors import UsageError

PLAIN = Setup(once=False, kinds=())


def test_a_log_that_is_hardly_used() -> None:
    """Nearly all runs find nothing, and ask for little."""
    found = month(Use(1), Setup())
    assert (found.runs, found.entries) == (SECONDS / 60, 30)
    assert 29.5 < found.working < 30
    waiting = idle(Setup()).times(found.runs - found.working)
    assert found.requests.list == pytest.approx(waiting.list + 2 * found.working)
    assert 0 <= found.requests.get - waiting.get < 40 * 30


def test_a_log_with_as_much_in_each_run() -> None:
    """All runs find the same; tiles that fill up are written once, and partial ones with each run."""
    use = Use(64 * 1440, per_submission=8)
    found = month(use, PLAIN)
    assert found.working == pytest.approx(found.runs, rel=0.001)
    # staged batch, head, checkpoint and two copies of it, anchor; tile and bundle, and in each fourth run, which fills
    # them up, the next ones and one of level 1
    assert found.requests.put == pytest.approx((6 + 2 + 3 / 4) * found.runs, rel=0.02)
    assert found.requests.sign == pytest.approx(found.working)
    assert month(Use(64 * 1440, per_submission=8, interval=120), PLAIN).requests.put < 0.6 * found.requests.put


def test_what_is_large_is_bounded() -> None:
    """A run takes one batch after the other, and no more than what the formulas can hold is computed."""
    found = month(Use(100_000_000, 1000, interval=SECONDS), Setup())
    assert (found.runs, found.entries) == (1, 3_000_000_000)
    assert found.requests.sign > 2800
    for wrong in ({"entries": 10**9}, {"entries": 0}, {"interval": 1e9}, {"interval": float("nan")}, {"size": 10**12}):
        with pytest.raises(UsageError):
            Use(**{"entries": 1, **wrong})


def test_the_bill() -> None:
    """Each price counts what it is the price of, and nothing else."""
    use = Use(1000)
    found = month(use, Setup())
    free = dict.fromkeys(assumed("aws"), 0.0)
    for name, dollars in {
        "put-1000": (found.requests.put + found.submissions) / 1000,
        "get-1000": found.requests.get / 1000,
        "list-1000": found.requests.list / 1000,
        "gb-month": gigabytes(use, use.size + found.entries),
        "key-month": 1,
        "key-10000": found.requests.sign / 10_000,
        "watch-month": 1,
        "call-million": found.runs / 1e6,
    }.items():
        assert sum(item.dollars for item in bill(use, found, {**free, name: 1.0})) == pytest.approx(dollars), name
    assert sum(item.dollars for item in bill(use, found, free)) == 0
    assert {frozenset(prices) for prices in ASSUMED.values()} == {frozenset(ASSUMED["aws"])}
    assert Requests(put=2) + Requests(put=1, get=3) == Requests(put=3, get=3)


def test_the_public_key() -> None:
    """Each process asks for it: one that is kept between runs once, and where none is kept each run."""
    free = {**dict.fromkeys(assumed("aws"), 0.0), "key-10000": 1.0}
    use = Use(100, interval=KEPT + 1)
    found = month(use, Setup())
    dollars = sum(item.dollars for item in bill(use, found, free))
    assert dollars == pytest.approx((found.requests.sign + found.runs) / 10_000)


def test_the_command(tiletree: Command) -> None:
    """The sum is that of its lines; another price changes it; what is no assumption is refused."""
    document = tiletree.ok("cost", "--entries-per-day", 1000)
    assert document["dollars"] == pytest.approx(sum(item["dollars"] for item in document["items"]))
    assert 1 < document["dollars"] < 20
    other = tiletree.ok("cost", "--entries-per-day", 1000, "--assume", "key-month=7")
    assert other["dollars"] == pytest.approx(document["dollars"] + 6)
    text = tiletree("cost", "--entries-per-day", 1000, "--on", "gcp", "--interval", 300, "--no-index").out
    assert "30,000 entries a month" in text
    assert "US dollars a month" in text
    for wrong in (
        ("--assume", "nothing=1"),
        ("--assume", "put-1000"),
        ("--assume", "put-1000=-1"),
        ("--interval", 1e9),
    ):
        assert tiletree("cost", "--entries-per-day", 5, *wrong).code == 2
