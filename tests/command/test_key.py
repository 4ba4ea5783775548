"""`tiletree key`: whom to trust, and how every command says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, Command
from tests.support.web_server import LogServer
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


@pytest.mark.parametrize("secret", ["https://user:password@127.0.0.1:1/log", "https://127.0.0.1:1/log?sig=password"])
def test_credentials_in_an_address_are_not_shown(tiletree: Command, secret: str) -> None:
    """Whoever looks over a shoulder, or reads a job's output, learns none of them."""
    vkey = tiletree.ok("key", "generate", "log.example.com", "--out", "k")["vkey"]
    for words in (
        ("info", secret, "--vkey", vkey),
        ("key", "trust", secret, vkey),
        ("key", "list"),
        ("key", "forget", secret),
        ("key", "forget", secret),
    ):
        for json in ((), ("--json",)):
            done = tiletree(*words, *json)
            assert "password" not in done.out + done.err, words


def test_credentials_are_not_shown_on_first_use(tiletree: Command, log: str) -> None:
    """The command that is suggested names the log without them; it remembers the same log."""
    objects = {
        path.relative_to("log").as_posix(): path.read_bytes() for path in Path("log").rglob("*") if path.is_file()
    }
    served = LogServer(objects)
    try:
        done = tiletree("info", f"{served.url.replace('//', '//user:password@')}?sig=password")
    finally:
        served.close()
    assert done.code == 0, done
    assert f"key trust {served.url.rstrip('/')} {log}" in done.err
    assert "password" not in done.out + done.err
