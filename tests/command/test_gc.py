"""`tiletree gc`: what it deletes, and what it would."""

from __future__ import annotations

from tests.support.command_line import Command


def test_gc_deletes_partial_tiles(tiletree: Command, log: str) -> None:
    """`gc` says what it would delete, deletes it, and the log stays sound."""
    tiletree.ok("add", "log", "--stdin-lines", "--key", "k", stdin=b"x\n" * 300)
    would = tiletree.ok("gc", "log", "--grace", 0, "--dry-run")
    assert (would["tiles"], would["bundles"]) == (1, 1)
    assert tiletree.ok("gc", "log", "--grace", 0) == would | {"dry_run": False}
    assert tiletree.ok("gc", "log", "--grace", 0)["tiles"] == 0
    assert tiletree.ok("audit", "log", "--vkey", log)["findings"] == []
