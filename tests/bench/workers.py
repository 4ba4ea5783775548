"""One thing to measure, in a process of its own: `workers NAME DIRECTORY ENTRIES BATCH` prints JSON.

The clock runs from the first entry handed over to the last one published (for an audit: from the open log to the
verdict); starting Python and making the entries is outside. Entries are 200 bytes, the same for everyone.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from tests.bench.given import ENTRY_SIZE, ORIGIN, SEED, batches, index_of, peak_of, timed


def tiletree_publish(directory: Path, entries: int, size: int) -> float:
    """Publish with the library, a batch once the one before is published."""
    sequencer = new_sequencer(directory)
    return timed(sequencer.append, entries, size)


def tiletree_publish_all(directory: Path, entries: int, size: int) -> float:
    """Publish with the library, which prepares a batch while the one before is published; all were made before."""
    sequencer = new_sequencer(directory)
    made = deque(batches(entries, size))
    started = time.perf_counter()
    for _ in sequencer.append_all(lambda _size: made.popleft() if made else []):
        pass
    return time.perf_counter() - started


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


def hashing(_directory: Path, entries: int, size: int) -> float:
    """Hash leaves and nodes, and nothing else: what no writer in Python can be faster than."""
    from tiles.tree.merkle import HASH_SIZE, flat_leaves, flat_parents

    def hash_all(batch: list[bytes]) -> None:
        hashes = flat_leaves(batch)
        while len(hashes) > HASH_SIZE:
            hashes = flat_parents(hashes)

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


def tiletree_prove(directory: Path, proofs: int, _size: int) -> float:
    """Make proofs with one client, which believes a tile once it leads to the checkpoint, and keeps those it read."""
    from tiles.notes.keys import signing_key
    from tiles.notes.policy import policy_for
    from tiles.read.client import LogClient
    from tiles.read.fetcher import open_log

    client = LogClient(open_log(str(directory / "log")), policy_for(signing_key(ORIGIN, SEED).verifier))
    size = client.tree.size
    started = time.perf_counter()
    for number in range(proofs):
        client.prove(index_of(number, size))
    return time.perf_counter() - started


def tiletree_verify(directory: Path, proofs: int, _size: int) -> float:
    """Verify the text of proofs, each of another checkpoint, with a policy that was parsed before."""
    from tiles.notes.tlog_proof import parse_tlog_proof, verify_tlog_proof

    texts, leaves, policy = given_proofs(directory)
    started = time.perf_counter()
    for number in range(proofs):
        which = number % len(texts)
        verify_tlog_proof(parse_tlog_proof(texts[which]), leaves[which], policy)
    return time.perf_counter() - started


def given_proofs(directory: Path) -> tuple[list[bytes], list[Any], Any]:
    """Return what `make_proofs` wrote: the texts of proofs, the leaf hash of each, and the policy."""
    from tiles.notes.encoding import decode_base64
    from tiles.notes.policy import parse_policy
    from tiles.tree.merkle import to_hash

    leaves = [to_hash(decode_base64(line, "leaf")) for line in (directory / "leaves").read_text().splitlines()]
    texts = [(directory / str(number)).read_bytes() for number in range(len(leaves))]
    return texts, leaves, parse_policy((directory / "policy").read_bytes())


def make_proofs(directory: Path, proofs: int, _size: int) -> float:
    """Write proofs of entries of a log, each with a checkpoint that says something else of the same tree."""
    from tiles.notes.checkpoint import Checkpoint, sign_checkpoint
    from tiles.notes.encoding import encode_base64
    from tiles.notes.keys import signing_key
    from tiles.notes.policy import policy_for
    from tiles.notes.tlog_proof import TlogProof
    from tiles.read.client import LogClient
    from tiles.read.fetcher import open_log
    from tiles.tree.merkle import leaf_hash

    key = signing_key(ORIGIN, SEED)
    client = LogClient(open_log(str(directory / "log")), policy_for(key.verifier))
    target = directory / "proofs"
    target.mkdir()
    leaves = []
    for number in range(proofs):
        index = index_of(number, client.tree.size)
        leaves.append(encode_base64(leaf_hash(client.entry(index))) + "\n")
        signed = sign_checkpoint(Checkpoint(ORIGIN, client.tree, (f"number {number}",)), key)
        (target / str(number)).write_bytes(TlogProof(index, client.prove(index).hashes, signed).data)
    (target / "leaves").write_text("".join(leaves))
    (target / "policy").write_text(f"log {key.verifier.vkey}\nquorum none\n")
    return 0.0


def log_parts(directory: Path) -> tuple[Any, Any, Any]:
    """Return the two stores and the signer of a log in a directory."""
    from tiles.notes.keys import signing_key
    from tiles.signing.signer import Signer
    from tiles.store.directory import DirectoryStore

    public, private, anchor = (DirectoryStore(directory / name) for name in ("log", "log.private", "anchor"))
    return public, private, Signer(signing_key(ORIGIN, SEED), anchor)


def new_sequencer(directory: Path) -> Any:
    """Return the sequencer of a new log in a directory."""
    from tiles.write.sequencer import Sequencer

    sequencer = Sequencer(*log_parts(directory))
    sequencer.create()
    return sequencer


WORKERS = {
    worker.__name__: worker
    for worker in (
        tiletree_publish, tiletree_publish_all, tiletree_indexed, tiletree_prove, tiletree_verify, make_proofs,
        scales_publish, hashing, raw_files,
    )
}  # fmt: skip
HELD = {"tiletree_publish_all": ENTRY_SIZE + 41}  # bytes an entry that the worker made before the clock


def main() -> None:
    """Run one worker, and print what it took."""
    name, directory, entries, size = sys.argv[1:]
    cpu = time.process_time()
    seconds = WORKERS[name](Path(directory), int(entries), int(size))
    held = HELD.get(name, 0) * int(entries)
    print(json.dumps({"seconds": seconds, "cpu": time.process_time() - cpu, "peak": peak_of() - held}))


if __name__ == "__main__":
    main()
