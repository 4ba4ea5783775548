"""One log at several addresses: each object is asked of the next one where it is missing, unreachable or wrong.

Whether an object is wrong is decided where it is verified, so an address more adds no trust: it can only help. What was
taken from which address, and why not from the one before, is noted, and every command that reads says it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

from tiles.errors import AccessError, NotFound, TilesError, TooLong
from tiles.store import Fetcher, Part
from tiles.store.past_caches import PastCaches, gravest
from tiles.store.ranges import fetch_range

MAX_ADDRESSES = 16

_NOTED = 4096  # objects of which it is known where they were taken from; of more, their number only

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one address.

    objects   how many were taken from it
    such_as   the path of one of those; "" if there is none
    trouble   why something was asked of the next address; "" if nothing was
    """

    url: str
    objects: int
    such_as: str
    trouble: str


class Addresses:
    """Reads one log at several addresses, in their order (`tiles.store.past_caches.Several`). Threads may share it.

    An address that cannot be reached is not asked again, as long as there is another one.
    """

    def __init__(self, places: Sequence[Fetcher]) -> None:
        self.url = places[0].url
        self.parallel = max(place.parallel for place in places)
        self._all = tuple(places)
        self._gone: set[int] = set()
        self._taken: dict[str, int] = {}
        self._counts = [0] * len(places)
        self._troubles = [""] * len(places)
        self._lock = Lock()

    @property
    def every(self) -> Sequence[Fetcher]:
        """All addresses, also those that cannot be reached."""
        return self._all

    def places(self) -> Sequence[Fetcher]:
        """Return those that are worth asking, at least one."""
        with self._lock:
            return [place for at, place in enumerate(self._all) if at not in self._gone] or self._all

    def took(self, place: Fetcher, path: str) -> None:
        """Note that an object was taken from a place."""
        at = self._all.index(place)
        with self._lock:
            before = self._taken.get(path)
            if before != at:
                self._counts[at] += 1
                if before is not None:
                    self._counts[before] -= 1
            if before is not None or len(self._taken) < _NOTED:
                self._taken[path] = at

    def failed(self, place: Fetcher, path: str, why: TilesError | None) -> None:
        """Note that a place did not have an object that would do."""
        at = self._all.index(place)
        unreachable = isinstance(why, AccessError) and not isinstance(why, NotFound | TooLong)
        with self._lock:
            if unreachable:
                self._gone.add(at)
            if not self._troubles[at] or unreachable:
                self._troubles[at] = why.message if why else f"{place.url}/{path} does not verify"

    def taken_from(self, path: str) -> Fetcher:
        """Return the place from which an object was taken last; the first one if that is not known."""
        with self._lock:
            return self._all[self._taken.get(path, 0)]

    def report(self) -> list[Report]:
        """Return what became of each address; [] if all was as if there were only the first one."""
        with self._lock:
            if not any(self._counts[1:]) and not self._troubles[0]:
                return []
            such_as = {at: path for path, at in self._taken.items()}
            return [
                Report(place.url, self._counts[at], such_as.get(at, ""), self._troubles[at])
                for at, place in enumerate(self._all)
            ]

    def fetch(self, path: str, limit: int) -> bytes:
        """Return an object (Fetcher)."""
        return self._first(path, lambda place: place.fetch(path, limit))

    def fetch_anew(self, path: str, limit: int, rejected: bytes | None) -> bytes:
        """Return an object past every cache, or from the next address (PastCaches)."""

        def anew(place: Fetcher) -> bytes:
            # the cache of an address has only to do with what came from it
            own = rejected if place is self.taken_from(path) else None
            found = place.fetch_anew(path, limit, own) if isinstance(place, PastCaches) else place.fetch(path, limit)
            if found == rejected:
                raise _SameAgain(found)
            return found

        try:
            return self._first(path, anew)
        except _SameAgain as same:
            return same.data

    def fetch_range(self, path: str, start: int, stop: int, size: int) -> Part:
        """Return a part of an object, or the whole (ReadsRanges)."""
        return self._first(path, lambda place: fetch_range(place, path, start, stop, size))

    def _first(self, path: str, fetch: Callable[[Fetcher], T]) -> T:
        """Return what the first address has that has something."""
        errors: list[TilesError] = []
        same: _SameAgain | None = None
        for place in self.places():
            try:
                found = fetch(place)
            except AccessError as error:
                self.failed(place, path, error)
                errors.append(error)
            except _SameAgain as error:
                self.failed(place, path, None)
                same = error
            else:
                self.took(place, path)
                return found
        raise same or gravest(errors)


class _SameAgain(Exception):
    """An address has what was rejected already."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.data = data
