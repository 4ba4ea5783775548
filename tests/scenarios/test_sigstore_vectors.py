"""Checkpoints and inclusion proofs of real Sigstore bundles, judged as notes, policies and tlog-proofs judge them.

The verdict on each bundle as a whole is in tests/sigstore/test_verdicts.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.rekor_bundles import REKOR, entry_of, log_key
from tiles.errors import PolicyError, ProofError, SignatureError
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.keys import ecdsa_key
from tiles.notes.note import verify_note
from tiles.notes.policy import parse_policy, policy_for
from tiles.notes.tlog_proof import TlogProof, parse_tlog_proof, verify_tlog_proof
from tiles.sigstore.bundle import LogEntry
from tiles.tree.merkle import TreeHead, leaf_hash
from tiles.tree.proof import verify_inclusion

# the witnesses' own published keys
WITNESSES = (
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
    "staging.witness.transparency.goog/ring-any-bells+2e1a8dc9+BG5JTpLc3FJtwzgh1Uv+Qelz9qeOH2bfWjS1s0s+y4rL",
    "witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G",
)

GOOD = [
    "rekor2-checkpoint-cosigned",
    "rekor2-checkpoint-origin-not-first",
    "rekor2-dsse-happy-path",
    "rekor2-happy-path",
    "happy-path-v0.3",
    "managed-key-happy-path",
    "managed-key-wrong-key_fail",  # which the log does not know: it says what was logged, not who may sign
]


def proof_of(entry: LogEntry) -> TlogProof:
    """Return the inclusion proof in an entry, with its checkpoint."""
    assert entry.proof is not None
    return TlogProof(entry.proof.index, entry.proof.hashes, parse_signed_checkpoint(entry.proof.checkpoint))


@pytest.mark.parametrize("name", GOOD)
def test_good(name: str, shared_vectors: Path) -> None:
    """A good bundle's checkpoint and proof verify as a tlog-proof, wherever the log's line stands, whoever cosigned."""
    folder = shared_vectors / "sigstore-bundles" / name
    entry = entry_of(folder)
    proof, key = proof_of(entry), log_key(folder, entry)
    if key == REKOR:
        # Rekor v1 is older than the rule that the key is named as the origin ("rekor.sigstore.dev - <tree id>"), so no
        # policy accepts it: its note is verified as a note
        verify_note(proof.checkpoint.note, [key])
    else:
        verify_tlog_proof(parse_tlog_proof(proof.data), leaf_hash(entry.body), policy_for(key))


@pytest.mark.parametrize("name", GOOD)
def test_every_hash_counts(name: str, shared_vectors: Path) -> None:
    """With any hash of a real proof, its leaf, index, size or root changed it is refused."""
    entry = entry_of(shared_vectors / "sigstore-bundles" / name)
    proof = proof_of(entry)
    tree = proof.checkpoint.tree
    leaf = leaf_hash(entry.body)
    other = leaf_hash(b"another entry")
    verify_inclusion(leaf, proof.index, tree, proof.hashes)
    changed = [
        (leaf, proof.index, tree, (*proof.hashes[:at], other, *proof.hashes[at + 1 :]))
        for at in range(len(proof.hashes))
    ]
    changed += [
        (other, proof.index, tree, proof.hashes),
        (leaf, proof.index - 1, tree, proof.hashes),
        (leaf, proof.index, TreeHead(2 * tree.size, tree.root), proof.hashes),
        (leaf, proof.index, TreeHead(tree.size, other), proof.hashes),
    ]
    for arguments in changed:
        with pytest.raises(ProofError):
            verify_inclusion(*arguments)


def test_real_cosignatures(shared_vectors: Path) -> None:
    """A real checkpoint with three witnesses' cosignatures meets a quorum of all three, and of no fourth."""
    folder = shared_vectors / "sigstore-bundles" / "rekor2-dsse-happy-path"
    entry = entry_of(folder)
    signed = proof_of(entry).checkpoint
    lines = [f"log {log_key(folder, entry).vkey}", *(f"witness w{n} {key}" for n, key in enumerate(WITNESSES))]
    policy = parse_policy("\n".join([*lines, "group all all w0 w1 w2", "quorum all\n"]).encode())
    accepted = policy.accept(signed, "log2025-alpha3.rekor.sigstage.dev")
    assert [cosignature.key.vkey for cosignature in accepted.cosignatures] == list(WITNESSES)
    assert [cosignature.timestamp for cosignature in accepted.cosignatures] == [1_778_700_214] * 3
    fourth = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
    lines += [f"witness w3 {fourth}", "group all all w0 w1 w2 w3", "quorum all\n"]
    with pytest.raises(PolicyError, match="3 of its 4 witnesses have cosigned, missing w3"):
        parse_policy("\n".join(lines).encode()).accept(signed)


def test_rekor_v1_and_policies(shared_vectors: Path) -> None:
    """A policy needs the key to be named as the origin, which Rekor v1's is not; a wrong key is refused either way."""
    signed = proof_of(entry_of(shared_vectors / "sigstore-bundles" / "happy-path-v0.3")).checkpoint
    with pytest.raises(PolicyError, match=r"no log of the policy has the origin 'rekor\.sigstore\.dev - "):
        policy_for(REKOR).accept(signed)
    with pytest.raises(SignatureError):
        verify_note(signed.note, [ecdsa_key("other", REKOR.public)])
