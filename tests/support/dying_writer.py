"""A program that forks writers which kill themselves: for each line `<folder> <n>` on standard input, one that appends
to the log there and dies of SIGKILL before its n-th store operation.

It prints what a writer is told, as `tiletree add` would, and then `ended` with the exit code.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path

from tests.support.faults import GatedStore
from tests.support.world import some_entries
from tiles.signing.key_file import read_key
from tiles.signing.signer import Signer
from tiles.tree.merkle import leaf_hash
from tiles.user.places import anchor_store, private_store, public_store
from tiles.write.sequencer import Sequencer

BATCH = 7
ENTRIES = some_entries("line", 12)  # two batches


def write(folder: Path, lives: int) -> None:
    """Append ENTRIES in batches."""
    operations = itertools.count()

    def gate(_: str) -> None:
        if next(operations) == lives:
            os.kill(os.getpid(), signal.SIGKILL)

    log = str(folder / "log")
    (path,) = (folder / "config").rglob("*.key")
    signer = Signer(read_key(path), GatedStore(anchor_store(path), "anchor", gate))
    public, private = GatedStore(public_store(log), "public", gate), GatedStore(private_store(log), "private", gate)
    sequencer = Sequencer(public, private, signer)
    for start in range(0, len(ENTRIES), BATCH):
        batch = ENTRIES[start : start + BATCH]
        first = sequencer.append(batch).first_index
        for number, entry in enumerate(batch):
            print(f"{first + number}  {leaf_hash(entry).hex()}  lines:{start + number + 1}", flush=True)


def main() -> None:
    """Fork a writer for each line."""
    for line in sys.stdin:
        folder, lives = line.rsplit(maxsplit=1)
        if (writer := os.fork()) == 0:
            write(Path(folder), int(lives))
            os._exit(0)
        print("ended", os.waitstatus_to_exitcode(os.waitpid(writer, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
