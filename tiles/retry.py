"""Trying again, with pauses that grow and are never twice the same: writers who collide do not go on colliding."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

ATTEMPTS = 200  # how often one step may lose against other writers before the run gives up
FIRST_PAUSE = 0.005  # seconds, at most; doubled each time
LONGEST_PAUSE = 1.0  # seconds


class Backoff:
    """Counts attempts. sleep waits for that many seconds."""

    def __init__(self, sleep: Callable[[float], None], rng: random.Random) -> None:
        self._sleep = sleep
        self._rng = rng

    def attempts(self) -> Iterator[int]:
        """Yield 0 to ATTEMPTS - 1, pausing before each but the first."""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(self._rng.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)))
            yield attempt
