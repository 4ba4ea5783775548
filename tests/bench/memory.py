"""The memory of a process and of all processes that it started, as Linux tells it; elsewhere nothing is known."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Self

from tests.bench.given import peak_of

_PAGE = os.sysconf("SC_PAGE_SIZE")


def tree_of(process: int) -> Iterator[int]:
    """Yield a process and all those below it."""
    waiting = [process]
    while waiting:
        one = waiting.pop()
        yield one
        with suppress(OSError, ValueError):  # it may have ended meanwhile
            for thread in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())


def tree_rss(process: int) -> int:
    """Return the resident bytes of a process and of those below it; pages that two of them share count twice."""
    total = 0
    for one in tree_of(process):
        with suppress(OSError, IndexError, ValueError):
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * _PAGE
    return total


def tree_cpu(process: int) -> float:
    """Return the CPU seconds of a process and of those below it, and of those of them that have ended."""
    ticks = 0
    for one in tree_of(process):
        with suppress(OSError, IndexError, ValueError):
            text = Path(f"/proc/{one}/stat").read_text()
            ticks += sum(map(int, text.rpartition(")")[2].split()[11:15]))  # utime, stime, cutime, cstime
    return ticks / os.sysconf("SC_CLK_TCK")


class Sampler:
    """Looks every so many seconds how much memory a process takes; a context.

    several   what it takes together with those below it, at that moment
    peak      the most that was seen, in bytes
    """

    def __init__(self, process: int, interval: float, *, several: bool) -> None:
        self.peak = 0
        self._measure = tree_rss if several else peak_of
        self._process, self._interval = process, interval
        self._ended = Event()
        self._thread = Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._ended.wait(self._interval):
            self.peak = max(self.peak, self._measure(self._process))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_given: object) -> None:
        self._ended.set()
        self._thread.join()
