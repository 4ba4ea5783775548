"""obstore's stores of one prefix of a bucket, and how many writes are to be under way there by how long one takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tiles.parallel import bucket_requests


class Pace:
    """How long a bucket takes to answer, and how many writes are under way at a time because of that.

    Only requests that are alone on their way are seen: beside others, one waits for the processor as well. The least
    time of any is taken, that of a write if there was one. What fails is not seen: it may not have got to the bucket.

    now   seconds of a clock that is never set
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._least: dict[bool, float] = {}  # seconds, by whether it was a write

    @contextmanager
    def seen(self, *, write: bool) -> Iterator[None]:
        """See how long the request takes that is made in this context, alone."""
        started = self._now()
        yield
        took = self._now() - started
        self._least[write] = min(took, self._least.get(write, took))

    @property
    def most(self) -> int:
        """How many writes are to be under way at a time."""
        return bucket_requests(self._least.get(True, self._least.get(False, 0.0)))


@dataclass(frozen=True, slots=True)
class Clients:
    """obstore's stores of one prefix.

    patient     tries again by itself; it may create again what was deleted meanwhile
    once        does not try again
    stamped_by  the field that holds the version: "e_tag", or "version" where versions are generations
    decodes     whether gzip-encoded objects are read decoded
    """

    patient: Any
    once: Any
    stamped_by: str = "e_tag"
    decodes: bool = True
    pace: Pace = field(default_factory=Pace, compare=False)
