"""What a client of Rekor is told of an entry: where it is in the log, and what shows that (TransparencyLogEntry,
https://github.com/sigstore/protobuf-specs, sigstore_rekor.proto).
"""

from __future__ import annotations

from collections.abc import Sequence

from tiles.errors import AccessError
from tiles.log import Log
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import policy_for
from tiles.notes.tlog_proof import TlogProof
from tiles.read.client import LogClient
from tiles.sigstore.body import kind_and_version
from tiles.sigstore.bundle import EntryProof, LogEntry
from tiles.store import StoreFetcher
from tiles.tree.merkle import TreeHead, leaf_hash
from tiles.tree.proof import verify_inclusion
from tiles.write.results import Appended


def log_entry(entry: bytes, proof: TlogProof, key: VerifierKey) -> LogEntry:
    """Return what is told of an entry of one of Rekor's kinds, of which this is the proof, in the log of that key.

    Raises Malformed for an entry of another kind.
    """
    tree = proof.checkpoint.tree
    shown = EntryProof(proof.index, tree.size, tree.root, proof.hashes, proof.checkpoint.data)
    return LogEntry(proof.index, key.log_id, *kind_and_version(entry), entry, shown)


def proven(client: LogClient, index: int, entry: bytes) -> TlogProof:
    """Return the proof, verified, that an entry is at an index of the log as the client has last seen it."""
    proof = client.prove(index)
    verify_inclusion(leaf_hash(entry), index, proof.checkpoint.tree, proof.hashes)
    return proof


def own_proofs(log: Log, entries: Sequence[bytes], appended: Appended) -> tuple[list[TlogProof], TreeHead]:
    """Return the proofs of entries that a log took, and the tree to which they lead: read as a reader would, verified.

    appended   how the log took them
    """
    client = LogClient(StoreFetcher(log.public), policy_for(log.verifier), origin=log.verifier.name)
    visit_published(client, appended.checkpoint.tree.size)
    proofs = [proven(client, index, entry) for entry, index in zip(entries, appended.indexes, strict=True)]
    return proofs, client.tree


def visit_published(client: LogClient, size: int) -> None:
    """Have a client read the checkpoint. Raises AccessError if it is of a smaller tree than was published."""
    shown = client.visit().signed.tree.size
    if shown < size:
        raise AccessError(
            f"{client.fetcher.url} still shows size {shown}, {size} was published",
            hint="what was to be logged is logged; the same call finds it",
        )
