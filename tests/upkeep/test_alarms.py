"""What somebody should be woken for, for each limit and each state that a log may be in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support import outcomes
from tests.support.world import World
from tiles.inbox.selection import Backlog
from tiles.upkeep.alarms import ALARMS, Limits, alarms, silence
from tiles.upkeep.status import Status, look

NOW = 1_000_000.0


@pytest.fixture(scope="module")
def idle() -> Status:
    """Return the status of a log whose checkpoint is old, and to which nothing is to be done."""
    world = World().grown(3)
    found = look(world.stores["public"], world.stores["private"], world.stores["anchor"], world.now)
    return replace(found, modified=NOW - 5000, since=NOW - 4990)


def waits(objects: int, oldest: float | None) -> Backlog:
    """Return a backlog."""
    return Backlog(objects, 100 * objects, oldest)


STRICT = Limits(age=60, backlog=0, oldest=60, index_lag=0)


@pytest.mark.parametrize(
    ("change", "limits", "names"),
    [
        ({}, STRICT, []),
        ({"backlog": waits(1, 30.0)}, STRICT, ["backlog"]),
        ({"backlog": waits(1, 61.0)}, STRICT, ["age", "backlog", "oldest"]),
        ({"backlog": waits(1, 61.0), "since": NOW - 9}, STRICT, ["backlog", "oldest"]),
        ({"backlog": waits(9, 9e9)}, Limits(), []),
        ({"backlog": waits(9, 60.0)}, Limits(age=60, backlog=9, oldest=60), []),
        ({"published": None, "since": None}, Limits(age=4999), ["age"]),
        ({"published": None, "since": None}, Limits(age=5000), []),
        ({"published": None, "since": None, "modified": NOW + 50}, STRICT, []),
        ({"indexes": (("leaf/1", 1, ""), ("name/1", 3, ""))}, Limits(index_lag=1), ["index-lag"]),
        ({"indexes": (("leaf/1", 1, ""),)}, Limits(index_lag=2), []),
        ({"indexes": (("leaf/1", 0, "it has no head"),)}, Limits(index_lag=0), ["index"]),
        ({"inbox": "a name stops the listing"}, Limits(), ["inbox"]),
        ({"refusal": "the checkpoint is gone"}, Limits(), ["refused"]),
    ],
)
def test_each_alarm(idle: Status, change: dict[str, object], limits: Limits, names: list[str]) -> None:
    """An alarm is raised beyond its limit, at the limit not yet, and never because a log is idle."""
    raised = alarms(replace(idle, **change), limits, NOW)
    assert [alarm.name for alarm in raised] == names
    assert all(alarm.value is None or alarm.value > (alarm.limit or 0) for alarm in raised)


def test_a_key_that_cannot_sign(idle: Status) -> None:
    """What only the caller can find out is an alarm as well."""
    (alarm,) = alarms(idle, Limits(), NOW, "there is no key")
    assert (alarm.name, alarm.text) == ("refused", "the next run would refuse: there is no key")


def test_silence_is_counted_from_when_something_waits(idle: Status) -> None:
    """Neither a checkpoint that is old nor a submission that is new is silence."""
    assert silence(idle, NOW) == 0
    assert silence(replace(idle, backlog=waits(1, 7.0)), NOW) == 7
    assert silence(replace(idle, backlog=waits(1, 9000.0)), NOW) == 4990


def test_the_page_has_each_alarm() -> None:
    """docs/outcomes.md has them as the code does."""
    rows = outcomes.table("alarm", "option", "is raised where")
    assert [outcomes.quoted(row[0])[0] for row in rows] == list(ALARMS)
