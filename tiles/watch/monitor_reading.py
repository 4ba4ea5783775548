"""For monitor: what is new in a log is read, told and kept, each entry once, and looked through for endorsements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tiles.errors import NotFound, TilesError
from tiles.notes.withheld import Entry
from tiles.read.client import LogClient
from tiles.read.layouts import name_of
from tiles.read.log_formats import TLOG_TILES
from tiles.read.other_layouts import check_layout
from tiles.read.spread import ReadAhead
from tiles.read.withheld import WithheldEntries
from tiles.tree.bundle import parse_bundle
from tiles.tree.layout import ENTRIES, TILE_WIDTH, tile_at
from tiles.watch.monitor_collecting import Collecting
from tiles.watch.monitor_match import Sought
from tiles.watch.monitor_state import LogState

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


@dataclass
class Reading:
    """What is new is read, told and kept, and how far that came is taken down, whatever stops it.

    ahead    the bundles that others read
    next     the entry that is read next
    found    how many of the entries were told
    unread   how many could not be read, because the log withholds some
    """

    client: LogClient
    state: LogState
    sought: Sought
    collecting: Collecting
    receiver: Receiver
    is_ended: Callable[[], bool]
    ahead: ReadAhead
    next: int = field(init=False)
    found: int = 0
    unread: int = 0

    def __post_init__(self) -> None:
        self.next = self.state.next

    def go(self) -> None:
        """Read all that is new."""
        self._catch_up()
        size = self.client.tree.size
        while self.next < size and not self.is_ended():
            try:
                self._go_on()
            except NotFound as error:
                unread = _withheld(self.client, self.next, error)
                if unread is None:
                    self._advance()
                    if self.client.log_format is TLOG_TILES:
                        check_layout(self.client.fetcher, size)
                    raise
                self._tell(unread)
                self.next += unread.count
                self.unread += unread.count
            except TilesError:
                self._advance()
                raise
            self._advance()

    def _go_on(self) -> None:
        layout = name_of(self.client.log_format)
        matcher = self.sought.matcher(layout)
        for index, entry in self._entries(self.next, self.client.tree.size):
            self.collecting.take(index, entry)
            by = matcher(entry)
            if by is not None:
                self._tell(Match(index, entry, by, layout))
                self.found += 1
            self.next = index + 1
            if self.next % CHUNK == 0 or (by is not None and self.receiver.is_slow):
                self._advance()
                if self.is_ended():
                    return

    def _tell(self, found: Match | Unread) -> None:
        line = self.receiver.line(self.client.accepted.signed.origin, found)
        self.receiver.tell(line)
        self.state.keep(line)

    def _advance(self) -> None:
        self.state.advance(self.next, self.collecting.logs)

    def _entries(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """Yield the entries [start, stop): of full bundles no level-0 tile is read, which halves the requests."""
        span = TILE_WIDTH if self.ahead.is_used else _SPAN
        while start < stop:
            end = min(stop, (start // span + 1) * span)
            data = self.ahead.bundle(start // TILE_WIDTH) if end - start == TILE_WIDTH else None
            if data is not None:
                yield from enumerate(parse_bundle(data, TILE_WIDTH), start)
            else:
                yield from self.client.entries_at(range(start, end))
            start = end

    # ---- entries that were read before somebody asked for endorsements among them

    def _catch_up(self) -> None:
        """Look for endorsements in what was read before, for those that were not looked for then.

        What cannot be read there is a trouble, and keeps nobody from reading what is new.
        """
        start, stop = self.collecting.start, min(self.state.next, self.client.tree.size)
        try:
            while start < stop and not self.is_ended():
                start = self._look_through(start, stop)
        except TilesError as error:
            self.receiver.trouble(error)
        self.collecting.give_up()

    def _look_through(self, start: int, stop: int) -> int:
        """Look through some entries, and return the next one: those that the log withholds were told before."""
        next_ = start
        try:
            for index, entry in self._entries(start, stop):
                self.collecting.take(index, entry)
                next_ = index + 1
                if next_ % CHUNK == 0:
                    break
        except NotFound as error:
            unread = _withheld(self.client, next_, error)
            if unread is None:
                raise
            next_ = min(stop, next_ + unread.count)
        finally:
            self.state.advance(next_, self.collecting.logs)
        return next_


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
