"""One stage of `make scale`, in a process of its own: `scale_stages NAME DIRECTORY ENTRIES` prints what it found.

DIRECTORY has the log (log, log.private, anchor), and its mirror once there is one. Building goes on where the log ends;
the other stages only read.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.bench.audits import vkey_of_log
from tests.bench.given import index_of
from tests.bench.lines import own_folders
from tests.bench.processes import python, run
from tests.bench.searches import ask, served, summary
from tests.bench.workers import log_parts

BATCH = 65_536
ENTRY_SIZE = 100
PROOFS = 1_000
LOOKUPS = 20


def entry(index: int) -> bytes:
    """Return an entry."""
    return (f"{index:020d}" * 5).encode()


def build(directory: Path, entries: int) -> dict[str, Any]:
    """Append what the log lacks, as the command does it: batch after batch, with the index of leaf hashes."""
    from tiles.entries.kind import LEAF
    from tiles.index.own_index import DEFAULT_KINDS
    from tiles.index.stopped import change_stopped
    from tiles.log import Log
    from tiles.retry import Clock

    log = Log(*log_parts(directory))
    if not (directory / "log" / "checkpoint").exists():
        log.create()
        change_stopped(log.private, Clock(), stop=[kind for kind in DEFAULT_KINDS if kind != LEAF])
    made = _batches(log.finish().tree.size, entries)
    for _ in log.append_all(lambda _size: next(made, [])):
        log.update_index(more=True)
    before = ""
    while problem := log.update_index():  # by a step each time, if an earlier run was interrupted
        if problem == before:
            sys.exit(problem)
        before = problem
    return {"size": log.finish().tree.size}


def _batches(start: int, entries: int) -> Iterator[list[bytes]]:
    while start < entries:
        stop = min(entries, start + BATCH - start % BATCH)
        yield [entry(index) for index in range(start, stop)]
        start = stop


def audit(directory: Path, _entries: int) -> dict[str, Any]:
    """Recompute everything, on all cores."""
    command = python("tiletree", "audit", directory / "log", "--vkey", vkey_of_log(), "--json")
    _, text = run([*command, "--jobs", str(os.cpu_count())], environment=own_folders(directory / "user"))
    return {"findings": len(json.loads(text)["findings"])}


def mirror(directory: Path, _entries: int) -> dict[str, Any]:
    """Copy the log into another directory, each object shown to belong to it. One that was interrupted goes on."""
    command = python("tiletree", "mirror", directory / "log", directory / "mirror", "--vkey", vkey_of_log())
    run(command, environment=own_folders(directory / "user"))
    return {}


class _Counted:
    """A fetcher that counts what is read of tiles."""

    def __init__(self, fetcher: Any) -> None:
        self._fetcher = fetcher
        self.url, self.parallel = fetcher.url, fetcher.parallel
        self.tiles = self.bytes = 0

    def fetch(self, path: str, limit: int) -> bytes:
        """Return an object."""
        data: bytes = self._fetcher.fetch(path, limit)
        if path.startswith("tile/"):
            self.tiles += 1
            self.bytes += len(data)
        return data


def proofs(fetcher: Any, count: int) -> dict[str, Any]:
    """Make proofs, each with a new client, then as many with one that keeps what it read. Times are CPU time."""
    from tiles.notes.keys import parse_vkey
    from tiles.notes.policy import policy_for
    from tiles.read.client import LogClient

    policy = policy_for(parse_vkey(vkey_of_log()))
    cold: list[tuple[int, int, float]] = []
    for number in range(count):
        counted = _Counted(fetcher)
        started = time.process_time()
        client = LogClient(counted, policy)
        client.prove(index_of(number, client.tree.size))
        cold.append((counted.tiles, counted.bytes, time.process_time() - started))
    counted = _Counted(fetcher)
    client = LogClient(counted, policy)
    size = client.tree.size
    started = time.process_time()
    for number in range(count):
        client.prove(index_of(number, size))
    kept = time.process_time() - started
    tiles, read, seconds = ([each[at] for each in cold] for at in range(3))
    return {
        "proofs": count,
        "tiles": [min(tiles), statistics.median(tiles), max(tiles)],
        "bytes_read": [min(read), statistics.median(read), max(read)],
        "ms": round(1000 * statistics.median(seconds), 3),
        "kept_tiles": counted.tiles / count,
        "kept_ms": round(1000 * kept / count, 3),
    }


def prove(directory: Path, _entries: int) -> dict[str, Any]:
    """Prove entries all over the log."""
    from tiles.read.fetcher import open_log

    return proofs(open_log(str(directory / "log")), PROOFS)


def mirrored(directory: Path, _entries: int) -> dict[str, Any]:
    """Prove entries by the mirror; the log may be gone."""
    from tiles.read.fetcher import open_log

    return proofs(open_log(str(directory / "mirror")), PROOFS // 10)


def search(directory: Path, entries: int) -> dict[str, Any]:
    """Look for entries by their leaf hashes over HTTP: some that are there, some that are not."""
    from tiles.tree.merkle import leaf_hash

    found = {}
    with served(directory) as server:
        for name, code, wanted in (
            ("a leaf that is there", 0, [index_of(number + 1, entries) for number in range(LOOKUPS)]),
            ("a leaf that is not there, proven", 8, [entries + number for number in range(LOOKUPS)]),
        ):
            calls = [["search", server.url, "--leaf", leaf_hash(entry(index)).hex()] for index in wanted]
            taken = [ask(server, [*call, "--vkey", vkey_of_log()], code, directory / "user") for call in calls]
            found[name] = summary(taken)
    return {"lookups": [{"task": name} | figures for name, figures in found.items()]}


def simulate(_directory: Path, _entries: int) -> dict[str, Any]:
    """Plan batches of logs that are too large for a disk, and prove their entries."""
    from tests.bench.simulate import SIZES
    from tests.bench.simulate import simulate as compute

    return {"sizes": [compute(size) for size in SIZES]}


STAGES: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    stage.__name__: stage for stage in (build, audit, prove, search, mirror, mirrored, simulate)
}


def main() -> None:
    """Run one stage, and print what it found."""
    name, directory, entries = sys.argv[1:]
    print(json.dumps(STAGES[name](Path(directory), int(entries))))


if __name__ == "__main__":
    main()
