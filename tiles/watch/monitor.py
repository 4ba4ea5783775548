"""One round of one log: what is new there is verified, read, and told.

    visit     the checkpoint, by the log's policy, shown to extend the largest one that was seen
    compare   other places that show the log: mirrors, witnesses
    read      every entry since the last round, in order, verified; those that are looked for are told and kept
    index     if that is asked for: what is new of it, computed again

Each log has rounds of its own, so one that is broken, hostile or slow keeps no other from being watched. A round may
die anywhere: `monitor_state` argues what the next one does. What is wrong in other places, or with the index, is a
trouble of the round and ends nothing; a log that does not verify is read no further. What cannot be read is never
passed over, unless the log says, signed, that it withholds it: then that is told, and is an alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tiles.errors import AccessError, LogError, NotFound, Refused, TilesError, UsageError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.withheld import Entry
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log, open_place
from tiles.read.layouts import name_of, visited
from tiles.read.log_formats import TLOG_TILES, LogFormat
from tiles.read.other_layouts import check_layout
from tiles.read.withheld import WithheldEntries
from tiles.store import Fetcher
from tiles.tree.layout import ENTRIES, TILE_WIDTH, tile_at
from tiles.tree.merkle import TreeHead
from tiles.user.pinned import Pinned
from tiles.watch.monitor_compare import Comparison
from tiles.watch.monitor_index import IndexCheck
from tiles.watch.monitor_match import Sought
from tiles.watch.monitor_state import Begin, LogState

_SPAN = 64 * TILE_WIDTH  # entries that are asked for at a time

CHUNK = 4096  # entries after which the state is written, whether or not any was found


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that is looked for, verified.

    by       what found it, as it was written
    layout   the name of the log's format
    """

    index: int
    entry: bytes
    by: Sequence[str]
    layout: str


@dataclass(frozen=True, slots=True)
class Unread:
    """Entries [index, index + count) that cannot be read, because the log withholds some of their bundle.

    withheld   those that it says, signed, that it withholds, and why
    """

    index: int
    count: int
    withheld: Sequence[Entry]


class Receiver(Protocol):
    """Whoever is told what was found."""

    @property
    def is_slow(self) -> bool:
        """Whether telling does something, so that nothing should be told twice: the state is written after each."""
        ...

    def line(self, origin: str, found: Match | Unread) -> bytes:
        """Return the line that is kept of what was found."""
        ...

    def tell(self, line: bytes) -> None:
        """Tell it. Raises AccessError if it was not taken: the next round tells it again."""
        ...

    def trouble(self, error: TilesError) -> None:
        """Tell what is wrong besides, which does not end the round."""
        ...


@dataclass(frozen=True, slots=True)
class Watched:
    """What a round does besides visiting.

    sought    which entries are looked for
    compare   addresses at which others show the log
    alone     no other log is watched, so each of those addresses has to show this one
    index     whether the log's index is checked
    begin     where a log is begun that has no state; None: it is refused
    """

    sought: Sought
    compare: tuple[str, ...] = ()
    alone: bool = True
    index: bool = False
    begin: Begin | None = None
    log_format: LogFormat | None = None


@dataclass
class Round:
    """What came of a round.

    tree       of the checkpoint that was visited
    start      the entries [start, next) were read
    found      how many of them were told
    unread     how many entries could not be read, because the log withholds some
    newer      the largest checkpoint that was seen, if the log shows an older one
    seen       the other places that show the log, and which size of it
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
            if self._watched.alone:
                self._watched.sought.check(name_of(client.log_format))
            self._compare(client, state, receiver, done)
            _Reading(client, state, self._watched.sought, receiver, done, is_ended).go()
            if self._watched.index and client.log_format is TLOG_TILES and not is_ended():
                _check_index(client, state, receiver)
            return done

    def _pinned(self, fetcher: Fetcher, log_format: LogFormat) -> Pinned:
        pinned = self._trust(fetcher, log_format.checkpoint)
        if pinned.not_remembered:
            raise Refused(
                f"{fetcher.url}: its key is what it shows itself, and cannot be remembered: {pinned.not_remembered}",
                hint="say with --vkey or --policy whom to trust: it could show another key in each round",
            )
        return pinned

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


@dataclass
class _Reading:
    """What is new is read, told and kept, and how far that came is taken down, whatever stops it."""

    client: LogClient
    state: LogState
    sought: Sought
    receiver: Receiver
    done: Round
    is_ended: Callable[[], bool]

    def go(self) -> None:
        """Read all that is new."""
        done, size = self.done, self.client.tree.size
        while done.next < size and not self.is_ended():
            try:
                self._go_on()
            except NotFound as error:
                unread = _withheld(self.client, done.next, error)
                if unread is None:
                    self.state.advance(done.next)
                    if self.client.log_format is TLOG_TILES:
                        check_layout(self.client.fetcher, size)
                    raise
                self._tell(unread)
                done.next += unread.count
                done.unread += unread.count
            except TilesError:
                self.state.advance(done.next)
                raise
            self.state.advance(done.next)

    def _go_on(self) -> None:
        layout = name_of(self.client.log_format)
        matcher = self.sought.matcher(layout)
        for index, entry in _entries(self.client, self.done.next):
            by = matcher(entry)
            if by is not None:
                self._tell(Match(index, entry, by, layout))
                self.done.found += 1
            self.done.next = index + 1
            if self.done.next % CHUNK == 0 or (by is not None and self.receiver.is_slow):
                self.state.advance(self.done.next)
                if self.is_ended():
                    return

    def _tell(self, found: Match | Unread) -> None:
        line = self.receiver.line(self.done.origin, found)
        self.receiver.tell(line)
        self.state.keep(line)


def _entries(client: LogClient, start: int) -> Iterator[tuple[int, bytes]]:
    """Yield the entries from an index on: of full bundles no level-0 tile is read, which halves the requests."""
    size = client.tree.size
    while start < size:
        stop = min(size, (start // _SPAN + 1) * _SPAN)
        yield from client.entries_at(range(start, stop))
        start = stop


def _withheld(client: LogClient, index: int, error: NotFound) -> Unread | None:
    """Return which entries are passed over: those of the bundle at an index that is missing, if the log says so."""
    bundle = index // TILE_WIDTH
    tile = tile_at(client.tree.size, ENTRIES, bundle)
    if tile.path not in error.message:
        return None
    try:
        entries = WithheldEntries.of(client).of_bundle(bundle)
    except TilesError:
        return None
    stop = min(client.tree.size, (bundle + 1) * TILE_WIDTH)
    return Unread(index, stop - index, entries) if entries else None


def _check_index(client: LogClient, state: LogState, receiver: Receiver) -> None:
    try:
        for error in IndexCheck(client, state.folder, state).check():
            receiver.trouble(error)
    except TilesError as error:
        receiver.trouble(error)
