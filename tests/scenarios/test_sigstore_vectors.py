"""Real Sigstore bundles get the verdict in their folder's name, as far as the log decides it.

Sigstore bundles are read here, in as few lines as this needs; a reader of the format is not part of the core.
"""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from tests.support.sigstore_bundles import REKOR, entry_of, log_key
from tiles.errors import LogError, Malformed, PolicyError, ProofError, SignatureError
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.keys import ecdsa_key
from tiles.notes.note import verify_note
from tiles.notes.policy import parse_policy, policy_for
from tiles.notes.tlog_proof import TlogProof, parse_tlog_proof, verify_tlog_proof
from tiles.tree.merkle import Hash, TreeHead, leaf_hash
from tiles.tree.proof import verify_inclusion

# the witnesses' own published keys
WITNESSES = (
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
    "staging.witness.transparency.goog/ring-any-bells+2e1a8dc9+BG5JTpLc3FJtwzgh1Uv+Qelz9qeOH2bfWjS1s0s+y4rL",
    "witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G",
)

REKOR_V2 = ["rekor2-checkpoint-cosigned", "rekor2-checkpoint-origin-not-first", "rekor2-dsse-happy-path"]
REKOR_V2 += ["rekor2-happy-path"]
GOOD = [*REKOR_V2, "happy-path-v0.3", "managed-key-happy-path"]
BAD: dict[str, type[LogError]] = {
    "rekor2-checkpoint-missing-root-hash_fail": Malformed,
    "rekor2-checkpoint-missing-size_fail": Malformed,
    "rekor2-no-inclusion-proof_fail": Malformed,
    "checkpoint-wrong-roothash_fail": ProofError,  # a checkpoint of the same log, rightly signed, of another size
    "inclusion-proof-corrupted-hash_fail": ProofError,
}
ABOVE_THE_LOG = "managed-key-wrong-key_fail"


def proof_of(entry: dict[str, Any]) -> TlogProof:
    """Return the inclusion proof in an entry, with its checkpoint. Raises Malformed."""
    if "inclusionProof" not in entry:
        raise Malformed("bundle", "no inclusion proof")
    proof = entry["inclusionProof"]
    checkpoint = parse_signed_checkpoint(proof["checkpoint"]["envelope"].encode())
    hashes = tuple(Hash(b64decode(hash_)) for hash_ in proof.get("hashes", []))
    return TlogProof(int(proof["logIndex"]), hashes, checkpoint)


def verify_at_log_level(folder: Path) -> None:
    """Verify what the log says in a bundle. Raises LogError."""
    entry = entry_of(folder)
    proof = proof_of(entry)
    key = log_key(folder, entry)
    leaf = leaf_hash(b64decode(entry["canonicalizedBody"]))
    if key is REKOR:
        # Rekor v1 is older than the rule that the key is named as the origin ("rekor.sigstore.dev - <tree id>"), so no
        # policy accepts it: its note is verified as a note
        verify_note(proof.checkpoint.note, [key])
        verify_inclusion(leaf, proof.index, proof.checkpoint.tree, proof.hashes)
    else:
        verify_tlog_proof(parse_tlog_proof(proof.data), leaf, policy_for(key))


@pytest.mark.parametrize("name", GOOD)
def test_good(name: str, shared_vectors: Path) -> None:
    """A good bundle's checkpoint and inclusion proof verify, wherever the log's line stands and whoever else signed."""
    verify_at_log_level(shared_vectors / "sigstore-bundles" / name)


@pytest.mark.parametrize(("name", "error"), BAD.items(), ids=BAD)
def test_bad(name: str, error: type[LogError], shared_vectors: Path) -> None:
    """A bundle that a log-level check must refuse is refused, and by the check that it is about."""
    with pytest.raises(error):
        verify_at_log_level(shared_vectors / "sigstore-bundles" / name)


def test_wrong_above_the_log(shared_vectors: Path) -> None:
    """A bundle that is bad for its artifact's signature only is good here: the log says what was logged, not who may
    sign the artifact."""
    folder = shared_vectors / "sigstore-bundles" / ABOVE_THE_LOG
    verify_at_log_level(folder)
    assert (folder / "key.pub").read_bytes() != (folder.parent / "managed-key-happy-path" / "key.pub").read_bytes()
    assert entry_of(folder) == entry_of(folder.parent / "managed-key-happy-path")


def test_every_folder_is_tested(shared_vectors: Path) -> None:
    """No bundle is left out, and names say what is expected."""
    folders = {path.name for path in (shared_vectors / "sigstore-bundles").iterdir() if path.is_dir()}
    assert folders == {*GOOD, *BAD, ABOVE_THE_LOG}
    assert {name for name in folders if name.endswith("_fail")} == {*BAD, ABOVE_THE_LOG}


@pytest.mark.parametrize("name", [*GOOD, ABOVE_THE_LOG])
def test_every_hash_counts(name: str, shared_vectors: Path) -> None:
    """With any hash of a real proof, its leaf, index, size or root changed it is refused."""
    entry = entry_of(shared_vectors / "sigstore-bundles" / name)
    proof = proof_of(entry)
    tree = proof.checkpoint.tree
    leaf = leaf_hash(b64decode(entry["canonicalizedBody"]))
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
