"""Trying again: how often, and after which pauses. Time and chance are handed in, so that tests decide both."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

ATTEMPTS = 200  # how often one step may lose against other writers before the run gives up


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance.

    now     seconds; from which beginning is for the user of the clock to say
    sleep   waits for that many seconds
    rng     chance
    """

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    rng: random.Random = field(default_factory=random.SystemRandom)

    def random_id(self) -> str:
        """Return 32 hex digits that nothing else has."""
        return f"{self.rng.getrandbits(128):032x}"


@dataclass(frozen=True, slots=True)
class Pauses:
    """How often something is tried, and how long to pause before it is tried again.

    attempts   tries in all
    first      seconds before the second try; doubled before each further one
    longest    seconds; no pause is longer
    spread     what a pause is multiplied by: a number between these two, by chance, so that those who collided once
               do not collide again
    """

    attempts: int
    first: float
    longest: float
    spread: tuple[float, float] = (0.0, 1.0)

    def after(self, failed: int, rng: random.Random) -> float:
        """Return the seconds to pause after so many failed tries, at least one."""
        usual = min(self.longest, self.first * 2.0 ** (failed - 1))
        return min(self.longest, rng.uniform(*self.spread) * usual)


OTHER_WRITERS = Pauses(ATTEMPTS, 0.01, 1.0)  # of the write path, where another writer was first


def attempts(clock: Clock, pauses: Pauses) -> Iterator[int]:
    """Yield 0 to `pauses.attempts` - 1, pausing before each but the first."""
    for attempt in range(pauses.attempts):
        if attempt:
            clock.sleep(pauses.after(attempt, clock.rng))
        yield attempt


def among_writers(clock: Clock) -> Iterator[int]:
    """Yield as `attempts` does, for a step of the write path that another writer may have taken first."""
    return attempts(clock, OTHER_WRITERS)
