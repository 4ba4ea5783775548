"""`init --post-quantum`, `key add` and `key retire`, and what readers are shown of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, Command


def test_a_pair_is_verified_offline_by_either(tiletree: Command) -> None:
    """A proof is good by the Ed25519 key alone, and by the ML-DSA-44 key alone; a KMS has no such pair."""
    made = tiletree.ok("init", "log", "--origin", ORIGIN, "--post-quantum", "--key", "k")
    assert len(made["vkeys"]) == 2
    assert Path("k").stat().st_mode & 0o777 == 0o600
    Path("a").write_bytes(b"content")
    tiletree.ok("add", "log", "a", "--key", "k")
    for vkey in made["vkeys"]:
        tiletree.ok("prove", "log", "a", "-o", "p", "--vkey", vkey)
        tiletree.ok("verify", "a", "--proof", "p", "--vkey", vkey)
        Path("p").unlink()
    assert tiletree.ok("key", "show", "log", "--key", "k")["vkeys"] == made["vkeys"]
    Path("k2").write_text(Path("k").read_text().split("\n")[0] + "\n")
    Path("k2").chmod(0o600)
    done = tiletree("init", "other", "--origin", ORIGIN, "--post-quantum", "--key", "k2")
    assert done.code == 2
    assert "no ML-DSA-44 key" in done.err


def test_what_readers_are_shown(tiletree: Command) -> None:
    """While the old key signs, a remark; once it does not, a refusal that names the new key; none is just taken."""
    old = tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")["vkey"]
    assert "key_changes" not in tiletree.ok("info", "log", "--vkey", old)
    added = tiletree.ok("key", "add", "log", "--key", "k")
    new = added["vkey"]
    assert added["statement"] == "keys/0"
    news = tiletree.ok("info", "log", "--vkey", old)["key_changes"]
    assert news == [{"action": "add", "vkey": new, "size": 0}]
    tiletree.ok("key", "trust", "log", old)
    retired = tiletree("key", "retire", "log", old, "--key", "k")
    assert f"knows the log by the old key still; then: tiletree key trust log {new} --replace" in retired.err
    Path("a").write_bytes(b"content")
    tiletree.ok("add", "log", "a", "--key", "k")
    done = tiletree("info", "log")
    assert done.code == 1
    assert new in done.err
    assert "--replace" in done.err
    tiletree.ok("key", "trust", "log", new, "--replace")
    assert tiletree.ok("info", "log")["vkey"] == new
    assert tiletree.ok("audit", "log")["findings"] == []


def test_another_history_by_the_new_key(tiletree: Command) -> None:
    """A reader who pins the new key in the place of the old one is told of a history that the old one did not sign."""
    old = tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")["vkey"]
    Path("a").write_bytes(b"content")
    tiletree.ok("add", "log", "a", "--key", "k")
    tiletree.ok("key", "trust", "log", old)
    tiletree.ok("info", "log")
    other = tiletree.ok("init", "other", "--origin", ORIGIN, "--key", "k2", "--anchor", "anchor")["vkey"]
    Path("b").write_bytes(b"another")
    tiletree.ok("add", "other", "b", "--key", "k2", "--anchor", "anchor")
    tiletree.ok("key", "trust", "log", other, "--replace")
    Path("log").rename("mine")
    Path("other").rename("log")
    done = tiletree("info", "log")
    assert done.code == 7
    assert f"two different keys: {old}, and {other}" in done.err
    assert f"--seen --vkey {old}" in done.err
    tiletree.ok("key", "forget", "log", "--seen", "--vkey", old)
    assert tiletree.ok("info", "log")["vkey"] == other


def test_a_key_that_is_in_no_file(tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment: `key add` has nowhere to put the new one, and says what to do; nothing is changed."""
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")
    tiletree.ok("key", "forget", "log")
    monkeypatch.setenv("TILETREE_PRIVATE_KEY", Path("k").read_text())
    before = Path("log.private/head").read_bytes()
    done = tiletree("key", "add", "log", "--anchor", "k.anchor")
    assert done.code == 2
    assert "adds the new key to a key file, and $TILETREE_PRIVATE_KEY is none: a call cannot change" in done.err
    assert "write what $TILETREE_PRIVATE_KEY holds to a file, name that with --key" in done.err
    assert Path("log.private/head").read_bytes() == before
    monkeypatch.setenv("TILETREE_PRIVATE_KEY", "garbage")
    done = tiletree("key", "add", "log", "--anchor", "k.anchor")
    assert (done.code, "what $TILETREE_PRIVATE_KEY holds is not the text of a key file" in done.err) == (2, True)
    assert "garbage" not in done.err
