"""`tiletree status`: what the next run will find and do."""

from __future__ import annotations

from pathlib import Path

from tests.support.command_line import Command


def test_status_says_what_the_next_run_will_do(tiletree: Command, log: str) -> None:
    """Head, base, published, staged, anchor; and exit code 4 where the next run would refuse."""
    document = tiletree.ok("status", "log", "--key", "k")
    assert document["head"] == {"size": 2, "root": document["published"]["root"], "base": 0, "frozen": False}
    assert document["anchor"] == document["published"]
    assert document["next"] == "add to the log, from index 2"
    Path("log/checkpoint").unlink()
    done = tiletree("status", "log", "--key", "k", "--json")
    assert done.code == 4
    assert "gone" in done.json["next"]
    assert tiletree("add", "log", "a", "--key", "k").code == 4
