"""Torchwood, filippo.io/torchwood, and tiletree agree on checkpoints, policies, proofs and cosignatures."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from tests.interop.peers import ORIGIN, SIZES, Build, Logs, line, make_wrong
from tiles.errors import PolicyError
from tiles.notes.checkpoint import parse_signed_checkpoint, with_signatures
from tiles.notes.cosignature import cosign
from tiles.notes.keys import SignatureType, parse_vkey, signing_key
from tiles.notes.policy import parse_policy, policy_for
from tiles.notes.tlog_proof import parse_tlog_proof, verify_tlog_proof
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.tree.merkle import leaf_hash

pytestmark = pytest.mark.interop

WITNESSES = [
    signing_key(f"witness{number}.example.com", bytes([number]) * 32, SignatureType.COSIGNATURE)
    for number in range(1, 4)
]


def policy_file(directory: Path, logs: Logs, quorum: int) -> Path:
    """Write a policy: the log, and so many of three witnesses."""
    path = directory / f"policy-{quorum}"
    witnesses = [f"witness w{number} {key.verifier.vkey}" for number, key in enumerate(WITNESSES)]
    text = [f"log {logs.vkey}", *witnesses, f"group g {quorum} w0 w1 w2", "quorum g"]
    path.write_text("\n".join([*text, ""]))
    return path


@pytest.mark.parametrize("size", SIZES)
def test_they_read_what_we_write(program: Build, logs: Logs, size: int) -> None:
    """Their client accepts the checkpoint by a policy file, and authenticates and reads every entry."""
    entries = sha256()
    for index in range(size):
        entries.update(len(line(index)).to_bytes(8, "big") + line(index))
    found = program("torchwood").json("read", logs.at(size), logs.policy)
    assert found == {"size": size, "sha256": entries.hexdigest()}


@pytest.mark.parametrize("size", SIZES[1:])
def test_proofs_are_the_same_bytes(program: Build, logs: Logs, size: int) -> None:
    """Both format the same tlog-proof of an entry."""
    client = LogClient(open_log(str(logs.at(size))), policy_for(parse_vkey(logs.vkey)))
    indexes = sorted({*range(0, size, max(1, size // 60)), size - 1})
    theirs = program("torchwood")("prove", logs.at(size), logs.policy, *indexes).splitlines()
    assert [json.loads(proof) for proof in theirs] == [client.prove(index).data.decode() for index in indexes]


@pytest.mark.parametrize("extra", [b"", b"\x00extra data"])
def test_they_verify_our_proofs(program: Build, logs: Logs, tmp_path: Path, extra: bytes) -> None:
    """Their VerifyProof accepts our file, finds the extra data, and refuses another entry, index or checkpoint."""
    client = LogClient(open_log(str(logs.at(257))), policy_for(parse_vkey(logs.vkey)))
    proof, leaf = client.prove(100, extra).data, leaf_hash(line(100)).hex()
    path = tmp_path / "proof"
    path.write_bytes(proof)
    assert program("torchwood")("verify", logs.policy, path, leaf) == (extra + b"\n" if extra else b"")
    other = leaf_hash(line(101)).hex()
    assert "inclusion proof verification failed" in program("torchwood").refuses("verify", logs.policy, path, other)
    path.write_bytes(proof.replace(b"index 100\n", b"index 101\n"))
    assert "inclusion proof verification failed" in program("torchwood").refuses("verify", logs.policy, path, leaf)
    path.write_bytes(proof.replace(b"\n257\n", b"\n256\n"))
    assert "invalid signature" in program("torchwood").refuses("verify", logs.policy, path, leaf)


def test_we_verify_their_proofs(program: Build, logs: Logs) -> None:
    """Our parser takes their file, and it verifies."""
    found = json.loads(program("torchwood")("prove", logs.at(70_000), logs.policy, 65_535))
    proof = parse_tlog_proof(found.encode())
    verify_tlog_proof(proof, leaf_hash(line(65_535)), policy_for(parse_vkey(logs.vkey)))


@pytest.mark.parametrize("quorum", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_policies_mean_the_same(program: Build, logs: Logs, tmp_path: Path, quorum: int, count: int) -> None:
    """A checkpoint with some of our cosignatures is accepted by both, or by neither."""
    policy = policy_file(tmp_path, logs, quorum)
    signed = parse_signed_checkpoint((logs.at(257) / "checkpoint").read_bytes())
    cosignatures = [cosign(signed.checkpoint, key, 1_700_000_000) for key in WITNESSES[:count]]
    signed = with_signatures(signed.checkpoint, [*signed.note.signatures, *cosignatures])
    path = tmp_path / "checkpoint"
    path.write_bytes(signed.data)
    if count >= quorum:
        program("torchwood")("accept", policy, path)
        assert len(parse_policy(policy.read_bytes()).accept(signed, ORIGIN).cosignatures) == count
    else:
        assert "policy components satisfied" in program("torchwood").refuses("accept", policy, path)
        with pytest.raises(PolicyError):
            parse_policy(policy.read_bytes()).accept(signed, ORIGIN)


def test_they_refuse_our_cosignature_of_something_else(program: Build, logs: Logs, tmp_path: Path) -> None:
    """A cosignature moved to another checkpoint is wrong."""
    older, newer = (parse_signed_checkpoint((logs.at(size) / "checkpoint").read_bytes()) for size in (256, 257))
    moved = cosign(older.checkpoint, WITNESSES[0], 1_700_000_000)
    path = tmp_path / "checkpoint"
    path.write_bytes(with_signatures(newer.checkpoint, [*newer.note.signatures, moved]).data)
    assert "invalid signature" in program("torchwood").refuses("accept", policy_file(tmp_path, logs, 1), path)


@pytest.mark.parametrize("size", SIZES)
def test_we_accept_their_cosignatures(program: Build, logs: Logs, tmp_path: Path, size: int) -> None:
    """What their cosigner adds to our checkpoint meets our policy, and nothing less does."""
    path = tmp_path / "checkpoint"
    path.write_bytes((logs.at(size) / "checkpoint").read_bytes())
    policy = parse_policy(policy_file(tmp_path, logs, 2).read_bytes())
    for key in WITNESSES[:2]:
        with pytest.raises(PolicyError):
            policy.accept(parse_signed_checkpoint(path.read_bytes()))
        (tmp_path / "key").write_text(f"{key.name} {key.seed.hex()}\n")
        path.write_bytes(program("torchwood")("cosign", tmp_path / "key", path))
    accepted = policy.accept(parse_signed_checkpoint(path.read_bytes()), ORIGIN)
    assert [cosignature.key for cosignature in accepted.cosignatures] == [key.verifier for key in WITNESSES[:2]]
    assert all(cosignature.timestamp > 1_700_000_000 for cosignature in accepted.cosignatures)


@pytest.mark.parametrize(
    ("what", "complaint"),
    [
        ("tile", "refused: entries: .*inconsistent tile"),
        ("partial tile", "refused: entries: .*inconsistent tile"),
        ("entry", "refused: entries: hash mismatch for entry 0"),
        ("length of an entry", "refused: entries: "),
        ("signature", "refused: checkpoint: .*invalid signature for key"),
        ("signed root", "refused: entries: .*inconsistent tile"),
    ],
)
def test_they_refuse(program: Build, logs: Logs, tmp_path: Path, what: str, complaint: str) -> None:
    """What is wrong with a log is noticed, so that the tests above can fail."""
    log = make_wrong(what, logs, tmp_path)
    assert re.search(complaint, program("torchwood").refuses("read", log, logs.policy))
