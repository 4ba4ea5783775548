"""A program that forks mirrors which kill themselves: for each number n on standard input, one that mirrors `log` to
`mirror` in this directory and dies of SIGKILL before its n-th store operation. It prints how each has ended.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys

from tests.support.faults import GatedStore
from tests.support.readers import POLICY
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.user.places import public_store
from tiles.watch.mirror import Mirror


def mirror(lives: int) -> None:
    """Mirror the log."""
    operations = itertools.count()

    def gate(_: str) -> None:
        if next(operations) == lives:
            os.kill(os.getpid(), signal.SIGKILL)

    client = LogClient(open_log("log"), POLICY)
    client.visit()
    Mirror(client, GatedStore(public_store("mirror"), "mirror", gate)).run()


def main() -> None:
    """Fork a mirror for each line."""
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            mirror(int(line))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
