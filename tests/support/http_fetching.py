"""An HTTP fetcher whose time the test decides, and one tile for it to fetch."""

from __future__ import annotations

import random

from tiles.read.http_fetcher import HttpFetcher, Patience
from tiles.retry import Clock

DATA = bytes(range(256)) * 32
LIMIT = len(DATA)
TILE = "tile/0/000"


class Sleeper:
    """Time that only sleeping moves; takes down how long was slept."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    @property
    def clock(self) -> Clock:
        """A clock that tells this time; its chance is the same each time."""
        return Clock(lambda: self.now, self.sleep, random.Random(1))

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def fetcher(url: str, sleeper: Sleeper | None = None, **patience: float) -> HttpFetcher:
    """Return a fetcher that sleeps only as far as the test's own time goes."""
    return HttpFetcher(url, patience=Patience(**patience), clock=(sleeper or Sleeper()).clock)
