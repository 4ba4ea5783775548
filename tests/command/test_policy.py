"""`tiletree policy check`: what a policy asks for and what a checkpoint has of it, in words and as a document."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.signed_text import CHECKPOINT, EXAMPLE, LOG, TIME, W1, cosigned, forged, sign
from tiles.notes.checkpoint import with_signatures
from tiles.notes.keys import VerifierKey
from tiles.notes.tlog_proof import TlogProof


@pytest.fixture
def example(tiletree: Command) -> Command:
    """Return the command beside the example policy of the specification, and checkpoints."""
    Path("policy").write_text(EXAMPLE)
    Path("met").write_bytes(cosigned("X1", "X3", "Y2").data)
    Path("short").write_bytes(cosigned("X1", "Y2").data)
    Path("met.tlog-proof").write_bytes(TlogProof(1, (), cosigned("X1", "X3", "Y2")).data)
    return tiletree


def test_what_a_policy_asks_for(example: Command) -> None:
    """Without a checkpoint: keys, the quorum with its groups, and how few witnesses are enough."""
    said = example("policy", "check", "policy")
    assert "quorum  X-and-Y: all of X-witnesses, Y-witnesses\n" in said.out
    assert "        X-witnesses: 2 of X1, X2, X3\n" in said.out
    assert "needs   3 cosignatures at least, of 6 witnesses\n" in said.out
    document = example.ok("policy", "check", "policy")
    assert document["logs"] == [{"vkey": LOG.verifier.vkey}]
    assert [one["name"] for one in document["witnesses"] if one["in_quorum"]] == ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
    assert document["quorum"]["smallest"] == 3
    assert "accepted" not in document
    assert [one["kind"] for one in document["remarks"]] == ["same-operator", "log-operator"]


@pytest.mark.parametrize("what", ["met", "met.tlog-proof"])
def test_a_checkpoint_that_is_accepted(example: Command, what: str) -> None:
    """Of a checkpoint, or of the one in a proof: which lines count, and the time of the quorum."""
    said = example("policy", "check", "policy", what)
    assert "X1 has cosigned, at 2023-03-20 12:25:47 UTC\n" in said.out
    assert "missing nothing: the quorum is met\n" in said.out
    assert "\naccepted\n" in said.out
    document = example.ok("policy", "check", "policy", what)
    assert document["accepted"]
    assert document["time"] == TIME
    assert [line["comes_to"] for line in document["signatures"]] == ["log", *["cosignature"] * 3]
    assert document["quorum"]["missing"] == 0


def test_a_checkpoint_that_is_not(example: Command) -> None:
    """Exit code 1: what is there, and which witnesses would be enough."""
    said = example("policy", "check", "policy", "short")
    assert said.code == 1
    assert "X-witnesses: 2 of X1, X2, X3; X1 has cosigned; one more of X2, X3\n" in said.out
    assert "missing one cosignature more, at least\n" in said.out
    assert "accepted" not in said.out
    assert "quorum X-and-Y is not met" in said.err
    document = example("policy", "check", "policy", "short", "--json").json
    assert not document["accepted"]
    assert document["quorum"]["missing"] == 1
    assert document["quorum"]["groups"][1] == {
        "name": "X-witnesses",
        "threshold": 2,
        "members": ["X1", "X2", "X3"],
        "met": False,
    }
    assert document["error"]["kind"] == "PolicyError"


def test_a_signature_that_is_wrong(tiletree: Command) -> None:
    """One wrong line of a known witness refuses the checkpoint, and the line is named."""
    Path("policy").write_text(f"log {LOG.verifier.vkey}\nwitness w {W1.verifier.vkey}\nquorum none\n")
    Path("checkpoint").write_bytes(
        with_signatures(CHECKPOINT, [sign(CHECKPOINT, LOG), forged(sign(CHECKPOINT, W1))]).data
    )
    said = tiletree("policy", "check", "policy", "checkpoint")
    assert said.code == 1
    assert f"signed  {W1.verifier}: does not verify, so nothing of this checkpoint is accepted" in said.out


def test_a_log(tiletree: Command, log: str) -> None:
    """A log is asked for its checkpoint as it is now; nothing of it is remembered."""
    Path("policy").write_text(f"log {log}\nquorum none\n")
    before = sorted(Path("home").rglob("*"))
    document = tiletree.ok("policy", "check", "policy", "log")
    assert (document["accepted"], document["origin"]) == (True, log.partition("+")[0])
    assert sorted(Path("home").rglob("*")) == before
    stranger = VerifierKey("stranger.example.com", LOG.verifier.type, LOG.verifier.public)
    Path("policy").write_text(f"log {stranger.vkey}\nquorum none\n")
    said = tiletree("policy", "check", "policy", "log")
    assert said.code == 1
    assert "the policy has no such key" in said.out


READING = [
    "info log",
    "info log --at 2026-01-01",
    "info log --compare log",
    "loginfo log",
    "logproof log",
    "get log 0",
    "search log a",
    "prove log a",
    "audit log",
    "trust-root log --out made",
    "verify a --proof p",
    "verify a --proof p --log log",
    "verify --search-proof s",
    "import log other --key o",
    "submit log a --submitter ann --wait --timeout 0",
    "index check log",
    "repair log",
]


@pytest.mark.parametrize("call", READING)
def test_every_reading_command_asks_for_the_quorum(tiletree: Command, log: str, call: str) -> None:
    """With --policy, a checkpoint without the quorum is refused by every command that reads, and nothing else is said.

    The same log is read by its key alone: it is the quorum that refuses.
    """
    tiletree.ok("init", "other", "--origin", "other.example.com", "--key", "o", "--no-page")
    tiletree.ok("search", "log", "a", "--prove", "s", "--vkey", log)
    tiletree.ok("submit", "log", "a", "--submitter", "ann")
    Path("policy").write_text(f"log {log}\nwitness w {W1.verifier.vkey}\nquorum w\n")
    done = tiletree(*call.split(), "--policy", "policy")
    assert done.code == 1, done
    assert "quorum w is not met" in done.err
    assert "quorum w is not met" not in tiletree(*call.split(), "--vkey", log).err


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no quorum line"),
        ("quorum none", "does not end in newline"),
        ("group g 2 a\nquorum g\n", "policy line 1"),
        (f"witness w {W1.verifier.vkey}\ngroup g 2 w\nquorum g\n", "policy line 2 threshold"),
    ],
)
def test_a_file_that_is_no_policy(tiletree: Command, text: str, problem: str) -> None:
    """A file that is to be checked and is no policy does not verify: in which line is said."""
    Path("policy").write_text(text)
    said = tiletree("policy", "check", "policy")
    assert said.code == (1 if text else 3)
    assert problem in said.err or not text


def test_what_there_is_none_of(example: Command) -> None:
    """A checkpoint that is not there is looked for as a log, and what is no checkpoint does not verify."""
    assert example("policy", "check", "policy", "nowhere").code == 3
    assert example("policy", "check", "nowhere").code == 2
    assert example("policy", "check", "policy", "policy").code == 1
