"""What every contestant is given: entries of 200 bytes, a name and a key. Needs the standard library only."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ORIGIN = "bench.example.com/log"
SEED = bytes(range(32))
ENTRY_SIZE = 200


def batches(entries: int, size: int) -> Iterator[list[bytes]]:
    """Yield the entries, a batch at a time: distinct, and cheap to make."""
    for start in range(0, entries, size):
        names = (f"{index:020d}" for index in range(start, min(start + size, entries)))
        yield [(name * 10).encode() for name in names]


def timed(step: Callable[[list[bytes]], object], entries: int, size: int) -> float:
    """Return the seconds that `step` takes for all batches; making a batch does not count."""
    seconds = 0.0
    for batch in batches(entries, size):
        started = time.perf_counter()
        step(batch)
        seconds += time.perf_counter() - started
    return seconds


def index_of(number: int, size: int) -> int:
    """Return the index of which the proof with this number is made: the same ones for everyone, in no order."""
    return number * 2654435761 % size


def peak_of(process: int | str = "self") -> int:
    """Return the most resident bytes that a process has had; 0 if that is not known.

    Linux keeps that of the program itself here; getrusage(2) would also count what its parent had when it was started.
    """
    if not Path("/proc/self/status").exists():
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return most if process == "self" else 0
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)  # 0 if it has ended
