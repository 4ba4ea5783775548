"""What a client of Rekor is told of an entry: where it is in the log, and what shows that (TransparencyLogEntry,
https://github.com/sigstore/protobuf-specs, sigstore_rekor.proto).
"""

from __future__ import annotations

from tiles.notes.keys import VerifierKey
from tiles.notes.tlog_proof import TlogProof
from tiles.sigstore.bundle import EntryProof, LogEntry
from tiles.sigstore.hashedrekord import KIND, VERSION


def log_entry(entry: bytes, proof: TlogProof, key: VerifierKey) -> LogEntry:
    """Return what is told of an entry (hashedrekord 0.0.2) of which this is the proof, in the log of that key."""
    tree = proof.checkpoint.tree
    shown = EntryProof(proof.index, tree.size, tree.root, proof.hashes, proof.checkpoint.data)
    return LogEntry(proof.index, key.log_id, KIND, VERSION, entry, shown)
