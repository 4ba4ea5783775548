"""When a log began and ceased to use its keys, as far as the checkpoints that it keeps show it.

A statement says of a key from which size to which it has signed, and no time. Times come from checkpoints that the log
keeps of its days, and from cosignatures on these. They are bounds: a key was not in use before `start`, and not after
`end`. Where nothing shows a bound, there is none, and nothing is made up in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from tiles.errors import AccessError, VerificationError
from tiles.notes.key_history import KeyHistory, Use
from tiles.notes.note import claimed
from tiles.read.client import LogClient
from tiles.read.kept import Kept, KeptCheckpoints
from tiles.records.paths import day_path, key_change_path

_STEPS = 16  # kept checkpoints that are looked at for one time


@dataclass(frozen=True, slots=True)
class Times:
    """Between which times a log has used a key; None where nothing shows it. by: what does, or why nothing does"""

    start: datetime | None
    end: datetime | None
    start_by: str
    end_by: str


def check_statements(client: LogClient, history: KeyHistory) -> None:
    """Show that the statements are of the trees of the log that a client reads.

    Raises VerificationError for one of another tree; AccessError where the log is served older than its statements.
    """
    for change in (each.change for each in history.said):
        path = f"{client.fetcher.url}/{key_change_path(change.number)}"
        if change.tree.size > client.tree.size:
            raise AccessError(f"{path} is of size {change.tree.size}, and the log is served with {client.tree.size}")
        if (found := client.tree_at(change.tree.size)) != change.tree:
            raise VerificationError(f"{path} says {change.tree}, and the log's tree was {found}")


def times_of(kept: KeptCheckpoints, uses: Sequence[Use]) -> list[Times]:
    """Return between which times a log has used each of these keys. Raises ForkError; AccessError."""
    return [_times(kept, use) for use in uses]


def _times(kept: KeptCheckpoints, use: Use) -> Times:
    start, start_by = _start(kept, use)
    end, end_by = _end(kept, use)
    if start is not None and end is not None and start > end:
        start, start_by = None, "the days that the log keeps contradict each other"
    return Times(start, end, start_by, end_by)


def _start(kept: KeptCheckpoints, use: Use) -> tuple[datetime | None, str]:
    """Return when the last checkpoint from before the use of the key was published, at the earliest."""
    if not use.since:
        return None, "it is the log's first key" if use.since == 0 else "no statement says when it was added"
    first = kept.first_beyond(use.since)
    older = kept.newest(_day_before(first) if first is not None else kept.today)
    for _ in range(_STEPS):
        if older is None or not claimed(older.accepted.signed.note, [use.key]):
            break
        older = kept.newest(_day_before(older))
    if older is None or older.size > use.since or claimed(older.accepted.signed.note, [use.key]):
        return None, "the log keeps no checkpoint from shortly before"
    return datetime.combine(older.day, time(), UTC), f"{day_path(older.day)} is without its signature"


def _end(kept: KeptCheckpoints, use: Use) -> tuple[datetime | None, str]:
    """Return when the first checkpoint of a larger tree than it has signed was there, at the latest."""
    if use.until is None:
        return None, "the log uses it"
    larger = kept.first_beyond(use.until)
    if larger is None:
        return None, "the log keeps no checkpoint of a larger tree than it has signed"
    return _latest(larger), f"{day_path(larger.day)} is of a larger tree than it has signed" + (
        ", and a quorum of witnesses had seen it by then" if larger.time is not None else ""
    )


def _latest(kept: Kept) -> datetime:
    """Return when a checkpoint was there at the latest: a quorum of witnesses had seen it, or its day was over."""
    if kept.time is not None:
        return datetime.fromtimestamp(kept.time, UTC)
    return datetime.combine(kept.day, time(23, 59, 59), UTC)


def _day_before(kept: Kept) -> date:
    return kept.day - timedelta(days=1)
