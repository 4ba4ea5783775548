"""What could be a lost tile of a log: bytes from the log or a mirror, unproven, perhaps cut from a larger tile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from tiles.errors import AccessError, LogError, Malformed, NotFound, UsageError
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.read.runs import Hands
from tiles.read.tiles import copies_of
from tiles.store import Fetcher
from tiles.store.past_caches import PastCaches, fetch_for
from tiles.store.ranges import Part, fetch_range
from tiles.tree.blame import Hashes
from tiles.tree.bundle import parse_bundle
from tiles.tree.layout import CHECKPOINT, Tile, tile_at
from tiles.tree.merkle import HASH_SIZE, leaf_hashes
from tiles.tree.reader import cut_from_larger
from tiles.tree.tile import parse_tile

_PATIENCE = 4  # after so many objects in a row that cannot be reached, the whole place is taken to be unreachable

T = TypeVar("T")


class Reachable:
    """A fetcher that raises NotFound for an object that cannot be reached, until several in a row cannot be.

    lasting   from then on raise AccessError; otherwise raise NotFound for every object

    trouble   the error of the last object that could not be reached; empty if there was none
    """

    def __init__(self, fetcher: Fetcher, *, lasting: bool) -> None:
        self.url = fetcher.url
        self.parallel = fetcher.parallel
        self.trouble = ""
        self._fetcher = fetcher
        self._lasting = lasting
        self._in_a_row = 0

    def fetch(self, path: str, limit: int) -> bytes:
        """Return an object (Fetcher)."""
        return self._patiently(lambda: self._fetcher.fetch(path, limit))

    def fetch_anew(self, path: str, limit: int, rejected: bytes | None) -> bytes:
        """Return an object past every cache (PastCaches); where there is none, what was fetched is what there is."""
        fetcher = self._fetcher
        if isinstance(fetcher, PastCaches):
            return self._patiently(lambda: fetcher.fetch_anew(path, limit, rejected))
        if rejected is None:
            raise NotFound(f"{self.url}/{path}: not found")
        return rejected

    def fetch_range(self, path: str, start: int, stop: int, size: int) -> Part:
        """Return a part of an object, or the whole (ReadsRanges)."""
        return self._patiently(lambda: fetch_range(self._fetcher, path, start, stop, size))

    def _patiently(self, fetch: Callable[[], T]) -> T:
        if self._in_a_row >= _PATIENCE and not self._lasting:
            raise NotFound(self.trouble)
        try:
            data = fetch()
        except NotFound:
            self._in_a_row = 0
            raise
        except AccessError as error:
            self.trouble = error.message
            self._in_a_row += 1
            if self._in_a_row >= _PATIENCE and self._lasting:
                raise
            raise NotFound(error.message) from error
        self._in_a_row = 0
        return data


@dataclass(frozen=True, slots=True)
class Sources:
    """Where tiles are read from: the log itself, and perhaps a mirror, which may have what the log lacks.

    log     reads the log as `here` does, without patience
    hands   find out which runs of the log are sound
    """

    here: Reachable
    mirror: Reachable | None
    log: Fetcher
    hands: Hands

    @classmethod
    def of(cls, fetcher: Fetcher, mirror: Fetcher | None, hands: Hands | None = None) -> Sources:
        """Return them, read with patience: one object that cannot be reached stops nothing."""
        other = None if mirror is None else Reachable(mirror, lasting=False)
        return cls(Reachable(fetcher, lasting=True), other, fetcher, hands or Hands())


def cut_at(fetcher: Fetcher, size: int, tile: Tile) -> Iterator[bytes]:
    """Yield the copies of a tile or bundle, each cut from what a larger tree has in its place, all of them unproven."""
    try:
        larger = tile_at(size, tile.level, tile.index)
    except UsageError:
        return
    for data in copies_of(fetcher, larger):
        if (part := cut_from_larger(tile, data)) is not None:
            yield part


def fetched(fetcher: Fetcher, tile: Tile) -> bytes | None:
    """Return the first copy of a tile or bundle; None if there is none, or it cannot be cut from what there is."""
    return next(copies_of(fetcher, tile), None)


def hashes_in(tile: Tile, data: bytes | None) -> Hashes | None:
    """Return the hashes in a tile; None if these are not the bytes of one."""
    return parse_tile(data, tile.width) if data is not None and len(data) == tile.width * HASH_SIZE else None


def leaves_in(bundle: Tile, data: bytes) -> Hashes | None:
    """Return the leaf hashes of the entries in a bundle; None if these are not the bytes of one."""
    try:
        return tuple(leaf_hashes(parse_bundle(data, bundle.width)))
    except Malformed:
        return None


def claimed_size(mirror: Fetcher) -> int:
    """Return the size that a mirror says it has, to look for its tiles; 0 if it does not say."""
    try:
        return fetch_for(mirror, CHECKPOINT, MAX_NOTE_SIZE, parse_signed_checkpoint).tree.size
    except (LogError, AccessError):
        return 0
