"""aics-tlog, in a process of its own: `python -m tests.bench.aics NAME DIRECTORY ENTRIES BATCH` prints JSON.

NAME is publish, publish_first or audit.

It may be another interpreter than that of the rest, since aics-tlog needs Python 3.12: nothing of tiletree is imported.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from aics_tlog.checkpoint import Checkpoint, sign_checkpoint
from aics_tlog.tiles import FileSystemTileReader
from aics_tlog.verified import audit_tiles
from aics_tlog.writer import DirectoryTileStore, IncrementalTileWriter
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.bench.given import ORIGIN, SEED, peak_of, timed


def publish(
    directory: Path, entries: int, size: int, keep: Callable[[list[bytes]], object] = lambda _batch: None
) -> float:
    """Publish: every file is synced, and one process owns the store. keep: is given each batch before"""
    store = DirectoryTileStore(directory / "log")
    writer = IncrementalTileWriter(store)
    key = Ed25519PrivateKey.from_private_bytes(SEED)

    def step(batch: list[bytes]) -> None:
        keep(batch)
        writer.append(batch)
        note = sign_checkpoint(Checkpoint(ORIGIN, writer.size, writer.root()), key, ORIGIN)
        store.write_checkpoint(note.to_bytes())

    return timed(step, entries, size)


def publish_first(directory: Path, entries: int, size: int) -> float:
    """Publish likewise, each batch once its entries last in a file: "the committed leaf table" of the writer's manual.

    Without it, a crash between two files leaves tiles to which only the same entries can be appended again, and nobody
    has them. This is the least that keeps them: nothing reads the file, and nothing says in it what is published.
    """
    directory.mkdir(parents=True)
    with (directory / "entries").open("ab", buffering=0) as table:

        def keep(batch: list[bytes]) -> None:
            table.write(b"".join(len(entry).to_bytes(2, "big") + entry for entry in batch))
            os.fsync(table.fileno())

        return publish(directory, entries, size, keep)


def audit(directory: Path, _entries: int, _size: int) -> float:
    """Audit a log that another implementation has written."""
    started = time.perf_counter()
    _, size, root = (directory / "log" / "checkpoint").read_text().splitlines()[:3]
    audit_tiles(FileSystemTileReader(directory / "log"), int(size), base64.b64decode(root))
    return time.perf_counter() - started


def main() -> None:
    """Run one of them, and print what it took."""
    name, directory, entries, size = sys.argv[1:]
    cpu = time.process_time()
    seconds = {"publish": publish, "publish_first": publish_first, "audit": audit}[name](
        Path(directory), int(entries), int(size)
    )
    print(json.dumps({"seconds": seconds, "cpu": time.process_time() - cpu, "peak": peak_of()}))


if __name__ == "__main__":
    main()
