"""`tiletree verify`: what it verifies, offline, and by whose key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, WITNESS, Command
from tiles.notes.checkpoint import with_signatures
from tiles.notes.cosignature import cosign
from tiles.notes.keys import signing_key
from tiles.notes.tlog_proof import TlogProof, parse_tlog_proof


def test_verify_says_what_it_verified(tiletree: Command, log: str) -> None:
    """`verify --json` is exactly verified, index, size, origin, trust, matched."""
    assert tiletree.ok("verify", "a", "--proof", "p", "--vkey", log) == {
        "verified": True,
        "index": 0,
        "size": 2,
        "origin": ORIGIN,
        "trust": "pinned",
        "matched": "file",
    }


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536])
def test_files_of_every_size(tiletree: Command, log: str, size: int) -> None:
    """Files around the limits of an entry are added, proved and verified alike."""
    Path("f").write_bytes(b"f" * size)
    index = tiletree.ok("add", "log", "f", "--key", "k")["entries"][0]["index"]
    tiletree.ok("prove", "log", "f", "-o", "q", "--vkey", log)
    document = tiletree.ok("verify", "f", "--proof", "q", "--vkey", log)
    assert (document["index"], document["matched"]) == (index, "file")


def test_verification_that_fails_exits_1(tiletree: Command, log: str) -> None:
    """A changed file, another log's key, a cut or garbled proof: exit code 1, and the document says not verified."""
    other = signing_key(ORIGIN, bytes(32)).verifier.vkey
    Path("changed").write_bytes(b"content of A\n")
    Path("garbage").write_bytes(b"\xff\x00")
    Path("cut").write_bytes(Path("p").read_bytes()[:-1])
    for file, proof, vkey in (("changed", "p", log), ("a", "p", other), ("a", "garbage", log), ("a", "cut", log)):
        done = tiletree("verify", file, "--proof", proof, "--vkey", vkey, "--json")
        assert done.code == 1
        assert done.json["verified"] is False
        assert done.json["error"]["message"]


def test_policy_with_a_quorum(tiletree: Command, log: str) -> None:
    """A policy whose quorum the proof's cosignatures do not meet: 1; and 0 when they do."""
    Path("policy").write_text(f"log {log}\nwitness w {WITNESS.verifier.vkey}\nquorum w\n")
    done = tiletree("verify", "a", "--proof", "p", "--policy", "policy", "--json")
    assert done.code == 1
    assert "quorum w is not met" in done.json["error"]["message"]
    assert tiletree("info", "log", "--policy", "policy").code == 1
    proof = parse_tlog_proof(Path("p").read_bytes())
    signed = proof.checkpoint
    lines = [*signed.note.signatures, cosign(signed.checkpoint, WITNESS, 1_700_000_000)]
    cosigned = TlogProof(proof.index, proof.hashes, with_signatures(signed.checkpoint, lines))
    Path("q").write_bytes(cosigned.data)
    assert tiletree.ok("verify", "a", "--proof", "q", "--policy", "policy")["verified"] is True
    refused = tiletree("add", "log", "a", "--key", "k", "--policy", "policy")
    assert refused.code == 4


def test_a_fork_is_evidence_that_anyone_can_check(tiletree: Command, log: str) -> None:
    """A second history under the same key: exit code 1, the evidence is kept, and verifies with one command."""
    tiletree.ok("info", "log", "--vkey", log)
    Path("log").rename("aside")
    Path("log.private").rename("aside.private")
    Path("k.anchor").rename("aside.anchor")
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")
    tiletree.ok("add", "log", "b", "a", "--key", "k")
    done = tiletree("info", "log", "--vkey", log, "--json")
    assert done.code == 1
    assert done.json["error"]["kind"] == "ForkError"
    (evidence,) = Path("home/XDG_STATE_HOME/tiletree/forks").iterdir()
    assert tiletree.ok("verify", "--fork", evidence, "--vkey", log)["verified"] is True
    assert tiletree("info", "log", "--vkey", log).code == 1  # and is not forgotten
