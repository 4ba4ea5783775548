"""What a client of Rekor is told of an entry: where it is in the log, and what shows that (TransparencyLogEntry,
https://github.com/sigstore/protobuf-specs, sigstore_rekor.proto).
"""

from __future__ import annotations

from tiles.errors import AccessError
from tiles.notes.keys import VerifierKey
from tiles.notes.tlog_proof import TlogProof
from tiles.read.client import LogClient
from tiles.sigstore.bundle import EntryProof, LogEntry
from tiles.sigstore.hashedrekord import KIND, VERSION
from tiles.tree.merkle import leaf_hash
from tiles.tree.proof import verify_inclusion


def log_entry(entry: bytes, proof: TlogProof, key: VerifierKey) -> LogEntry:
    """Return what is told of an entry (hashedrekord 0.0.2) of which this is the proof, in the log of that key."""
    tree = proof.checkpoint.tree
    shown = EntryProof(proof.index, tree.size, tree.root, proof.hashes, proof.checkpoint.data)
    return LogEntry(proof.index, key.log_id, KIND, VERSION, entry, shown)


def proven(client: LogClient, index: int, entry: bytes) -> TlogProof:
    """Return the proof, verified, that an entry is at an index of the log as the client has last seen it."""
    proof = client.prove(index)
    verify_inclusion(leaf_hash(entry), index, proof.checkpoint.tree, proof.hashes)
    return proof


def visit_published(client: LogClient, size: int) -> None:
    """Have a client read the checkpoint. Raises AccessError if it is of a smaller tree than was published."""
    shown = client.visit().signed.tree.size
    if shown < size:
        raise AccessError(
            f"{client.fetcher.url} still shows size {shown}, {size} was published",
            hint="what was to be logged is logged; the same call finds it",
        )
