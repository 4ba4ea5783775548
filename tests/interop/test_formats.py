"""Cosignatures of both kinds and proofs: github.com/transparency-dev/formats and tiletree agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.peers import ORIGIN, SIZES, Build, Logs, line
from tests.support.other_logs import ct_key, static_ct
from tiles.errors import PolicyError, SignatureError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint, with_signatures
from tiles.notes.cosignature import cosign
from tiles.notes.keys import SignatureType, SigningKey, parse_vkey, signing_key
from tiles.notes.policy import parse_policy, policy_for
from tiles.notes.tlog_proof import parse_tlog_proof
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.signing.key_file import write_key
from tiles.tree.merkle import leaf_hash

pytestmark = pytest.mark.interop

TIME = 1_700_000_000
KINDS = [SignatureType.COSIGNATURE, SignatureType.MLDSA44]


def witness(kind: SignatureType) -> SigningKey:
    """Return the key of a witness."""
    return signing_key("witness.example.com", bytes(range(32)), kind)


def checkpoint(logs: Logs, size: int) -> SignedCheckpoint:
    """Return the published checkpoint of a size."""
    return parse_signed_checkpoint((logs.at(size) / "checkpoint").read_bytes())


def cosigned(signed: SignedCheckpoint, key: SigningKey, path: Path) -> Path:
    """Write the checkpoint with one more signature, ours."""
    signature = cosign(signed.checkpoint, key, TIME)
    path.write_bytes(with_signatures(signed.checkpoint, [*signed.note.signatures, signature]).data)
    return path


def policy_file(logs: Logs, key: SigningKey, path: Path) -> Path:
    """Write a policy: the log, and one witness."""
    lines = [f"log {logs.vkey}", f"witness w {key.verifier.vkey} https://witness.example.com", "quorum w", ""]
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_we_accept_their_cosignatures(
    program: Build, logs: Logs, tmp_path: Path, kind: SignatureType, size: int
) -> None:
    """What their signer makes with our key file meets our policy, which nothing less does."""
    key = witness(kind)
    write_key(tmp_path / "key", key)
    policy = parse_policy(policy_file(logs, key, tmp_path / "policy").read_bytes())
    with pytest.raises(PolicyError):
        policy.accept(checkpoint(logs, size))
    theirs = program("formats")("cosign", tmp_path / "key", logs.at(size) / "checkpoint")
    (cosignature,) = policy.accept(parse_signed_checkpoint(theirs), ORIGIN).cosignatures
    assert cosignature.key == key.verifier
    assert cosignature.timestamp > TIME


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_they_accept_our_cosignatures(
    program: Build, logs: Logs, tmp_path: Path, kind: SignatureType, size: int
) -> None:
    """Our cosignature meets the quorum of a policy file as they read it, which nothing less does."""
    key = witness(kind)
    policy = policy_file(logs, key, tmp_path / "policy")
    assert "quorum is not met" in program("formats").refuses("accept", policy, logs.at(size) / "checkpoint")
    program("formats")("accept", policy, cosigned(checkpoint(logs, size), key, tmp_path / "checkpoint"))


@pytest.mark.parametrize("kind", KINDS)
def test_both_refuse_a_cosignature_of_something_else(
    program: Build, logs: Logs, tmp_path: Path, kind: SignatureType
) -> None:
    """A cosignature moved to another checkpoint is wrong for both."""
    key = witness(kind)
    policy = policy_file(logs, key, tmp_path / "policy")
    older, newer = checkpoint(logs, 256), checkpoint(logs, 257)
    moved = with_signatures(newer.checkpoint, [*newer.note.signatures, cosign(older.checkpoint, key, TIME)])
    (tmp_path / "checkpoint").write_bytes(moved.data)
    assert "quorum is not met" in program("formats").refuses("accept", policy, tmp_path / "checkpoint")
    with pytest.raises(SignatureError):
        parse_policy(policy.read_bytes()).accept(moved)


@pytest.mark.parametrize("size", SIZES)
def test_ml_dsa_is_a_statement_about_a_subtree(program: Build, logs: Logs, tmp_path: Path, size: int) -> None:
    """Our ML-DSA-44 cosignature is, for them, one of the subtree [0, size), with our timestamp."""
    key = witness(SignatureType.MLDSA44)
    path = cosigned(checkpoint(logs, size), key, tmp_path / "checkpoint")
    assert program("formats")("subtree", key.verifier.vkey, path) == f"{TIME}\n".encode()
    other = signing_key(key.name, bytes(32), SignatureType.MLDSA44)
    assert "no signature of this key" in program("formats").refuses("subtree", other.verifier.vkey, path)


@pytest.mark.parametrize("extra", [b"", b"\xffextra"])
@pytest.mark.parametrize("size", SIZES[1:])
def test_they_verify_our_proofs(program: Build, logs: Logs, tmp_path: Path, size: int, extra: bytes) -> None:
    """Their parser and verifier take our tlog-proof, they format it as we do, and refuse it for another entry."""
    client = LogClient(open_log(str(logs.at(size))), policy_for(parse_vkey(logs.vkey)))
    path = tmp_path / "proof"
    for index in sorted({0, size // 2, size - 1}):
        path.write_bytes(client.prove(index, extra).data)
        again = program("formats")("verify", path, leaf_hash(line(index)).hex(), logs.vkey)
        assert again == path.read_bytes()
        assert parse_tlog_proof(again).extra == extra
        wrong = leaf_hash(b"something else").hex()
        assert "refused: inclusion" in program("formats").refuses("verify", path, wrong, logs.vkey)


def test_they_verify_tree_heads_as_we_do(program: Build, tmp_path: Path) -> None:
    """A tree head of RFC 6962, and the vkey of its key, are good for both; a damaged one is for neither."""
    path = tmp_path / "checkpoint"
    path.write_bytes(static_ct(3)["checkpoint"])
    program("formats")("treehead", ct_key().vkey, path)
    policy_for(ct_key()).accept(parse_signed_checkpoint(path.read_bytes()))
    path.write_bytes(path.read_bytes().replace(b"\n3\n", b"\n4\n"))
    assert "refused: checkpoint" in program("formats").refuses("treehead", ct_key().vkey, path)
    with pytest.raises(SignatureError):
        policy_for(ct_key()).accept(parse_signed_checkpoint(path.read_bytes()))
