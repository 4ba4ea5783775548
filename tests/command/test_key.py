"""`tiletree key`: whom to trust, and how every command says it."""

from __future__ import annotations

from tests.support.command_line import ORIGIN, Command
from tiles.notes.keys import signing_key


def test_trust_is_explicit(tiletree: Command, log: str) -> None:
    """Pinned, remembered, or first use: every output says which; a first use never verifies a proof."""
    first = tiletree("info", "log", "--json")
    assert list(first.json) == ["origin", "size", "root", "vkey", "trust"]
    assert first.json["trust"] == "first use, not pinned"
    assert "first use, not pinned" in first.err
    assert tiletree("verify", "a", "--proof", "p").code == 2
    tiletree.ok("key", "trust", "log", log)
    assert tiletree.ok("info", "log")["trust"] == "remembered"
    assert tiletree.ok("verify", "a", "--proof", "p")["trust"] == "remembered"
    assert tiletree.ok("info", "log", "--vkey", log)["trust"] == "pinned"
    assert [key["trust"] for key in tiletree.ok("key", "list")["keys"]] == ["remembered"]
    other = signing_key(ORIGIN, bytes(32)).verifier.vkey
    assert tiletree("key", "trust", "log", other).code == 4
    assert tiletree("info", "log", "--vkey", other).code == 1
    tiletree.ok("key", "forget", "log")
    assert tiletree("verify", "a", "--proof", "p").code == 2
    assert tiletree("key", "forget", "log").code == 3
