"""The words of rekor-cli: `loginfo`, `logproof`, `get --uuid`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, Command


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
    assert tiletree("get", "log", "--uuid", "00", "--vkey", log).code == 2
    assert tiletree("get", "log", 1, "--uuid", uuid, "--vkey", log).code == 2
    assert tiletree("get", "log", "--vkey", log).code == 2
    assert tiletree("get", "log", "--uuid", uuid, "-o", "made", "--vkey", log).code == 0
    assert Path("made").read_bytes().startswith(b"tiletree/file/v1\n")
