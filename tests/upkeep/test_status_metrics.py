"""The status of a log in numbers: complete where all is known, and silent about what is not."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.support.submissions import with_inbox
from tests.support.world import ORIGIN
from tiles.upkeep.alarms import ALARMS, Alarm
from tiles.upkeep.exposition import exposition
from tiles.upkeep.status import Status, look
from tiles.upkeep.status_metrics import gauges


def numbers(found: Status, raised: tuple[Alarm, ...], now: float) -> dict[tuple[str, str], float]:
    """Return each number by its metric and by the label that is not the origin."""
    families = text_string_to_metric_families(exposition(gauges(found, raised, now)))
    samples = [sample for family in families for sample in family.samples]
    assert {sample.labels.pop("origin") for sample in samples} == {ORIGIN}
    return {(sample.name, "".join(sample.labels.values())): sample.value for sample in samples}


def test_numbers_of_a_log() -> None:
    """Sizes, ages, what waits, indexes and alarms; ages are never negative."""
    world = with_inbox(2, junk=0)
    found = look(world.stores["public"], world.stores["private"], world.stores["anchor"], world.now)
    found = replace(found, indexes=(("leaf/1", 1, ""), ("name/1", 0, "it has no head")), modified=world.now + 9)
    got = numbers(found, (Alarm("index", "it"),), world.now)
    assert (
        got["tiletree_committed_size", ""] == got["tiletree_published_size", ""] == got["tiletree_anchor_size", ""] == 2
    )
    assert (got["tiletree_pending_submissions", ""], got["tiletree_committed_age_seconds", ""]) == (3, 0)
    assert got["tiletree_index_lag", "leaf/1"] == 1
    assert ("tiletree_index_lag", "name/1") not in got
    assert {name for name in ALARMS if got["tiletree_alarm", name]} == {"index"}
    assert {name for metric, name in got if metric == "tiletree_alarm"} == set(ALARMS)


def test_what_nobody_knows_is_left_out() -> None:
    """An inbox that cannot be listed has no backlog of 0, and a log without a checkpoint none of age 0."""
    world = with_inbox(2)
    found = look(world.stores["public"], world.stores["private"], world.stores["anchor"], world.now)
    got = numbers(replace(found, inbox="a name stops it", published=None, since=None, anchor=None), (), world.now)
    missing = {"pending_submissions", "oldest_pending_seconds", "published_age_seconds", "anchor_size"}
    assert not {f"tiletree_{name}" for name in missing} & {metric for metric, _ in got}
    assert got["tiletree_published_size", ""] == 0
