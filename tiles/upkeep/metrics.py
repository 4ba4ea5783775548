"""What a run of the sequencer did, in numbers, for whoever monitors a log. Pure: time is handed in.

    run = RunMetrics(origin)                    before the first batch
    run = run.plus(log.sequence(limits))        after each batch
    run = run.ended(seconds, "done")            at the end; or the kind of the error that ended it: "Refused", …

    json_line(run, now)      one JSON document in a line, for any collector of logs
    emf_line(run, now)       the same, with what lets CloudWatch make metrics of it (embedded metric format)
    prometheus(run, now)     the text format of Prometheus and OpenMetrics, for a file or a gateway

A number has the same name in all of them, that of the field of `RunMetrics`; in Prometheus `tiletree_run_` stands
before it. NAMESPACE and EMF_METRICS say what an alarm on CloudWatch has to name; the dimension is `origin`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from tiles.upkeep.exposition import Gauge, Sample, exposition
from tiles.upkeep.log_line import log_line
from tiles.write.results import Sequenced

DONE = "done"  # the outcome of a run that no error ended
EVENT = "run"  # what the line of a run has as its event
NAMESPACE = "tiletree"
# CloudWatch charges for each metric, so these only are made metrics there; the others are fields of the same log line
EMF_METRICS = (
    "entries",
    "batch_entries",
    "oldest_pending_seconds",
    "publish_latency_seconds",
    "refusals",
    "below_quorum",
)


@dataclass(frozen=True, slots=True)
class RunMetrics:
    """What one run did. A number that is not known, as the run failed before it was, is None.

    outcome                   DONE, or the kind of the error that ended the run
    seconds                   how long the run took
    entries, batches          that it logged and published
    batch_entries             entries of its largest batch
    submissions, refusals     submissions that it logged, and that it refused
    already                   entries of submissions that were in the log before, and not logged again
    retries                   how often other writers were first
    size                      of the tree that is published after it
    pending_submissions       what still waits in the inbox; pending_bytes likewise
    oldest_pending_seconds    how long the oldest of that has waited; 0 if nothing waits
    publish_latency_seconds   from when the oldest submission that it logged was submitted until that was published;
                              None if it logged none
    below_quorum              1 if too few witnesses have cosigned the last tree that they were asked for, whether it
                              was published or waits for the next run; 0 if enough have; None if none were asked
    """

    origin: str
    outcome: str = DONE
    seconds: float = 0.0
    entries: int = 0
    batches: int = 0
    batch_entries: int = 0
    submissions: int = 0
    refusals: int = 0
    already: int = 0
    retries: int = 0
    size: int | None = None
    pending_submissions: int | None = None
    pending_bytes: int | None = None
    oldest_pending_seconds: float | None = None
    publish_latency_seconds: float | None = None
    below_quorum: int | None = None

    def plus(self, done: Sequenced) -> RunMetrics:
        """Return these numbers after one more batch."""
        latencies = [each for each in (self.publish_latency_seconds, done.waited) if each is not None]
        return replace(
            self,
            entries=self.entries + done.count,
            batches=self.batches + bool(done.count),
            batch_entries=max(self.batch_entries, done.count),
            submissions=self.submissions + len(done.took),
            refusals=self.refusals + len(done.refused),
            already=self.already + done.already,
            retries=self.retries + done.retries,
            size=done.checkpoint.tree.size,
            pending_submissions=done.backlog.objects,
            pending_bytes=done.backlog.bytes,
            oldest_pending_seconds=done.backlog.oldest or 0.0,
            publish_latency_seconds=max(latencies, default=None),
        )

    def ended(self, seconds: float, outcome: str = DONE, quorum_missed: bool | None = None) -> RunMetrics:
        """Return these numbers of a run that took so long, and ended like that.

        quorum_missed   whether too few witnesses cosigned; None if none were asked
        """
        below_quorum = None if quorum_missed is None else int(quorum_missed)
        return replace(self, seconds=seconds, outcome=outcome, below_quorum=below_quorum)

    @property
    def known(self) -> dict[str, Any]:
        """The fields that are known, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in values.items()
            if value is not None
        }


def json_line(run: RunMetrics, now: float) -> str:
    """Return a run as one JSON document in a line, without the line break. now: POSIX seconds."""
    return log_line(_level(run), EVENT, run.known, now)


def emf_line(run: RunMetrics, now: float) -> str:
    """Return the same in CloudWatch's embedded metric format: a log line of a function becomes metrics by it."""
    units = {"seconds": "Seconds", "bytes": "Bytes"}
    metrics = [
        {"Name": name, "Unit": units.get(name.rpartition("_")[2], "Count")} for name in EMF_METRICS if name in run.known
    ]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["origin"]], "Metrics": metrics}
    about = {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]}
    return log_line(_level(run), EVENT, {**run.known, "_aws": about}, now)


def prometheus(run: RunMetrics, now: float) -> str:
    """Return a run in the text format that scrapers read, as of the time at which it ended."""
    numbers = {
        "success": ("1 if no error ended the last run, 0 if one did.", float(run.outcome == DONE)),
        "end_time_seconds": ("When the last run ended, in POSIX seconds.", now),
        **{name: (about, run.known[name]) for name, about in ABOUT.items() if name in run.known},
    }
    labels = {"origin": run.origin}
    return exposition(
        Gauge(f"tiletree_run_{name}", about, (Sample(value, labels),)) for name, (about, value) in numbers.items()
    )


def _level(run: RunMetrics) -> str:
    return "info" if run.outcome == DONE else "error"


# what each number is, for whoever reads it beside its name
ABOUT = {
    "seconds": "How long the last run took.",
    "entries": "Entries that the last run logged.",
    "batches": "Batches that the last run published.",
    "batch_entries": "Entries of the largest batch of the last run.",
    "submissions": "Submissions that the last run logged.",
    "refusals": "Submissions that the last run refused.",
    "already": "Entries of submissions that were in the log before the last run, and were not logged again.",
    "retries": "How often other writers were first.",
    "size": "Entries of the published tree after the last run.",
    "pending_submissions": "Submissions that wait after the last run.",
    "pending_bytes": "Bytes of the submissions that wait after the last run.",
    "oldest_pending_seconds": "How long the oldest submission that waits has waited; 0 if none waits.",
    "publish_latency_seconds": "How long the oldest submission of the last run had waited when it was published.",
    "below_quorum": "1 if too few witnesses have cosigned the last tree that they were asked for, 0 if enough have.",
}
