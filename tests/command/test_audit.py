"""`tiletree audit`: every finding, and an exit code."""

from __future__ import annotations

from pathlib import Path

from tests.support.command_line import Command


def test_audit_reports_every_finding(tiletree: Command, log: str) -> None:
    """`audit --json` is size, root, findings; a damaged object is one, exit code 1; a sound log has none."""
    sound = tiletree.ok("audit", "log", "--vkey", log)
    assert list(sound) == ["origin", "size", "root", "trust", "findings"]
    assert sound["findings"] == []
    damaged = [Path("log/tile/entries/000.p/2"), Path("log/checkpoints/002")]
    for path in damaged:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    done = tiletree("audit", "log", "--vkey", log, "--json")
    assert done.code == 1
    assert {finding["path"] for finding in done.json["findings"]} == {"tile/entries/000.p/2", "checkpoints/002"}
