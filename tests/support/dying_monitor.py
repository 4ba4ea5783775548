"""A program that forks monitors and kills them: for each line `<folder> <seconds>` on standard input, one that watches
the log there, and is sent SIGKILL after as long; 0 lets it come to its end.

With the argument `endorsed`, it watches `public` and `private` there, and collects what one has of the other.
What the monitor tells is appended to `told` in that folder. It prints `ended` with the exit code.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.support.endorsing import POLICY as ENDORSED
from tests.support.endorsing import PRIVATE, PUBLIC_POLICY
from tests.support.monitors import EVERY, Told
from tests.support.readers import POLICY
from tiles.errors import TilesError
from tiles.user.pinned import PINNED, Pinned
from tiles.watch import monitor_reading
from tiles.watch.monitor import Monitor
from tiles.watch.monitor_endorsed import EndorsedLog
from tiles.watch.monitor_match import Sought

CHUNK = 64  # entries after which the state is written: there is much to be killed in


class Telling(Told):
    """Writes what it is told to a file, at once."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def tell(self, line: bytes) -> None:
        """Append a line."""
        os.write(self._file, line)

    def trouble(self, error: TilesError) -> None:
        """Append a line of it."""
        self.tell(f"{type(error).__name__}\n".encode())


def watch(folder: Path) -> None:
    """Do one round."""
    monitor_reading.CHUNK = CHUNK
    made = Monitor(str(folder / "log"), lambda *_: Pinned(POLICY, PINNED), folder / "state", EVERY)
    made.round(Telling(folder / "told"))


def collect(folder: Path) -> None:
    """Do one round of each of two logs, and hold one to what the other has endorsed of it."""
    monitor_reading.CHUNK = 2  # each tree is the last entry before the state is written
    state = folder / "state"
    watched = replace(EVERY, sought=Sought(()), endorsed=(EndorsedLog(state, [PRIVATE.verifier]),))
    told = Telling(folder / "told")
    for name, policy in (("public", PUBLIC_POLICY), ("private", ENDORSED)):
        made = Monitor(str(folder / name), lambda *_, policy=policy: Pinned(policy, PINNED), state, watched)
        made.round(told)
        made.hold(told)


def main(watch: Callable[[Path], None]) -> None:
    """Fork a monitor for each line."""
    for line in sys.stdin:
        folder, seconds = line.rsplit(maxsplit=1)
        if (monitor_ := os.fork()) == 0:
            watch(Path(folder))
            os._exit(0)
        if float(seconds):
            time.sleep(float(seconds))
            os.kill(monitor_, signal.SIGKILL)
        print("ended", os.waitstatus_to_exitcode(os.waitpid(monitor_, 0)[1]), flush=True)


if __name__ == "__main__":
    main(collect if sys.argv[1:] else watch)
