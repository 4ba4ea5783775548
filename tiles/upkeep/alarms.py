"""What of a log's status somebody should be woken for: limits in, alarms out. Pure.

Without a limit nothing that is merely late is an alarm. What no run can get past is one in any case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tiles.upkeep.status import Status

# every alarm there is, with what it means; monitors tell them apart by these names
ALARMS = {
    "refused": "The next run would refuse, or has no key to sign with.",
    "inbox": "The inbox cannot be listed, so nothing of it is taken.",
    "index": "The head of an index is missing or wrong.",
    "age": "Something waits, and nothing was published for too long.",
    "backlog": "Too many submissions wait.",
    "oldest": "A submission has waited for too long.",
    "index-lag": "Too many entries are not covered by an index.",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something is an alarm; None: never.

    age         seconds since the publication, where something has waited for so long
    backlog     submissions that wait
    oldest      seconds that the oldest of them has waited
    index_lag   entries that an index does not cover
    """

    age: float | None = None
    backlog: int | None = None
    oldest: float | None = None
    index_lag: int | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm: its name in ALARMS, and in words what was found.

    value, limit   what was measured, and the limit that it is beyond; None where nothing is measured
    """

    name: str
    text: str
    value: float | None = None
    limit: float | None = None


def alarms(found: Status, limits: Limits, now: float, refusal: str = "") -> tuple[Alarm, ...]:
    """Return the alarms of a log, in the order of ALARMS.

    now       POSIX seconds, those at which the log was looked at
    refusal   why the next run would refuse, or cannot sign; "" if it can
    """
    return tuple(_alarms(found, limits, now, refusal or found.refusal))


def _alarms(found: Status, limits: Limits, now: float, refusal: str) -> Iterator[Alarm]:
    if refusal:
        yield Alarm("refused", f"the next run would refuse: {refusal}")
    if found.inbox:
        yield Alarm("inbox", f"the inbox cannot be listed: {found.inbox}")
    for kind, _, problem in found.indexes:
        if problem:
            yield Alarm("index", f"the index of {kind}: {problem}")
    silent = silence(found, now)
    if limits.age is not None and silent > limits.age:
        yield Alarm(
            "age",
            f"something has waited for {silent:.0f} seconds, and nothing was published since then; "
            f"the limit is {limits.age:g}",
            silent,
            limits.age,
        )
    waiting = found.backlog
    if limits.backlog is not None and waiting.objects > limits.backlog:
        text = f"waiting submissions: {waiting.objects}; the limit is {limits.backlog}"
        yield Alarm("backlog", text, waiting.objects, limits.backlog)
    if limits.oldest is not None and (oldest := waiting.oldest or 0.0) > limits.oldest:
        text = f"the oldest submission has waited for {oldest:.0f} seconds; the limit is {limits.oldest:g}"
        yield Alarm("oldest", text, oldest, limits.oldest)
    for kind, covered, problem in found.indexes:
        lag = found.published_size - covered
        if limits.index_lag is not None and not problem and lag > limits.index_lag:
            text = f"the index of {kind} does not cover {lag} entries; the limit is {limits.index_lag}"
            yield Alarm("index-lag", text, lag, limits.index_lag)


def silence(found: Status, now: float) -> float:
    """Return for how many seconds something has waited without anything being published; 0 if nothing waits.

    An idle log is silent for good reason, so the age of its checkpoint alone says nothing.
    """
    waits = [found.backlog.oldest or 0.0]
    if not found.is_published:
        waits.append(found.age(now))
    published = found.published_age(now)
    return max(waits) if published is None else min(max(waits), published)
