"""`tiletree audit`: every finding, and an exit code."""

from __future__ import annotations

from pathlib import Path

from tests.support.caches import PAGE, Cache
from tests.support.command_line import Command
from tests.support.fault_server import serving

BUNDLE = "tile/entries/000.p/2"


def public(log: Path) -> dict[str, bytes]:
    """Return what is served of a log in a directory."""
    return {path.relative_to(log).as_posix(): path.read_bytes() for path in log.rglob("*") if path.is_file()}


def test_audit_reports_every_finding(tiletree: Command, log: str) -> None:
    """`audit --json` is size, root, findings; a damaged object is one, exit code 1; a sound log has none."""
    sound = tiletree.ok("audit", "log", "--vkey", log)
    assert list(sound) == ["origin", "size", "root", "trust", "findings", "withheld"]
    assert sound["findings"] == []
    damaged = [Path(f"log/{BUNDLE}"), Path("log/checkpoints/002")]
    for path in damaged:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    done = tiletree("audit", "log", "--vkey", log, "--json")
    assert done.code == 1
    assert {finding["path"] for finding in done.json["findings"]} == {BUNDLE, "checkpoints/002"}


def test_past_a_cache(tiletree: Command, log: str) -> None:
    """`audit` over http and `repair --from` http are not stopped by what a cache on the way has kept."""
    with serving(public(Path("log"))) as server:
        right = server.objects[BUNDLE]
        for obeys in (True, False):
            Cache(server, obeys=obeys).kept |= {BUNDLE: PAGE, "tile/0/000.p/2": None}
            assert tiletree.ok("audit", server.url, "--vkey", log)["findings"] == []
            Cache(server, obeys=obeys).kept[BUNDLE] = right[:-1] + b"?"
            Path(f"log/{BUNDLE}").unlink()
            assert tiletree.ok("repair", "log", "--vkey", log, "--from", server.url)["put_back"] == 1
            assert Path(f"log/{BUNDLE}").read_bytes() == right
