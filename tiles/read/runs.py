"""Runs of bundles that workers read and check: those that hash to what the tree says, and what follows from them.

A run is a value, and so are the hashes above its bundles, which are believed. So any process can do the work, if it
can open the log. What is missing or will not do is left out, and `LogClient` is asked for it, which looks for other
copies and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import tee

from tiles.errors import AccessError, Malformed
from tiles.parallel import in_parallel
from tiles.read.fetcher import is_local, open_log
from tiles.read.log_formats import TLOG_TILES, LogFormat
from tiles.store import Fetcher
from tiles.tree.bundle import bundle_leaves
from tiles.tree.layout import ENTRIES, Tile
from tiles.tree.merkle import HASH_SIZE, flat_root
from tiles.workers import HERE, Workers

MOST_BYTES = 8 << 20  # of the bundles of one run that are handed over: what is beyond is left out

opened = lru_cache(maxsize=1)(open_log)  # by a worker elsewhere, once


@dataclass(frozen=True, slots=True)
class Hands:
    """Those who work on runs of a log.

    url   what those elsewhere open to read the log, as `open_log` takes it
    """

    workers: Workers = HERE
    url: str = ""

    def share(self, fetcher: Fetcher) -> int:
        """Return how many objects each may fetch at a time, so that all together fetch no more than one would."""
        return max(1, fetcher.parallel // self.workers.count)


@dataclass(frozen=True, slots=True)
class Run:
    """Full bundles that stand beside each other, or the level-0 tiles in their place.

    first      the index of the first one
    roots      the hash above each of them, believed; one after the other
    parallel   how many objects to fetch at a time
    """

    first: int
    roots: bytes
    parallel: int = 1

    def places(self, level: int) -> Iterator[tuple[Tile, bytes]]:
        """Yield the tiles or bundles, each with the hash above it."""
        for at in range(0, len(self.roots), HASH_SIZE):
            yield Tile(level, self.first + at // HASH_SIZE), self.roots[at : at + HASH_SIZE]


def fetched(fetcher: Fetcher, tiles: Iterable[Tile], log_format: LogFormat, parallel: int) -> Iterator[bytes | None]:
    """Yield the objects of full tiles and bundles, in order; None for one that has to be asked for again."""
    if is_local(fetcher):
        return fetcher.fetch_each((log_format.path(tile), log_format.limit(tile)) for tile in tiles)

    def fetch(tile: Tile) -> bytes | None:
        with suppress(AccessError):
            return fetcher.fetch(log_format.path(tile), log_format.limit(tile))
        return None

    return in_parallel(fetch, tiles, parallel)


def right_tiles(fetcher: Fetcher, run: Run) -> Iterator[bytes | None]:
    """Yield the level-0 tiles of a run, in order; None for one that does not lead to the hash above it."""
    named, places = tee(run.places(0))
    data = fetched(fetcher, (tile for tile, _ in named), TLOG_TILES, run.parallel)
    for (tile, root), found in zip(places, data, strict=True):
        is_right = found is not None and len(found) == tile.width * HASH_SIZE and flat_root(found) == root
        yield found if is_right else None


def right_bundles(fetcher: Fetcher, run: Run) -> Iterator[bytes | None]:
    """Yield the bundles of a run, in order; None for one whose entries do not lead to the hash above them."""
    named, places = tee(run.places(ENTRIES))
    data = fetched(fetcher, (bundle for bundle, _ in named), TLOG_TILES, run.parallel)
    for (bundle, root), found in zip(places, data, strict=True):
        right = None
        if found is not None:
            with suppress(Malformed):
                right = found if flat_root(bundle_leaves(found, bundle.width)) == root else None
        yield right


def some_bundles(fetcher: Fetcher, run: Run) -> list[bytes | None]:
    """Return the bundles of a run as `right_bundles` does; None for those that are too much to hold."""
    found: list[bytes | None] = []
    held = 0
    for data in right_bundles(fetcher, run):
        found.append(data)
        held += len(data or b"")
        if held > MOST_BYTES:
            break
    return found + [None] * (len(run.roots) // HASH_SIZE - len(found))


def some_bundles_at(url: str, run: Run) -> list[bytes | None]:
    """Do the same in another process, which opens the log itself."""
    return some_bundles(opened(url), run)
