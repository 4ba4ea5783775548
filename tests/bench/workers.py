"""One thing to measure, in a process of its own: `python workers.py NAME DIRECTORY ENTRIES BATCH` prints JSON.

The clock runs from the first entry handed over to the last one published (for an audit: from the open log to the
verdict); starting Python and making the entries is outside. Entries are 200 bytes, the same for everyone.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


def tiletree_publish(directory: Path, entries: int, size: int) -> float:
    """Publish with the library: crash-safe, locked, anchored."""
    sequencer = _sequencer(directory)
    return timed(sequencer.append, entries, size)


def tiletree_indexed(directory: Path, entries: int, size: int) -> float:
    """The same as a command does it that logs lines, with the index of leaf hashes and no other."""
    from tiles.entries.kind import LEAF
    from tiles.index.own_index import DEFAULT_KINDS
    from tiles.index.stopped import change_stopped
    from tiles.log import Log
    from tiles.retry import Clock

    log = Log(*log_parts(directory))
    log.create()
    change_stopped(log.private, Clock(), stop=[kind for kind in DEFAULT_KINDS if kind != LEAF])

    def publish(batch: list[bytes]) -> None:
        log.append(batch)
        log.update_index(more=True)

    seconds = timed(publish, entries, size)
    started = time.perf_counter()
    if problem := log.update_index():
        sys.exit(problem)
    return seconds + time.perf_counter() - started


def tiletree_audit(directory: Path, _entries: int, _size: int) -> float:
    """Audit what `tiletree_publish` wrote, kept checkpoints included."""
    from tiles.notes.checkpoint import parse_signed_checkpoint
    from tiles.notes.keys import signing_key
    from tiles.notes.policy import policy_for
    from tiles.read.fetcher import open_log
    from tiles.upkeep.audit import audit
    from tiles.user.places import public_store

    log = str(directory / "log")
    fetcher, policy = open_log(log), policy_for(signing_key(ORIGIN, SEED).verifier)
    started = time.perf_counter()
    tree = policy.accept(parse_signed_checkpoint(fetcher.fetch("checkpoint", 1 << 20))).signed.tree
    report = audit(fetcher, tree, store=public_store(log), policy=policy)
    seconds = time.perf_counter() - started
    if report.findings:
        sys.exit(f"findings: {report.findings[:3]}")
    return seconds


def scales_publish(directory: Path, entries: int, size: int) -> float:
    """Publish with tlog-scales: not crash-safe, by its own README."""
    from tlog_scales.signing import PlainEd25519Signer
    from tlog_scales.writer import TilesWriter

    writer = TilesWriter.create(directory / "log", ORIGIN)
    signer = PlainEd25519Signer(ORIGIN, SEED)

    def publish(batch: list[bytes]) -> None:
        for entry in batch:
            writer.add_leaf(entry)
        writer.commit([signer])

    return timed(publish, entries, size)


def aics_publish(directory: Path, entries: int, size: int) -> float:
    """Publish with aics-tlog: every file synced, one process owns the store."""
    from aics_tlog.checkpoint import Checkpoint, sign_checkpoint
    from aics_tlog.writer import DirectoryTileStore, IncrementalTileWriter
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    store = DirectoryTileStore(directory / "log")
    writer = IncrementalTileWriter(store)
    key = Ed25519PrivateKey.from_private_bytes(SEED)

    def publish(batch: list[bytes]) -> None:
        writer.append(batch)
        note = sign_checkpoint(Checkpoint(ORIGIN, writer.size, writer.root()), key, ORIGIN)
        store.write_checkpoint(note.to_bytes())

    return timed(publish, entries, size)


def aics_audit(directory: Path, _entries: int, _size: int) -> float:
    """Audit, with aics-tlog, the log that `tiletree_publish` wrote: both audit the same files."""
    from aics_tlog.tiles import FileSystemTileReader
    from aics_tlog.verified import audit_tiles

    from tiles.notes.checkpoint import parse_signed_checkpoint

    tree = parse_signed_checkpoint((directory / "log" / "checkpoint").read_bytes()).tree
    reader = FileSystemTileReader(directory / "log")
    started = time.perf_counter()
    audit_tiles(reader, tree.size, tree.root)
    return time.perf_counter() - started


def hashing(_directory: Path, entries: int, size: int) -> float:
    """Hash leaves and nodes, and nothing else: what no writer in Python can be faster than."""
    from tiles.tree.merkle import leaf_hashes, parents

    def hash_all(batch: list[bytes]) -> None:
        hashes = leaf_hashes(batch)
        while len(hashes) > 1:
            hashes = parents(hashes)

    return timed(hash_all, entries, size)


def raw_files(directory: Path, entries: int, size: int) -> float:
    """Write the same number of bytes as plain files of a bundle each, synced once: what the disk alone takes."""
    import os

    directory.mkdir(parents=True, exist_ok=True)
    number = 0

    def write(batch: list[bytes]) -> None:
        nonlocal number
        for start in range(0, len(batch), 256):
            data = b"".join(batch[start : start + 256])
            for content in (data, hashlib.sha256(data).digest() * 256):
                (directory / str(number)).write_bytes(content)
                number += 1
        os.sync()

    return timed(write, entries, size)


def log_parts(directory: Path) -> tuple[Any, Any, Any]:
    """Return the two stores and the signer of a log in a directory."""
    from tiles.notes.keys import signing_key
    from tiles.signing.signer import Signer
    from tiles.store.directory import DirectoryStore

    public, private, anchor = (DirectoryStore(directory / name) for name in ("log", "log.private", "anchor"))
    return public, private, Signer(signing_key(ORIGIN, SEED), anchor)


def _sequencer(directory: Path) -> Any:
    from tiles.write.sequencer import Sequencer

    sequencer = Sequencer(*log_parts(directory))
    sequencer.create()
    return sequencer


WORKERS = {
    worker.__name__: worker
    for worker in (
        tiletree_publish, tiletree_indexed, tiletree_audit,
        scales_publish, aics_publish, aics_audit, hashing, raw_files,
    )
}  # fmt: skip


def main() -> None:
    """Run one worker, and print what it took."""
    name, directory, entries, size = sys.argv[1:]
    cpu = time.process_time()
    seconds = WORKERS[name](Path(directory), int(entries), int(size))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"seconds": seconds, "cpu": time.process_time() - cpu, "peak": peak}))


if __name__ == "__main__":
    main()
