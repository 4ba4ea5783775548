"""The status of a log in numbers, for scrapers. Pure.

Each is labelled with the log's origin, and those of an index with its kind of keys.
"""

from __future__ import annotations

from collections.abc import Sequence

from tiles.upkeep.alarms import ALARMS, Alarm
from tiles.upkeep.exposition import Gauge, Sample
from tiles.upkeep.status import Status


def gauges(found: Status, alarms: Sequence[Alarm], now: float) -> list[Gauge]:
    """Return the metrics of a log at that time, in POSIX seconds."""
    log = {"origin": found.head.origin}
    waiting, anchor = found.backlog, found.anchor
    raised = {alarm.name for alarm in alarms}
    numbers: list[tuple[str, str, float | None]] = [
        ("committed_size", "Entries that are committed.", found.head.tree.size),
        ("committed_age_seconds", "How long ago the head was written.", found.age(now)),
        ("published_size", "Entries that readers see.", found.published_size),
        ("published_age_seconds", "How long ago that was published.", found.published_age(now)),
        ("anchor_size", "Entries of the tree that was signed last.", anchor.tree.size if anchor else None),
        ("staged_batches", "Batches that are staged: one while a run is at work, or left over.", len(found.staged)),
        ("frozen", "1 if nothing can be added any more.", found.head.frozen),
        ("undeletable_submissions", "Decided submissions that could not be deleted.", waiting.undeletable),
    ]
    if not found.inbox:  # otherwise nobody knows
        numbers += [
            ("pending_submissions", "Submissions that wait.", waiting.objects),
            ("pending_bytes", "Bytes of the submissions that wait.", waiting.bytes),
            ("oldest_pending_seconds", "How long the oldest has waited; 0 if none waits.", waiting.oldest or 0.0),
            ("unlistable_submitters", "Submitters that cannot be listed.", len(waiting.unlistable)),
        ]
    sound = [(kind, covered) for kind, covered, problem in found.indexes if not problem]
    return [
        *(
            Gauge(f"tiletree_{name}", about, (Sample(value, log),))
            for name, about, value in numbers
            if value is not None
        ),
        Gauge(
            "tiletree_index_covered",
            "Entries that the index covers.",
            tuple(Sample(covered, {**log, "kind": kind}) for kind, covered in sound),
        ),
        Gauge(
            "tiletree_index_lag",
            "Published entries that the index does not cover.",
            tuple(Sample(max(0, found.published_size - covered), {**log, "kind": kind}) for kind, covered in sound),
        ),
        Gauge(
            "tiletree_alarm",
            "1 for each alarm that is raised, 0 for each other one.",
            tuple(Sample(name in raised, {**log, "alarm": name}) for name in ALARMS),
        ),
    ]
