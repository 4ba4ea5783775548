"""What a run did, in numbers: folded from its batches, and as each collector reads it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.support.submissions import with_inbox
from tests.support.world import ORIGIN
from tiles.inbox.selection import Limits
from tiles.upkeep.metrics import DONE, EMF_METRICS, NAMESPACE, RunMetrics, emf_line, json_line, prometheus

NOW = 1_795_912_345.5


def a_run() -> RunMetrics:
    """Return the numbers of a run of two batches, over an inbox of three submissions and one that is refused."""
    world = with_inbox(1)
    sequencer, run = world.sequencer(), RunMetrics(ORIGIN)
    for _ in range(2):
        run = run.plus(sequencer.sequence(Limits(entries=5)))
    return run


def test_a_run_is_the_sum_of_its_batches() -> None:
    """Numbers add up; of sizes and waits the largest counts, of what waits the last one."""
    run = a_run().ended(1.23456)
    assert (run.entries, run.batches, run.batch_entries, run.submissions, run.refusals) == (6, 2, 5, 3, 1)
    assert (run.size, run.pending_submissions, run.oldest_pending_seconds, run.outcome) == (7, 0, 0.0, DONE)
    assert run.publish_latency_seconds is not None
    assert run.publish_latency_seconds > 0


@pytest.mark.parametrize(("missed", "said"), [(None, None), (False, 0), (True, 1)])
def test_a_quorum(missed: bool | None, said: int | None) -> None:
    """A log without witnesses, or a run that asked none, has no such number, and CloudWatch no such metric."""
    line = json.loads(emf_line(a_run().ended(1.0, quorum_missed=missed), NOW))
    assert line.get("below_quorum") == said
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert ("below_quorum" in {each["Name"] for each in directive["Metrics"]}) == (said is not None)


def test_a_run_that_failed_says_what_is_known() -> None:
    """What is not known is left out of the line, and never said to be zero."""
    line = json.loads(json_line(RunMetrics(ORIGIN).ended(0.5, "AccessError"), NOW))
    assert (line["level"], line["event"], line["outcome"], line["time"]) == (
        "error",
        "run",
        "AccessError",
        "2026-11-29T00:32:25.500Z",
    )
    assert not {"oldest_pending_seconds", "size", "publish_latency_seconds"} & set(line)


def test_cloudwatch_makes_metrics_of_it() -> None:
    """What the embedded metric format demands: a time in milliseconds, and numbers beside the directive."""
    run = replace(a_run(), publish_latency_seconds=None)
    line = json.loads(emf_line(run, NOW))
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert line["_aws"]["Timestamp"] == 1_795_912_345_500
    assert (directive["Namespace"], directive["Dimensions"]) == (NAMESPACE, [["origin"]])
    assert line["origin"] == ORIGIN
    unknown = {"publish_latency_seconds", "below_quorum"}
    assert {each["Name"] for each in directive["Metrics"]} == {*EMF_METRICS} - unknown
    assert all(isinstance(line[each["Name"]], int | float) for each in directive["Metrics"])
    assert {each["Unit"] for each in directive["Metrics"]} == {"Count", "Seconds"}
    assert {name: value for name, value in line.items() if name != "_aws"} == json.loads(json_line(run, NOW))


def test_prometheus_reads_it() -> None:
    """Each number that is known is a gauge of the same name, with the log as its label."""
    run = a_run().ended(2.0)
    found = {family.name: family for family in text_string_to_metric_families(prometheus(run, NOW))}
    numbers = {f"tiletree_run_{name}" for name in run.known} - {"tiletree_run_origin", "tiletree_run_outcome"}
    assert set(found) == numbers | {"tiletree_run_success", "tiletree_run_end_time_seconds"}
    assert found["tiletree_run_entries"].samples[0].value == 6
    assert found["tiletree_run_success"].samples[0].value == 1
    assert {dict(sample.labels)["origin"] for family in found.values() for sample in family.samples} == {ORIGIN}
