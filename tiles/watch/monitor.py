"""One round of one log: what is new there is verified, read, and told.

    visit     the checkpoint, by the log's policy, shown to extend the largest one that was seen
    compare   other places that show the log: mirrors, witnesses
    read      every entry since the last round, in order, verified; those that are looked for are told and kept, and
              endorsements of other logs are collected
    index     if that is asked for: what is new of it, computed again
    hold      after the rounds of all logs: one whose endorsements were collected is held to them

Each log has rounds of its own, so one that is broken, hostile or slow keeps no other from being watched. A round may
die anywhere: `monitor_state` argues what the next one does. What is wrong in other places, or with the index, is a
trouble of the round and ends nothing; a log that does not verify is read no further. What cannot be read is never
passed over, unless the log says, signed, that it withholds it: then that is told, and is an alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from tiles.errors import AccessError, LogError, NotFound, Refused, TilesError, UsageError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log, open_place
from tiles.read.layouts import name_of, visited
from tiles.read.log_formats import TLOG_TILES, LogFormat
from tiles.read.runs import Hands
from tiles.read.spread import ReadAhead
from tiles.store import Fetcher
from tiles.tree.merkle import TreeHead
from tiles.user.pinned import Pinned
from tiles.watch.monitor_collecting import Collecting, Endorsements
from tiles.watch.monitor_compare import Comparison
from tiles.watch.monitor_endorsed import EndorsedLog
from tiles.watch.monitor_index import IndexCheck
from tiles.watch.monitor_match import Sought
from tiles.watch.monitor_reading import Reading, Receiver
from tiles.watch.monitor_state import Begin, LogState
from tiles.workers import HERE, Workers


@dataclass(frozen=True, slots=True)
class Watched:
    """What a round does besides visiting.

    sought    which entries are looked for
    compare   addresses at which others show the log
    alone     no other log is watched, so each of those addresses has to show this one
    index     whether the log's index is checked
    begin     where a log is begun that has no state; None: it is refused
    endorsed  the logs whose endorsements are collected
    workers   returns those who read and compute so many entries, while they are needed
    """

    sought: Sought
    compare: tuple[str, ...] = ()
    alone: bool = True
    index: bool = False
    begin: Begin | None = None
    log_format: LogFormat | None = None
    endorsed: tuple[EndorsedLog, ...] = ()
    workers: Callable[[int], AbstractContextManager[Workers]] = lambda _: nullcontext(HERE)


@dataclass
class Round:
    """What came of a round.

    tree       of the checkpoint that was visited
    start      the entries [start, next) were read
    found      how many of them were told
    unread     how many entries could not be read, because the log withholds some
    newer      the largest checkpoint that was seen, if the log shows an older one
    seen       the other places that show the log, and which size of it
    endorsed   what was found of the endorsements of other logs
    """

    log: str
    origin: str
    vkey: str
    trust: str
    tree: TreeHead
    start: int
    next: int
    found: int = 0
    unread: int = 0
    newer: SignedCheckpoint | None = None
    seen: list[tuple[str, int]] = field(default_factory=list)
    endorsed: list[Endorsements] = field(default_factory=list)


class Monitor:
    """Watches one log.

    url         where it is
    trust       returns with which policy it is read, given where it is and the path of its checkpoint
    directory   of the states
    """

    def __init__(self, url: str, trust: Callable[[Fetcher, str], Pinned], directory: Path, watched: Watched) -> None:
        self._url = url
        self._trust = trust
        self._directory = directory
        self._watched = watched
        self._last: tuple[Pinned, LogFormat, str] | None = None  # by what the log was visited, and its origin

    def round(self, receiver: Receiver, is_ended: Callable[[], bool] = lambda: False) -> Round:
        """Do one round, and return what came of it.

        is_ended   whether to stop early; what was read by then counts
        Raises LogError, AccessError or Refused for a log that cannot be visited or read; ForkError and HistoryUnknown
        if it shows another history, whose evidence is saved.
        """
        fetcher = open_log(self._url)
        with ExitStack() as open_states:
            visits: list[tuple[Pinned, LogState]] = []

            def visit(log_format: LogFormat) -> LogClient:
                pinned = self._pinned(fetcher, log_format)
                state = open_states.enter_context(LogState(self._directory, pinned.policy, self._watched.begin))
                visits.append((pinned, state))
                return _visited(fetcher, pinned, state, log_format)

            client = visited(fetcher, visit, self._watched.log_format)
            pinned, state = visits[-1]
            accepted, start = client.accepted, state.next
            done = Round(
                fetcher.url, accepted.signed.origin, accepted.log.vkey, pinned.how, client.tree, start, start,
                newer=client.newer,
            )  # fmt: skip
            self._last = pinned, client.log_format, done.origin
            if self._watched.alone:
                self._watched.sought.check(name_of(client.log_format))
            self._compare(client, state, receiver, done)
            self._read(client, state, receiver, done, is_ended)
            if self._watched.index and client.log_format is TLOG_TILES and not is_ended():
                self._check_index(client, state, receiver)
            return done

    def hold(self, receiver: Receiver) -> None:
        """Hold the log, once it was visited, to the endorsements of it that are new: all have to be of one history.

        Raises what `round` does for a log that cannot be visited. What contradicts it is a trouble, with evidence.
        """
        if self._last is None:
            return
        pinned, log_format, origin = self._last
        keys = pinned.policy.keys_of(origin)
        for log in self._watched.endorsed:
            if log.origin != origin or not log.is_waiting:
                continue
            if not log.is_of(keys):
                trouble = f"{self._url}: it is not held to the endorsements of {origin}, which are by other keys"
                receiver.trouble(Refused(trouble, hint="name each key of the log with --policy, or with --endorsed"))
                continue
            with LogState(self._directory, pinned.policy) as state:
                client = _visited(open_log(self._url), pinned, state, log_format)
                for error in log.hold(client, state):
                    receiver.trouble(error)

    def _pinned(self, fetcher: Fetcher, log_format: LogFormat) -> Pinned:
        pinned = self._trust(fetcher, log_format.checkpoint)
        if pinned.not_remembered:
            raise Refused(
                f"{fetcher.url}: its key is what it shows itself, and cannot be remembered: {pinned.not_remembered}",
                hint="say with --vkey or --policy whom to trust: it could show another key in each round",
            )
        return pinned

    def _read(
        self, client: LogClient, state: LogState, receiver: Receiver, done: Round, is_ended: Callable[[], bool]
    ) -> None:
        watched = self._watched
        collecting = Collecting(state, done.log, done.origin, watched.endorsed, watched.begin, receiver.trouble)
        with self._hands(client.tree.size - collecting.start) as hands, closing(ReadAhead(client, hands)) as ahead:
            reading = Reading(client, state, watched.sought, collecting, receiver, is_ended, ahead)
            reading.go()
        done.next, done.found, done.unread = reading.next, reading.found, reading.unread
        done.endorsed = collecting.found

    def _check_index(self, client: LogClient, state: LogState, receiver: Receiver) -> None:
        try:
            for error in IndexCheck(client, state.folder, state, self._hands).check():
                receiver.trouble(error)
        except TilesError as error:
            receiver.trouble(error)

    @contextmanager
    def _hands(self, entries: int) -> Iterator[Hands]:
        with self._watched.workers(entries) as workers:
            yield Hands(workers, self._url)

    def _compare(self, client: LogClient, state: LogState, receiver: Receiver, done: Round) -> None:
        comparison = Comparison(client, state)
        for url in self._watched.compare:
            try:
                place = open_place(url)
                shown = comparison.add(place)
                if shown is not None:
                    done.seen.append((place.url, shown.tree.size))
                elif self._watched.alone:
                    raise NotFound(f"{place.url} shows another log, and nothing of {done.origin}")
            except (LogError, AccessError, UsageError) as error:
                receiver.trouble(error)


def _visited(fetcher: Fetcher, pinned: Pinned, state: LogState, log_format: LogFormat) -> LogClient:
    client = LogClient(fetcher, pinned.policy, visits=state, log_format=log_format)
    client.visit()
    if client.not_remembered:
        raise AccessError(client.not_remembered)
    return client
