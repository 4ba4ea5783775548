"""The words of rekor-cli: `loginfo`, `logproof`, `get` by uuid and by signature, and in the form of Rekor's answer."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, Command
from tiles.signing.artifact_key import read_artifact_key
from tiles.sigstore.bundle import parse_bundle


def test_loginfo_is_info(tiletree: Command, log: str) -> None:
    """Both say the same, in text and as a document."""
    for options in ((), ("--json",)):
        said = [tiletree(word, "log", "--vkey", log, *options) for word in ("info", "loginfo")]
        assert said[0] == said[1]
        assert ORIGIN in said[0].out


def test_logproof(tiletree: Command, log: str) -> None:
    """It gives both trees and what is between them; without sizes, from the first entry to the log's size."""
    done = tiletree.ok("logproof", "log", "--vkey", log)
    assert done["first"]["size"] == 1
    assert done["last"] == {"size": 2, "root": tiletree.ok("info", "log", "--vkey", log)["root"]}
    first, second = (tiletree.ok("search", "log", name, "--vkey", log)["hits"][0]["leaf_hash"] for name in "ab")
    assert (done["first"]["root"], done["hashes"]) == (first, [second])
    shown = tiletree("logproof", "log", "--first-size", 2, "--last-size", 2, "--vkey", log).out.splitlines()
    assert [line.partition(",")[0] for line in shown] == ["first  size 2", "last   size 2"]
    assert tiletree("logproof", "log", "--last-size", 3, "--vkey", log).code == 2


@pytest.mark.parametrize("upper", [False, True])
def test_get_by_uuid(tiletree: Command, log: str, upper: bool) -> None:
    """The uuid is the leaf hash; one that the log does not have is exit code 8, and no hash is a wrong call."""
    entry = tiletree.ok("get", "log", 1, "--vkey", log)
    uuid = entry["leaf_hash"].upper() if upper else entry["leaf_hash"]
    assert tiletree.ok("get", "log", "--uuid", uuid, "--vkey", log) == entry
    assert tiletree("get", "log", "--uuid", "00" * 32, "--vkey", log).code == 8
    for wrong, hint in (("00", False), ("00" * 8 + uuid, True)):
        done = tiletree("get", "log", "--uuid", wrong, "--vkey", log)
        assert (done.code, "64 hexadecimal digits" in done.err, "EntryID" in done.err) == (2, True, hint)
    assert tiletree("get", "log", 1, "--uuid", uuid, "--vkey", log).code == 2
    assert tiletree("get", "log", "--vkey", log).code == 2
    assert tiletree("get", "log", "--uuid", uuid, "-o", "made", "--vkey", log).code == 0
    assert Path("made").read_bytes().startswith(b"tiletree/file/v1\n")


@pytest.fixture
def signed(tiletree: Command, log: str) -> str:
    """Return the vkey of a log whose entry 2 is a signature over `a`, in `a.sig`, by the key `s`."""
    tiletree.ok("key", "generate", "--signing", "--out", "s")
    tiletree.ok("sign", "a", "--log", "log", "--key", "s", "--log-key", "k")
    Path("a.sig").write_bytes(parse_bundle(Path("a.sigstore.json").read_bytes()).signature)
    return log


def test_get_by_signature(tiletree: Command, signed: str) -> None:
    """Artifact, signature and key make one entry, which is looked for: no other signature by the same key is."""
    words = ("get", "log", "--vkey", signed, "--signature", "a.sig", "--public-key", "s.pub")
    assert tiletree.ok(*words, "--artifact", "a")["index"] == 2
    wrong = tiletree(*words, "--artifact", "b")
    assert (wrong.code, "wrong signature" in wrong.err) == (1, True)
    Path("b.sig").write_bytes(read_artifact_key(Path("s")).sign_digest(sha256(b"content of b\n").digest()))
    assert tiletree(*words[:-4], "--signature", "b.sig", "--public-key", "s.pub", "--artifact", "b").code == 8
    for other in (("--artifact", "a", 2), ("--artifact", "a", "--uuid", "00" * 32), ()):
        assert tiletree(*words, *other).code == 2
    assert tiletree(*words[:-2], "--artifact", "a").code == 2


def test_get_as_rekor_answers(tiletree: Command, signed: str) -> None:
    """--format tle is the entry as the bundle has it, at the log's size now; other entries have no such form."""
    (told,) = json.loads(Path("a.sigstore.json").read_bytes())["verificationMaterial"]["tlogEntries"]
    assert told["kindVersion"] == {"kind": "hashedrekord", "version": "0.0.2"}
    assert json.loads(tiletree("get", "log", 2, "--format", "tle", "--vkey", signed).out) == told
    done = tiletree.ok("get", "log", 2, "--format", "tle", "--vkey", signed, "-o", "made")
    assert (json.loads(done["tle"]), json.loads(Path("made").read_bytes())) == (told, told)
    Path("old").write_bytes(b'{"apiVersion":"0.0.1","kind":"rpm","spec":{}}')
    tiletree.ok("add", "log", "--raw", "old", "--key", "k")
    old = json.loads(tiletree("get", "log", "old", "--format", "tle", "--vkey", signed).out)
    assert old["kindVersion"] == {"kind": "rpm", "version": "0.0.1"}
    other = tiletree("get", "log", 0, "--format", "tle", "--vkey", signed)
    assert (other.code, "none of Rekor's kinds" in other.err) == (2, True)
    assert tiletree("get", "log", 2, "--format", "tle", "--payload", "--vkey", signed).code == 2


def test_the_other_key(tiletree: Command, signed: str) -> None:
    """Whoever takes the wrong half, or the log's key for that of files, is told so; no secret is shown."""
    sign = ("sign", "a", "--log", "log")
    verify = ("verify", "a", "--vkey", signed)
    for words, said in (
        (
            (*sign, "--log-key", "k", "--key", "s.pub"),
            "s.pub is the public half of a key; what signs is",
        ),
        ((*sign, "--log-key", "s", "--key", "s"), "a key in PEM, which signs files, and no log has one"),
        ((*verify, "--key", "s"), "it is a private key; name the public one"),
        (("get", "log", "a.sig", "--vkey", signed), "`tiletree search` finds signatures over it as well"),
    ):
        done = tiletree(*words)
        assert done.code in (1, 2, 8), done
        assert said in done.err
