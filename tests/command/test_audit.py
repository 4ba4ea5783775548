"""`tiletree audit`: every finding, and an exit code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

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


def test_where_it_is_computed(tiletree: Command, log: str) -> None:
    """However many jobs there are, the answer is the same; a wrong executor is a wrong call, said before anything."""
    one = tiletree.ok("audit", "log", "--vkey", log)
    assert tiletree.ok("audit", "log", "--vkey", log, "--jobs", "3") == one
    done = tiletree("audit", "nowhere", "--vkey", log, "--executor", "ray://host:1", "--json")
    assert (done.code, done.json["error"]["message"][:27]) == (2, "an executor is dask://HOST:")
    both = tiletree("audit", "nowhere", "--vkey", log, "--executor", "dask://host:1", "--jobs", "2")
    assert (both.code, "--jobs is of this machine" in both.err) == (2, True)


def test_without_dask(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is not installed, it is said how to install it."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    done = tiletree("audit", "log", "--vkey", log, "--executor", "dask://127.0.0.1:9")
    assert (done.code, "pip install 'tiletree[dask]'" in done.err) == (2, True)
