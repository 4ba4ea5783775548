"""`tiletree revoke`: what is revoked is shown as such wherever it is found, and stays in the log."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.certificate_texts import ONE
from tests.support.command_line import ORIGIN, Command, unchecked
from tests.support.entry_texts import rekor
from tiles.signing.artifact_key import generate_key

DATA = b"what it says\n"
HEX = sha256(DATA).hexdigest()


def test_revoked(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the log or by the key that signed: search says so, of exactly the entries for which it counts."""
    signer, other = generate_key(), generate_key()
    Path("s.key").write_bytes(signer.pem)
    Path("o.key").write_bytes(other.pem)
    for name in ("s.key", "o.key"):
        Path(name).chmod(0o600)
    Path("s.pub").write_bytes(signer.public.pem)
    Path("app.whl").write_bytes(DATA)
    digest = bytes.fromhex(HEX)
    signed = rekor(digest=digest, raw=signer.public.spki)
    Path("lines").write_text(f"{signed}\n{rekor(digest=digest, verifier='x509Certificate', raw=ONE)}\n")
    tiletree.ok("add", "log", "app.whl", "--key", "k")
    unchecked(monkeypatch)
    tiletree.ok("add", "log", "--lines", "lines", "--key", "k")
    common = ("--log", "log", "--log-key", "k", "--reason")

    def search() -> list[list[int]]:
        hits = tiletree.ok("search", "log", "app.whl", "--vkey", log)["hits"]
        return [[one["index"] for one in hit.get("revoked_by", ())] for hit in reversed(hits)]

    assert search() == [[], [], []]
    made = tiletree.ok("revoke", "app.whl", *common, "does not start", "--by", "o.key")
    assert made["revoked"] == {"what": "sha256", "value": HEX}
    assert search() == [[], [], []]  # of a key that has signed none of them
    made = tiletree.ok("revoke", f"sha256:{HEX.upper()}", *common, "does not start", "--by", "s.key")
    assert (made["index"], made["by"], made["size"]) == (6, "key", 7)
    assert search() == [[], [6], []]
    again = tiletree.ok("revoke", "app.whl", *common, "does not start", "--by", "s.key")
    assert (again["index"], again["already"], again["size"]) == (6, True, 7)
    assert tiletree.ok("revoke", "--key", "s.pub", *common, "lost")["by"] == "log"
    assert tiletree.ok("revoke", "--identity", "@Example.com", *common, "gone")["revoked"]["value"] == "@example.com"
    assert search() == [[], [7, 6], [8]]
    tiletree.ok("revoke", "app.whl", *common, "broken into")
    assert search() == [[9], [9, 7, 6], [9, 8]]
    done = tiletree("search", "log", "--key", "s.pub", "--vkey", log)
    assert "REVOKED by entry 9: broken into  REVOKED by entry 7: lost  REVOKED by entry 6: does not start" in done.out
    (hit,) = tiletree.ok("search", "log", "--kind", f"revoked/1=sha256 {HEX}", "--most", "1", "--vkey", log)["hits"]
    assert (hit["index"], hit["kind"]) == (9, "revocation")


def test_verify(tiletree: Command, log: str) -> None:
    """Asked of the log, what was revoked does not verify, by proof or bundle; offline it is said that nobody asked."""
    signer = generate_key()
    Path("s.key").write_bytes(signer.pem)
    Path("s.key").chmod(0o600)
    Path("s.pub").write_bytes(signer.public.pem)
    Path("b").write_bytes(DATA)
    tiletree.ok("sign", "b", "--log", "log", "--log-key", "k", "--key", "s.key")
    by_proof = ("verify", "a", "--proof", "p", "--vkey", log)
    by_bundle = ("verify", "b", "--vkey", log, "--key", "s.pub")
    common = ("--log", "log", "--log-key", "k", "--reason")
    assert tiletree.ok(*by_proof, "--log", "log")["revocation"] == "none"
    (checked,) = tiletree.ok(*by_bundle, "--log", "log")["files"][0]["checks"]
    assert checked["revocation"] == "none"
    assert "revocation not checked" in tiletree(*by_proof).out
    assert "no revocation among the 3 entries" in tiletree(*by_bundle, "--log", "log").out
    tiletree.ok("revoke", "b", *common, "does not start", "--by", "s.key")
    tiletree.ok("revoke", "a", *common, "useless", "--by", "s.key")
    assert tiletree(*by_proof, "--log", "log").code == 0  # by a key that has not signed it
    done = tiletree(*by_bundle, "--log", "log", "--json")
    assert (done.code, done.json["verified"]) == (1, False)
    assert f"b is not to be relied on: entry 3 of {ORIGIN} revokes sha256 {HEX}: does not start" in done.err
    assert tiletree(*by_bundle).code == 0
    tiletree.ok("revoke", "a", *common, "broken into")
    done = tiletree(*by_proof, "--log", "log", "--json")
    assert (done.code, done.json["verified"], "entry 5" in done.err) == (1, False, True)
    assert "it was revoked by the log" in done.err


def test_what_cannot_be_known(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks gets no yes from a log that has no index of revocations, is an older copy, or is another's."""
    by_proof = ("verify", "a", "--vkey", log, "--log")
    shutil.copytree("log", "old")
    with monkeypatch.context() as patched:
        patched.setattr("tiles.index.scan.SCAN_LIMIT", 1)
        done = tiletree(*by_proof, "log", "--proof", "p")
        assert (done.code, "no index of revoked/1" in done.err) == (3, True), done
    Path("c").write_bytes(b"more")
    tiletree.ok("add", "log", "c", "--key", "k")
    tiletree.ok("prove", "log", "a", "-o", "q", "--vkey", log)
    assert tiletree(*by_proof, "old", "--proof", "q").code == 7
    monkeypatch.setattr("tiletree.pins.memory", lambda _of: None)  # a machine that has never seen the log
    done = tiletree(*by_proof, "old", "--proof", "q")
    assert (done.code, "has 2 of 3 entries" in done.err) == (3, True), done
    assert tiletree(*by_proof, "nowhere", "--proof", "p").code == 3
    tiletree.ok("init", "other", "--origin", "other.example.com", "--key", "o")
    assert tiletree(*by_proof, "other", "--proof", "p").code == 1


def test_a_proof_of_another_history(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another history's revocations say nothing: exit code 7 and evidence, also if this machine never saw the log."""
    for part in ("log", "log.private", "k.anchor"):
        shutil.copytree(part, f"aside.{part}")
    Path("c").write_bytes(b"of one history")
    tiletree.ok("add", "log", "c", "--key", "k")
    tiletree.ok("prove", "log", "c", "-o", "c.tlog-proof", "--vkey", log)
    by_proof = ("verify", "c", "--proof", "c.tlog-proof", "--vkey", log, "--log")
    assert tiletree.ok(*by_proof, "log")["revocation"] == "none"
    for part in ("log", "log.private", "k.anchor"):
        shutil.rmtree(part)
        shutil.copytree(f"aside.{part}", part)
    shutil.rmtree("home")  # what was seen, too: another machine
    Path("home").mkdir()
    for size in (3, 4):  # of the size of the proof's tree, and larger
        Path(f"d{size}").write_bytes(f"of the other history, {size}".encode())
        tiletree.ok("add", "log", f"d{size}", "--key", "k")
        done = tiletree(*by_proof, "log", "--json")
        assert (done.code, done.json["verified"], done.json["error"]["kind"]) == (7, False, "ForkError"), done
        assert "log: the log log.example.com shows two histories" in done.err
    saved = list(Path("home/XDG_STATE_HOME/tiletree/forks").iterdir())
    assert [tiletree.ok("verify", "--fork", one, "--vkey", log)["verified"] for one in saved] == [True, True]
    assert tiletree(*by_proof[:-1]).code == 0  # offline, nobody can know
    done = tiletree("verify", "a", "c", "--vkey", log, "--log", "log")
    assert (done.code, "shows two histories" in done.out) == (7, True)
    monkeypatch.setattr("tiletree.pins.memory", lambda _of: None)  # without a home, nothing can be saved
    assert tiletree(*by_proof, "log").code == 7


def test_not_checked(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large log without an index of revocations: the hits are shown, and that nobody knows."""
    monkeypatch.setattr("tiles.index.scan.SCAN_LIMIT", 1)
    done = tiletree("search", "log", "a", "--scan", "--vkey", log, "--json")
    assert "no index of revoked/1" in done.json["revocations"]
    assert "revocations were not checked" in done.err


MISTAKES: list[tuple[tuple[str, ...], str]] = [
    ((), "name one: a file or its digest, --key, or --identity"),
    (("a", "--identity", "a@b"), "name one"),
    (("nothing",), "nothing is no file"),
    (("sha256:12",), "64 hexadecimal digits"),
    (("--identity", "a b"), "without spaces"),
    (("a", "--by", "k"), "it is the key of a log"),
    (("--identity", "a@b", "--by", "s.key"), "only the log revokes an identity"),
    (("a", "--reason", "a\nb"), "one line"),
    (("a", "--reason", "x" * 1025), "one line of 1 to 1024 bytes"),
]


def test_wrong_calls(tiletree: Command, log: str) -> None:
    """Nothing is logged for them."""
    Path("s.key").write_bytes(generate_key().pem)
    Path("s.key").chmod(0o600)
    for asked, message in MISTAKES:
        done = tiletree("revoke", "--log", "log", "--log-key", "k", "--reason", "why", *asked)
        assert (done.code, message in done.err) == (2, True), done
    assert tiletree.ok("info", "log", "--vkey", log)["size"] == 2
