"""The checkpoints that a log keeps, the first of each day: how large it was on a day, by which day an entry was there.

They cannot be listed by whoever reads over HTTP, so days are asked for one by one, and a bounded number of them. The
day is the log's own word: what dates a checkpoint besides are cosignatures in it. Each is verified by the log's key,
and shown to be of the history that is read. One that is missing says nothing: a log need not keep any.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from tiles.errors import LogError, NotFound, SignatureError
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.freshness import quorum_time
from tiles.notes.key_history import KeyHistory
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import Accepted
from tiles.parallel import in_parallel
from tiles.read.client import LogClient
from tiles.read.key_changes import history_of_client
from tiles.read.same_history import check_history
from tiles.records.paths import checkpoint_path, day_path

REACH = 400  # days that are asked for in each direction from a day
MOST = 48  # days that are asked for, for all entries together

_BACK = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584)  # days ago
_GONE = 6  # steps back without a checkpoint: the log is younger
_AROUND = 8  # days near one without a checkpoint


@dataclass(frozen=True, slots=True)
class Kept:
    """The first checkpoint that a log published on a day, by its own word.

    time   POSIX seconds: by when a quorum of witnesses had seen it, or None
    """

    day: date
    accepted: Accepted
    time: int | None

    @property
    def size(self) -> int:
        """How many entries were there by that day."""
        return self.accepted.signed.tree.size


@dataclass(frozen=True, slots=True)
class OnDay:
    """What is known of a log on a day.

    by      the newest kept checkpoint of the day or before: so many entries were there by then; None: not known
    after   the oldest one after the day: how many of the entries between the two were there is not known; None where
            none was found
    """

    by: Kept | None
    after: Kept | None


class KeptCheckpoints:
    """Asks one log for the checkpoints that it keeps. Not to be shared between threads.

    today   (UTC) the last day there can be
    listed  the days of which the log keeps one, where that could be listed: then all of them are in reach
    wrong   what was found in their places and is none of this log, in words
    policy  names the keys of all that was accepted: the client's, and earlier ones where one of those was needed
    """

    def __init__(self, client: LogClient, today: date, listed: Collection[date] | None = None) -> None:
        self.wrong: list[str] = []
        self.policy = client.policy
        self._client = client
        self.today = today
        self._listed = listed
        self._known: dict[date, Kept | None] = {}
        self._checked: set[int] = set()

    def on(self, day: date) -> OnDay:
        """Return what is known of the log on a day.

        Raises ForkError if a kept checkpoint is of another history; AccessError.
        """
        ahead = [day + timedelta(days=n) for n in range(1, min(REACH, (self.today - day).days) + 1)]
        return OnDay(self.newest(day), self._first_of(ahead))

    def newest(self, day: date, after: date = date.min) -> Kept | None:
        """Return the newest checkpoint that is kept of a day or before, but after another day; None if none was found.

        Raises what `on` raises.
        """
        if self._listed is not None:
            return self._first_of(sorted((each for each in self._listed if after < each <= day), reverse=True))
        reach = min(REACH, (day - after).days)
        return self._first_of([day - timedelta(days=n) for n in range(reach) if day.toordinal() - n >= 1])

    def first_beyond(self, size: int) -> Kept | None:
        """Return the first checkpoint that was found to be of a larger tree than that; None if none was found.

        Raises what `on` raises.
        """
        first = self.newest(self.today)
        if first is None or first.size <= size:
            return None
        low = date.min if self._listed is not None else self.today - timedelta(days=REACH)
        while (first.day - low).days > 1:
            middle = low + (first.day - low) // 2
            found = self.newest(middle, low)
            if found is None or found.size <= size:
                low = middle
            else:
                first = found
        return first

    def by(self, index: int) -> Kept | None:
        """Return the first kept checkpoint that was found to have an entry; None if none was found.

        It need not be the first one there is: "by that day" is right all the same.
        Raises ForkError if it is of another history; AccessError.
        """
        high, lows = self._steps_back(index)
        if high is None:
            return None
        while lows:
            near = self._near(lows[0], high.day)
            if near is None:
                lows.pop(0)  # one that is missing may have others before it
            elif near.size > index:
                high = near
            else:
                lows = [near.day]
        return self._of_this_history(high)

    def _steps_back(self, index: int) -> tuple[Kept | None, list[date]]:
        """Return the earliest day that has the entry, of some, and the days before it that were asked, latest first."""
        high: Kept | None = None
        lows: list[date] = []
        gone = 0
        for back in _BACK:
            if self.today.toordinal() - back < 1 or gone == _GONE:
                break
            day = self.today - timedelta(days=back)
            kept = self._ask(day)
            if kept is not None and kept.size > index:
                high, lows, gone = kept, [], 0
                continue
            lows.append(day)
            if kept is not None:
                break
            gone += 1
        return high, lows

    def _near(self, low: date, high: date) -> Kept | None:
        """Return a checkpoint that is kept of a day between two others, near their middle."""
        middle = low + (high - low) // 2
        asked = 0
        for step in range(2 * (high - low).days):
            day = middle + timedelta(days=(step + 1) // 2 * (-1 if step % 2 else 1))
            if not low < day < high or asked == _AROUND:
                continue
            asked += day not in self._known
            if (kept := self._ask(day)) is not None:
                return kept
        return None

    def _ask(self, day: date) -> Kept | None:
        """Return what is kept of a day, unless it was asked for too many."""
        if day not in self._known and len(self._known) >= MOST:
            return None
        return next(self._of_days([day]))

    def _first_of(self, days: Sequence[date]) -> Kept | None:
        """Return the first that is kept; days are asked for in parallel, ever more of them."""
        at, count = 0, 4
        while at < len(days):
            for kept in list(self._of_days(days[at : at + count])):
                if kept is not None:
                    return self._of_this_history(kept)
            at, count = at + count, count * 2
        return None

    def _of_days(self, days: Sequence[date]) -> Iterator[Kept | None]:
        unknown = [day for day in days if day not in self._known]
        fetched = in_parallel(lambda day: self._fetch(day_path(day)), unknown, self._client.fetcher.parallel)
        for day, data in zip(unknown, fetched, strict=True):
            accepted = None if data is None else self._accepted(day_path(day), data)
            time = None if accepted is None else quorum_time(self._client.policy, accepted.cosignatures)
            self._known[day] = None if accepted is None else Kept(day, accepted, time)
        return (self._known[day] for day in days)

    def _fetch(self, path: str) -> bytes | None:
        try:
            return self._client.fetcher.fetch(path, MAX_NOTE_SIZE)
        except NotFound:
            return None

    def _accepted(self, path: str, data: bytes) -> Accepted | None:
        """Return the checkpoint in an object, if the log has signed it; the quorum of that day may be another one."""
        policy, origin = self._client.policy.without_quorum(), self._client.accepted.signed.origin
        try:
            signed = parse_signed_checkpoint(data)
            try:
                return policy.accept(signed, origin)
            except SignatureError:  # of a key that was retired since, perhaps
                accepted = self._history.accept(policy, signed, origin)
                self.policy = self._history.led_to_by(self._client.policy)
                return accepted
        except LogError as error:
            self.wrong.append(f"{path}: {error.message}")
            return None

    @cached_property
    def _history(self) -> KeyHistory:
        """What the log says of its keys; nothing where that cannot be read."""
        return history_of_client(self._client)

    def _of_this_history(self, kept: Kept) -> Kept:
        """Return it, shown to be of the history that is read, as is the one that is kept of its size."""
        if kept.size in self._checked:
            return kept
        check_history(self._client, kept.accepted.signed)
        path = checkpoint_path(kept.size)
        data = self._fetch(path)
        if data is not None and (other := self._accepted(path, data)) is not None:
            check_history(self._client, other.signed)
        self._checked.add(kept.size)
        return kept
