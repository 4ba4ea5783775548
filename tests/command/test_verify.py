"""`tiletree verify`: what it verifies, offline, and by whose key."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, WITNESS, Command
from tests.support.signed_bundles import write_bundle
from tests.support.signed_text import COSIGNATURE, key, sign
from tiles.notes.checkpoint import parse_signed_checkpoint, with_signatures
from tiles.notes.cosignature import cosign
from tiles.notes.keys import signing_key
from tiles.notes.tlog_proof import TlogProof, parse_tlog_proof
from tiles.tree.merkle import TreeHead


def test_verify_says_what_it_verified(tiletree: Command, log: str) -> None:
    """`verify --json` is exactly verified, index, size, origin, trust, matched, revocation; and the same in `files`."""
    check = {
        "index": 0,
        "size": 2,
        "origin": ORIGIN,
        "trust": "pinned",
        "matched": "file",
        "revocation": "not checked",
    }
    files = [{"file": "a", "verified": True, "checks": [{"by": "p", **check}]}]
    assert tiletree.ok("verify", "a", "--proof", "p", "--vkey", log) == {"verified": True, **check, "files": files}


def test_files_are_in_every_document(tiletree: Command, log: str) -> None:
    """Whether one file is named or several, with --proof or without, verified or not: a script looks at `files`."""
    Path("other").write_bytes(b"other")
    Path("garbage").write_bytes(b"garbage")
    Path("a.tlog-proof").write_bytes(Path("p").read_bytes())
    Path("b.tlog-proof").write_bytes(b"garbage")
    calls: dict[tuple[str, ...], tuple[int, list[tuple[str, bool]]]] = {
        ("a",): (0, [("a", True)]),
        ("a", "--proof", "p"): (0, [("a", True)]),
        ("other", "--proof", "p"): (1, [("other", False)]),
        ("a", "--proof", "garbage"): (1, [("a", False)]),
        ("b",): (1, [("b", False)]),
        ("other",): (3, [("other", False)]),
        ("b", "a", "other"): (1, [("b", False), ("a", True), ("other", False)]),
        ("a", "other", "--proof", "p"): (2, []),  # a proof is of one file: nothing was looked at
        ("a", "nothing"): (2, []),
    }
    for words, (code, files) in calls.items():
        done = tiletree("verify", *words, "--vkey", log, "--json")
        assert (done.code, [(each["file"], each["verified"]) for each in done.json["files"]]) == (code, files), words
        assert done.json["verified"] == (code == 0)
        assert all(("checks" in each) == each["verified"] == ("error" not in each) for each in done.json["files"])


def test_an_error_that_ends_the_call(tiletree: Command, log: str) -> None:
    """What is wrong with the call ends it at the first file; the files before it, and that one, are in the document."""
    Path("a.tlog-proof").write_bytes(Path("p").read_bytes())
    tiletree.ok("init", "other", "--origin", "other.example.com", "--key", "k2")
    tiletree.ok("key", "forget", "other")
    Path("c").write_bytes(b"c")
    tiletree.ok("add", "other", "c", "--key", "k2", "--proofs")
    tiletree.ok("key", "trust", "log", log)
    done = tiletree("verify", "a", "c", "b", "--json")
    assert done.code == 2
    assert [(each["file"], each["verified"]) for each in done.json["files"]] == [("a", True), ("c", False)]
    assert done.json["files"][1]["error"]["kind"] == "UsageError"


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
    """A second history under the same key: exit code 7, the evidence is kept, and verifies with one command."""
    tiletree.ok("info", "log", "--vkey", log)
    Path("log").rename("aside")
    Path("log.private").rename("aside.private")
    Path("k.anchor").rename("aside.anchor")
    Path("home").rename("reader")  # whoever has the key has seen nothing of the log that is read
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")
    tiletree.ok("add", "log", "b", "a", "--key", "k")
    shutil.rmtree("home")
    Path("reader").rename("home")
    done = tiletree("info", "log", "--vkey", log, "--json")
    assert done.code == 7
    assert done.json["error"]["kind"] == "ForkError"
    (evidence,) = Path("home/XDG_STATE_HOME/tiletree/forks").iterdir()
    verified = tiletree.ok("verify", "--fork", evidence, "--vkey", log)
    assert verified["verified"] is True
    assert verified["signed_by"] == [log]
    assert tiletree("info", "log", "--vkey", log).code == 7  # and is not forgotten


def test_a_fork_by_two_keys_says_both(tiletree: Command, log: str) -> None:
    """Evidence that takes two keys is not taken for one log's own fork."""
    other = key(ORIGIN, 9)
    Path("evidence").mkdir()
    signed = parse_signed_checkpoint(Path("log/checkpoint").read_bytes())
    Path("evidence/older").write_bytes(signed.data)
    changed = replace(signed.checkpoint, tree=TreeHead(signed.tree.size, bytes(32)))
    Path("evidence/newer").write_bytes(with_signatures(changed, [sign(changed, other)]).data)
    assert tiletree("verify", "--fork", "evidence", "--vkey", log).code == 1
    Path("policy").write_text(f"log {log}\nlog {other.verifier.vkey}\nquorum none\n")
    assert tiletree.ok("verify", "--fork", "evidence", "--policy", "policy")["signed_by"] == [log, other.verifier.vkey]
    text = tiletree("verify", "--fork", "evidence", "--policy", "policy").out
    assert "with two different keys" in text
    assert log in text
    assert other.verifier.vkey in text


def test_freshness_is_the_quorums(tiletree: Command, log: str) -> None:
    """Two of three witnesses of a year ago, and one of now: the time is that of a year ago, in text and in JSON."""
    witnesses = [key(f"w{number}.example.com", number, COSIGNATURE) for number in (11, 12, 13)]
    names = "".join(f"witness w{number} {by.verifier.vkey}\n" for number, by in enumerate(witnesses))
    Path("policy").write_text(f"log {log}\n{names}group g 2 w0 w1 w2\nquorum g\n")
    signed = parse_signed_checkpoint(Path("log/checkpoint").read_bytes())
    times = zip(witnesses, (1_000_000_000, 1_000_000_060, 1_800_000_000), strict=True)
    lines = [*signed.note.signatures, *(cosign(signed.checkpoint, by, time) for by, time in times)]
    Path("log/checkpoint").write_bytes(with_signatures(signed.checkpoint, lines).data)
    document = tiletree.ok("info", "log", "--policy", "policy")
    assert document["time"] == 1_000_000_060
    assert document["cosigned_by"] == [str(by.verifier) for by in witnesses]
    assert "2001-09-09 01:47:40 UTC" in tiletree("info", "log", "--policy", "policy").out
    assert "time" not in tiletree.ok("info", "log", "--vkey", log)
    tiletree.ok("prove", "log", "a", "--policy", "policy", "-o", "q")
    assert tiletree.ok("verify", "a", "--proof", "q", "--policy", "policy")["time"] == 1_000_000_060


@pytest.mark.parametrize("time", [1, 253_402_300_800, 2**63 - 1])
def test_times_that_no_calendar_has(tiletree: Command, log: str, time: int) -> None:
    """A witness may state any time: it is shown as a number where it is no date."""
    Path("policy").write_text(f"log {log}\nwitness w {WITNESS.verifier.vkey}\nquorum w\n")
    signed = parse_signed_checkpoint(Path("log/checkpoint").read_bytes())
    lines = [*signed.note.signatures, cosign(signed.checkpoint, WITNESS, time)]
    Path("log/checkpoint").write_bytes(with_signatures(signed.checkpoint, lines).data)
    done = tiletree("info", "log", "--policy", "policy")
    assert done.code == 0, done
    assert ("1970-01-01 00:00:01 UTC" if time == 1 else f"{time} seconds after 1970") in done.out


@pytest.fixture
def dated(tiletree: Command, log: str) -> str:
    """Return the vkey of the log, with a policy of one witness, whose cosignature in `q` is three days old."""
    Path("policy").write_text(f"log {log}\nwitness w {WITNESS.verifier.vkey}\nquorum w\n")
    proof = parse_tlog_proof(Path("p").read_bytes())
    made = cosign(proof.checkpoint.checkpoint, WITNESS, int(time.time()) - 3 * 86_400)
    signed = with_signatures(proof.checkpoint.checkpoint, [*proof.checkpoint.note.signatures, made])
    Path("q").write_bytes(replace(proof, checkpoint=signed).data)
    tiletree.ok("search", "log", "a", "--prove", "s", "--vkey", log)
    return log


@pytest.mark.parametrize(
    ("age", "code"), [("7d", 0), ("2w", 0), ("100h", 0), ("2d", 1), ("60m", 1), ("5", 1), ("0s", 1)]
)
def test_max_age(tiletree: Command, dated: str, age: str, code: int) -> None:
    """What the quorum has not confirmed for longer does not verify, in whatever unit that is said."""
    done = tiletree("verify", "a", "--proof", "q", "--policy", "policy", "--max-age", age, "--json")
    assert done.code == code
    assert done.json["verified"] is (code == 0)
    if code:
        assert "last confirmed 3 days ago" in done.json["error"]["message"]


def test_max_age_of_what_is_undated(tiletree: Command, dated: str) -> None:
    """A proof without witnesses, a bundle by a trusted root, a search proof: undated, which no age allows."""
    vkey = ("--vkey", dated, "--max-age", "9999w")
    for words in (["a", "--proof", "q"], ["--search-proof", "s"]):
        done = tiletree("verify", *words, *vkey)
        assert done.code == 1
        assert "undated, so it is not known how old it is: the policy asks for no witness" in done.err
    write_bundle("bundle", Path("a").read_bytes())
    words = ["a", "--bundle", "bundle", "--trusted-root", "root.json", "--key", "s.pub"]
    assert tiletree("verify", *words).code == 0
    done = tiletree("verify", *words, "--max-age", "9999w")
    assert done.code == 1
    assert "a trusted root names no witnesses" in done.err


@pytest.mark.parametrize("age", ["", "d", "-1", "1.5h", "7 d", "7D", "1000000000d", "P7D"])
def test_what_is_no_age(tiletree: Command, dated: str, age: str) -> None:
    """What is no length of time is a wrong call; so is an age of evidence, which has none."""
    assert tiletree("verify", "a", "--proof", "q", "--vkey", dated, "--max-age", age).code == 2
    assert tiletree("verify", "--fork", ".", "--vkey", dated, "--max-age", "1d").code == 2
