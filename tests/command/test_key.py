"""`tiletree key`: whom to trust, and how every command says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, Command
from tests.support.readers import OTHER_KEY, entry, make_log
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


def served_by_evil() -> tuple[str, dict[str, bytes]]:
    """Return the key, and the log, of somebody who gave it the name of another log."""
    return OTHER_KEY.verifier.vkey, make_log(3, tag="evil", key=OTHER_KEY)


def write(objects: dict[str, bytes], directory: str) -> None:
    """Write a log into a directory."""
    for path, data in objects.items():
        file = Path(directory, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def test_trust_given_to_an_address_does_not_count_for_a_name(tiletree: Command, log: str) -> None:
    """A second key for the name of a known log is refused, so that its proofs are verified by the one key only."""
    evil, objects = served_by_evil()
    write(objects, "evil")
    Path("e").write_bytes(entry(0, "evil"))
    tiletree.ok("prove", "evil", "--index", 0, "--vkey", evil, "-o", "q")
    tiletree.ok("key", "trust", "https://log.example.com", log)
    refused = tiletree("key", "trust", "https://evil.example", evil, "--json")
    assert refused.code == 4
    for word in (log, evil, "https://log.example.com", "https://evil.example", "--replace"):
        assert word in refused.json["error"]["message"] + refused.json["error"]["hint"]
    assert tiletree("verify", "e", "--proof", "q").code == 1
    assert tiletree.ok("verify", "a", "--proof", "p")["trust"] == "remembered"
    assert {known["vkey"] for known in tiletree.ok("key", "list")["keys"]} == {log}
    unpinned = tiletree("info", "evil", "--json")  # a first use is refused for the same reason
    assert unpinned.code == 4
    assert log in unpinned.json["error"]["message"]


def test_a_copy_has_the_same_key(tiletree: Command, log: str) -> None:
    """The same key at another address is a mirror of the log, and no second key."""
    tiletree.ok("key", "trust", "https://log.example.com", log)
    tiletree.ok("key", "trust", "https://mirror.example", log)
    assert tiletree.ok("info", "log")["trust"] == "first use, not pinned"
    assert tiletree.ok("verify", "a", "--proof", "p")["trust"] == "remembered"


def test_replacing_the_key_of_a_name(tiletree: Command, log: str) -> None:
    """--replace puts the new key in the place of the old one at every address of that name."""
    evil, _ = served_by_evil()
    tiletree.ok("key", "forget", "log")
    tiletree.ok("key", "trust", "https://log.example.com", evil)
    tiletree.ok("key", "trust", "https://other.example", signing_key("other.example", bytes(32)).verifier.vkey)
    assert tiletree("key", "trust", "https://mirror.example", log).code == 4
    tiletree.ok("key", "trust", "https://mirror.example", log, "--replace")
    known = {one["log"]: one["vkey"] for one in tiletree.ok("key", "list")["keys"]}
    assert known["https://log.example.com"] == known["https://mirror.example"] == log
    assert known["https://other.example"] != log
    assert tiletree.ok("verify", "a", "--proof", "p")["trust"] == "remembered"


def test_whoever_is_visited_first_does_not_take_a_name(tiletree: Command, log: str) -> None:
    """A first use of one log keeps no other log of that name from being read; to trust one of them, both are named."""
    evil, objects = served_by_evil()
    write(objects, "evil")
    assert tiletree.ok("info", "evil")["trust"] == "first use, not pinned"
    assert tiletree.ok("info", "log")["trust"] == "first use, not pinned"
    refused = tiletree("key", "trust", "log", log)
    assert refused.code == 4
    assert evil in refused.err
    tiletree.ok("key", "trust", "log", log, "--replace")
    assert tiletree("info", "evil").code == 1


def test_two_keys_that_were_written_by_others(tiletree: Command, log: str) -> None:
    """A file that names two keys for one name, as an older version could, is not obeyed: both are named."""
    evil, _ = served_by_evil()
    tiletree.ok("key", "trust", "https://log.example.com", log)
    trust = Path("home/XDG_CONFIG_HOME/tiletree/trust")
    lines = [f"remembered {evil} https://evil.example", f"remembered {log} https://log.example.com"]
    trust.write_text("\n".join(["tiletree-trust/v1", *lines, ""]))
    done = tiletree("verify", "a", "--proof", "p")
    assert done.code == 4
    assert evil in done.err
    tiletree.ok("key", "trust", "https://log.example.com", log, "--replace")
    assert tiletree.ok("verify", "a", "--proof", "p")["verified"] is True
