"""Counting the instructions of a command: figures that do not depend on how busy the machine is.

Needs valgrind, whose cachegrind counts. `python -m tests.bench.instructions COMMAND…` counts those of one command.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

# the order of sets, and what is compiled, would else change from run to run
STEADY = {"PYTHONHASHSEED": "0", "PYTHONNODEBUGRANGES": "1"}
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


if __name__ == "__main__":
    print(f"{count(sys.argv[1:]):,}")
