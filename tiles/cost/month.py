"""What a month of a log costs: the requests of its runs, and what they are charged with.

Submissions arrive by chance, so a run may find none; such a run asks for little. The sizes of the log at some runs,
which stand for the others, are put into the formulas of `tiles.cost.requests`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp

from tiles.cost.requests import Requests, Setup, idle, sequence
from tiles.errors import UsageError
from tiles.write.ahead import MAX_BATCH

DAYS = 30
SECONDS = DAYS * 86_400
LEAF_SIZE = 32 * 256 / 255  # bytes of hash tiles that an entry has in the end

MOST_ENTRIES = 100_000_000  # a day

_GOLDEN = (5**0.5 - 1) / 2
KEPT = 300  # seconds for which a service is assumed to keep a process that waits; none promises it
_SAMPLES = 200  # runs that stand for all


@dataclass(frozen=True, slots=True)
class Use:
    """How a log is used.

    entries       a day
    per_submission   entries of one object in the inbox
    interval      seconds from run to run
    entry_size    bytes
    size          entries that are there already
    """

    entries: int
    per_submission: int = 1
    interval: float = 60.0
    entry_size: int = 1024
    size: int = 0

    def __post_init__(self) -> None:
        if min(self.entries, self.per_submission, self.entry_size) < 1 or self.size < 0:
            raise UsageError("there is at least one entry a day, one in a submission, one byte in an entry")
        if max(self.entries, self.size / 1000) > MOST_ENTRIES:
            raise UsageError(f"at most {MOST_ENTRIES:,} entries a day are computed, and a log of a thousand such days")
        if not 1 <= self.interval <= SECONDS:
            raise UsageError(
                f"a run is begun each second at most, and once a month at least, not each {self.interval:g}"
            )


@dataclass(frozen=True, slots=True)
class Month:
    """A month of runs.

    runs, working   how many runs there are, and how many of them find something
    entries, submissions
    requests        of all runs
    """

    runs: float
    working: float
    entries: int
    submissions: float
    requests: Requests


def month(use: Use, setup: Setup) -> Month:
    """Return the runs of a month, and their requests."""
    runs = SECONDS / use.interval
    entries = use.entries * DAYS
    submissions = entries / use.per_submission
    working = runs * (1 - exp(-submissions / runs))
    samples = max(1, min(_SAMPLES, round(working)))
    total = Requests()
    for number in range(samples):
        at = int((number + 0.5) * _GOLDEN % 1 * working)  # spread over the month, in step with no size of a tile
        base, end = (use.size + int(entries * each / working) for each in (at, at + 1))
        count = max(1, end - base)
        some = max(1, min(count, round(submissions / working)))
        batches = max(1.0, count / MAX_BATCH)  # a run takes one after the other
        one = sequence(setup, max(1, base), min(count, MAX_BATCH), max(1, round(some / batches)))
        total += one.times(batches)
    waiting = idle(setup).times(runs - working)
    return Month(runs, working, entries, submissions, total.times(working / samples) + waiting)


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the bill: how much of what, and US dollars a month."""

    what: str
    amount: float
    dollars: float


# what is assumed of each provider, in US dollars; the day is when it was written down, from memory and not from a list
ASSUMED_ON = "2026-11-29"
ASSUMED: Mapping[str, Mapping[str, float]] = {
    "aws": {  # us-east-1, list prices without a free tier; a function of 512 MB on arm64
        "put-1000": 0.005,
        "get-1000": 0.0004,
        "list-1000": 0.005,
        "gb-month": 0.023,
        "second": 0.0000066667,
        "call-million": 0.20,
        "schedule-million": 1.00,
        "key-month": 1.00,
        "key-10000": 0.15,
        "watch-month": 2.00,  # five metrics and five alarms
        "log-gb": 0.50,
    },
    "gcp": {  # us-central1; a service with one processor and 512 MiB that is charged while it answers
        "put-1000": 0.005,
        "get-1000": 0.0004,
        "list-1000": 0.005,
        "gb-month": 0.020,
        "second": 0.00002525,
        "call-million": 0.40,
        "schedule-million": 0.0,
        "key-month": 0.06,
        "key-10000": 0.03,
        "watch-month": 0.10,  # the schedule, which is charged by the month
        "log-gb": 0.50,
    },
    "r2": {  # Cloudflare R2; runs on a machine that is there already, with the key in a file
        "put-1000": 0.0045,
        "get-1000": 0.00036,
        "list-1000": 0.0045,
        "gb-month": 0.015,
        "second": 0.0,
        "call-million": 0.0,
        "schedule-million": 0.0,
        "key-month": 0.0,
        "key-10000": 0.0,
        "watch-month": 0.0,
        "log-gb": 0.0,
    },
}
WITH_KEYS = frozenset({"aws", "gcp"})  # whose service keeps the key
# not prices: how long a run takes, and what it writes to the log of the service
COMMON = {"idle-seconds": 0.4, "run-seconds": 1.5, "log-bytes": 1500.0}


def assumed(provider: str, given: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return what is assumed of a provider, and what was given instead. Raises UsageError for a name there is not."""
    known = {**ASSUMED[provider], **COMMON}
    if unknown := sorted(set(given or {}) - set(known)):
        raise UsageError(f"{unknown[0]!r} is nothing that is assumed", hint=f"there are {', '.join(sorted(known))}")
    return {**known, **(given or {})}


def bill(use: Use, found: Month, prices: Mapping[str, float]) -> list[Item]:
    """Return what a month costs, item by item. prices: as `assumed` returns them"""
    requests = found.requests
    # each process asks for the public key once
    keyed = requests.sign + (found.runs if use.interval > KEPT else 0)
    seconds = found.working * prices["run-seconds"] + (found.runs - found.working) * prices["idle-seconds"]
    said = found.runs * prices["log-bytes"] / 1e9
    stored = gigabytes(use, use.size + found.entries)
    return [
        Item("submissions", found.submissions, found.submissions * prices["put-1000"] / 1000),
        Item("writes", requests.put, requests.put * prices["put-1000"] / 1000),
        Item("reads", requests.get, requests.get * prices["get-1000"] / 1000),
        Item("lists", requests.list, requests.list * prices["list-1000"] / 1000),
        Item("runs", found.runs, found.runs * (prices["call-million"] + prices["schedule-million"]) / 1e6),
        Item("seconds of runs", seconds, seconds * prices["second"]),
        Item("uses of the key", keyed, prices["key-month"] + keyed * prices["key-10000"] / 1e4),
        Item("GB of service logs, and alarms", said, prices["watch-month"] + said * prices["log-gb"]),
        Item("GB stored", stored, stored * prices["gb-month"]),
    ]


def gigabytes(use: Use, entries: int) -> float:
    """Return the gigabytes that so many entries take in a log, without its index and copies of checkpoints."""
    return entries * (use.entry_size + 2 + LEAF_SIZE) / 1e9
