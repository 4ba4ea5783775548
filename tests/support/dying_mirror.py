"""A program that forks mirrors which kill themselves: for each number n on standard input, one that mirrors `log`,
which is in this directory, to the place that is named, and dies of SIGKILL before its n-th store operation. It prints
how each has ended.
"""

from __future__ import annotations

import importlib
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
from tiles.write.prepare import as_public


def mirror(place: str, lives: int) -> None:
    """Mirror the log."""
    operations = itertools.count()

    def gate(_: str) -> None:
        if next(operations) == lives:
            os.kill(os.getpid(), signal.SIGKILL)

    client = LogClient(open_log("log"), POLICY)
    client.visit()
    Mirror(client, GatedStore(as_public(public_store(place)), "mirror", gate)).run()


def main() -> None:
    """Fork a mirror for each line."""
    if "://" in sys.argv[1]:
        importlib.import_module("tiles.store.bucket")  # once, not in each
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            mirror(sys.argv[1], int(line))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
