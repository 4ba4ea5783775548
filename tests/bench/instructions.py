"""Counting the instructions of a command: figures that do not depend on how busy the machine is.

Needs valgrind, whose cachegrind counts. `python -m tests.bench.instructions COMMAND…` counts those of one command, and
without a command those of small commits: a commit is the difference of two runs that differ in how many they make, so
that starting Python and opening the log are left out.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.processes import python

# the order of sets, and what is compiled, would else change from run to run
STEADY = {"PYTHONHASHSEED": "0", "PYTHONNODEBUGRANGES": "1"}
FEW, MANY = 5, 15  # commits of the two runs
BATCHES = (1, 256)  # entries of a commit
WRITERS = ("tiletree_publish", "tiletree_publish_all", "scales_publish")
_COUNTED = re.compile(r"I\s+refs:\s+([\d,]+)")


def can_count() -> bool:
    """Whether there is a valgrind."""
    return shutil.which("valgrind") is not None


def count(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Return how many instructions a command takes, all its threads included. Ends the program if it fails."""
    counting = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", *command]
    everything = {**os.environ, **STEADY, **(environment or {})}
    done = subprocess.run(counting, env=everything, capture_output=True, text=True, check=False)
    counted = _COUNTED.search(done.stderr)
    if done.returncode or counted is None:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return int(counted[1].replace(",", ""))


def count_commit(writer: str, entries: int) -> int:
    """Return how many instructions one commit of so many entries takes, in user space. writer: of `workers.py`"""
    counts = []
    for commits in (FEW, MANY):
        with tempfile.TemporaryDirectory() as scratch:
            place = Path(scratch) / writer
            counts.append(count(python("tests.bench.workers", writer, place, entries * commits, entries)))
    return (counts[1] - counts[0]) // (MANY - FEW)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(f"{count(sys.argv[1:]):,}")
    else:
        for size in BATCHES:
            for each in WRITERS:
                print(f"{each}, a commit of {size}: {count_commit(each, size):,}")
