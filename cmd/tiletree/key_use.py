"""How long a log has used each of its keys, as fields and in words. No key is trusted for what is said here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from tiles.records.paths import DAYS, kept_day, key_change_path
from tiles.sigstore.trusted_root import format_time
from tiles.store.address import Kind, kind_of
from tiles.user.places import public_store

if TYPE_CHECKING:
    from tiles.notes.key_history import Use
    from tiles.read.client import LogClient
    from tiles.read.key_times import Times
    from tiletree.ui import Output


def listed_days(log: str) -> list[date] | None:
    """Return the days of which a log keeps a checkpoint; None where they cannot be listed."""
    if kind_of(log) not in (Kind.DIRECTORY, Kind.BUCKET):
        return None
    return [day for each in public_store(log).list(DAYS) if (day := kept_day(each.path)) is not None]


def keys_used(out: Output, log: str, client: LogClient) -> list[tuple[Use, Times]]:
    """Return how long a log, which a client reads, has used each key that follows from the pinned ones.

    Raises LogError for a statement about the keys that is wrong, or of another tree; ForkError; AccessError.
    """
    from tiles.read.kept import KeptCheckpoints
    from tiles.read.key_changes import history_of_client
    from tiles.read.key_times import check_statements, times_of
    from tiletree.when import evidence_saved, remark_wrong, today

    history = history_of_client(client)
    check_statements(client, history)
    kept = KeptCheckpoints(client, today(), listed_days(log) if len(history.uses) > 1 else ())
    with evidence_saved(kept):
        found = list(zip(history.uses, times_of(kept, history.uses), strict=True))
    remark_wrong(out, kept)
    return found


def use_fields(use: Use, times: Times) -> dict[str, Any]:
    """Return how long a key was in use, for JSON documents. Sizes and times that are not known are null."""
    return {
        "vkey": use.key.vkey,
        "first_size": use.since,
        "last_size": use.until,
        "statements": [key_change_path(number) for number in (use.added, use.retired) if number is not None],
        "vouched": use.vouched,
        "start": _time(times.start),
        "start_by": times.start_by,
        "end": _time(times.end),
        "end_by": times.end_by,
    }


def use_lines(used: Sequence[tuple[Use, Times]]) -> list[str]:
    """Return the same, in words."""
    return [line for use, times in used for line in _lines(use, times)]


def _lines(use: Use, times: Times) -> list[str]:
    since = "from a size that is not known" if use.since is None else f"from size {use.since}"
    until = "still in use" if use.until is None else f"to size {use.until}, the last that it signed"
    said = [key_change_path(number) for number in (use.added, use.retired) if number is not None]
    vouched = "" if use.vouched else ", which no pinned key has signed for: the log's word"
    return [
        f"key     {use.key.vkey}",
        f"        {since}, {until}{f', by {chr(32).join(said)}' if said else ''}{vouched}",
        f"        not before {_time(times.start) or 'a time that is not known'}: {times.start_by}",
        f"        not after {_time(times.end) or 'a time that is not known'}: {times.end_by}",
    ]


def _time(time: datetime | None) -> str | None:
    return None if time is None else format_time(time)
