"""`tiletree index`: what it says, where it puts what, and whose it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import Command
from tiles.index import own_index
from tiles.notes.index_head import open_index_head
from tiles.notes.keys import parse_vkey


@pytest.fixture
def large(tiletree: Command, log: str) -> str:
    """Return the vkey of a log of 4,098 entries."""
    Path("lines").write_text("".join(f"{number}\n" for number in range(4096)))
    tiletree.ok("add", "log", "--lines", "lines", "--key", "k")
    return log


def head_of(place: str, kind: str, vkey: str) -> int:
    """Return how much an index covers that a key has signed."""
    return open_index_head(Path(f"{place}/index/{kind}/head").read_bytes(), parse_vkey(vkey)).tree.size


def test_the_log_s_own(tiletree: Command, large: str) -> None:
    """Each kind is begun when asked; the runs that add keep it."""
    done = tiletree.ok("index", "build", "log", "--key", "k", "--kind", "leaf/1", "--kind", "name/1")
    assert done == {
        "origin": "log.example.com",
        "size": 4098,
        "signed_by": large,
        "place": "log",
        "indexes": [
            {"kind": "leaf/1", "covered": 4096, "records": 4096},
            {"kind": "name/1", "covered": 4096, "records": 0},
        ],
    }
    assert not Path("log/index/sha256").exists()
    tiletree.ok("add", "log", "--lines", "lines", "--key", "k")
    assert [head_of("log", kind, large) for kind in ("leaf/1", "name/1")] == [8192, 8192]
    assert tiletree.ok("status", "log", "--key", "k")["indexes"] == [
        {"kind": "leaf/1", "covered": 8192, "problem": None},
        {"kind": "name/1", "covered": 8192, "problem": None},
    ]
    assert "\nindex      leaf/1 covers 8192 entries, name/1 covers 8192" in tiletree("status", "log", "--key", "k").out
    done = tiletree("index", "build", "log", "--key", "k")
    assert done.out.startswith("leaf/1  covers 8192 of 8194 entries, 8192 records\nsha256/1  covers 8192")
    assert done.out.endswith(f"index of log.example.com in log, signed by {large}\n")


def test_of_somebody_else_s_log(tiletree: Command, large: str) -> None:
    """It is in a place of their own, signed by their key; never in a log, and never without a key."""
    vkey = tiletree.ok("key", "generate", "my.example.com", "--out", "mine")["vkey"]
    words = ("index", "build", "log", "place", "--vkey", large, "--kind", "leaf/1")
    done = tiletree.ok(*words, "--key", "mine")
    assert (done["origin"], done["signed_by"], done["place"]) == ("log.example.com", vkey, "place")
    assert head_of("place", "leaf/1", vkey) == 4096
    assert tiletree.ok(*words, "--key", "mine") == done
    assert tiletree(*words).code == 2
    assert tiletree(*words, "--key", "mine", "--private", "log.private").code == 2
    assert tiletree(*words, "--key", "k").code == 1  # another key than the one that began it
    into = tiletree("index", "build", "log", "log", "--vkey", large, "--key", "mine")
    assert into.code == 4
    assert "readers would take the index for that log's own" in into.err
    assert tiletree("index", "build", "log", "--key", "k", "--vkey", large).code == 2


def test_what_goes_wrong_is_remarked(tiletree: Command, large: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`add`, `sequence` and `import` say it beside what they did, and exit 0."""
    tiletree.ok("index", "build", "log", "--key", "k", "--kind", "leaf/1")
    tiletree.ok("init", "copy", "--origin", "copy.example.com", "--key", "o", "--no-page")
    Path("log/index/leaf/1/head").write_text("garbage\n")
    for words in (["add", "log", "--lines", "lines"], ["sequence", "log"]):
        tiletree.ok("submit", "log", "a", "--submitter", "ann")
        done = tiletree(*words, "--key", "k", "--json")
        assert done.code == 0
        assert "malformed signed note" in done.json["index"]
        assert done.err.count("the index is not up to date: malformed signed note") == 1
        assert "`tiletree index build log` lets it catch up" in done.err
    monkeypatch.setattr(own_index, "SCAN_LIMIT", 0)
    Path("copy/index").write_text("in the way")
    done = tiletree("import", "log", "copy", "--key", "o", "--vkey", large, "--json")
    assert (done.code, done.json["published"]) == (0, True)
    assert "index" in done.json
