"""`tiletree init`: what it makes, and what it refuses to make."""

from __future__ import annotations

import stat
from pathlib import Path

from tests.support.command_line import ORIGIN, WITNESS, Command


def test_init_says_what_it_made(tiletree: Command) -> None:
    """`init --json` is exactly origin, vkey and size; the key is 0600 and never shown."""
    done = tiletree("init", "log", "--origin", ORIGIN, "--key", "k", "--json")
    assert done.code == 0
    assert list(done.json) == ["origin", "vkey", "size"]
    assert (done.json["origin"], done.json["size"]) == (ORIGIN, 0)
    assert stat.S_IMODE(Path("k").stat().st_mode) == 0o600
    secret = Path("k").read_text().strip().split("+", 4)[4]
    assert secret not in done.out + done.err
    again = tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")
    assert again == done.json


def test_init_without_a_key_keeps_one_by_origin(tiletree: Command) -> None:
    """Without --key, the key is kept in the user's configuration, and later commands find it by the log's origin."""
    tiletree.ok("init", "log", "--origin", "log.example.com/a b".replace(" ", "-"))
    Path("f").write_bytes(b"f")
    assert tiletree.ok("add", "log", "f")["size"] == 1
    assert tiletree.ok("status", "log")["anchor"]["size"] == 1


def test_a_policy_that_needs_witnesses_is_refused_for_writing(tiletree: Command, log: str) -> None:
    """`init` with such a policy exits 4, says why, and makes nothing."""
    vkey = tiletree.ok("key", "generate", "other.example.com", "--out", "o")["vkey"]
    Path("policy").write_text(f"log {vkey}\nwitness w {WITNESS.verifier.vkey}\nquorum w\n")
    done = tiletree("init", "other", "--origin", "other.example.com", "--key", "o", "--policy", "policy")
    assert done.code == 4
    assert "cosignatures" in done.err
    assert not Path("other").exists()
    assert not Path("other.private").exists()
