"""`tiletree index`: what it says, where it puts what, and whose it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.extractors import declared, forget, install
from tiles.index import own_index
from tiles.notes.index_head import open_index_head, sign_index_head
from tiles.notes.keys import parse_vkey
from tiles.signing.key_file import read_key
from tiles.tree.merkle import Hash


@pytest.fixture
def large(tiletree: Command, log: str) -> str:
    """Return the vkey of a log of 4,098 entries."""
    Path("lines").write_text("".join(f"{number}\n" for number in range(4096)))
    tiletree.ok("add", "log", "--lines", "lines", "--key", "k")
    return log


def head_of(place: str, kind: str, vkey: str) -> int:
    """Return how much an index covers that a key has signed."""
    return open_index_head(Path(f"{place}/index/{kind}/head").read_bytes(), [parse_vkey(vkey)]).tree.size


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
        "repaired": [],
    }
    assert not Path("log/index/sha256").exists()
    tiletree.ok("add", "log", "--lines", "lines", "--key", "k")
    assert [head_of("log", kind, large) for kind in ("leaf/1", "name/1")] == [8192, 8192]
    assert tiletree.ok("status", "log", "--key", "k")["indexes"] == [
        {"kind": "leaf/1", "covered": 8192, "problem": None},
        {"kind": "name/1", "covered": 8192, "problem": None},
    ]
    assert "\nindex      leaf/1 covers 8192 entries, name/1 covers 8192" in tiletree("status", "log", "--key", "k").out
    stopped = tiletree.ok("index", "stop", "log", "--kind", "name/1")
    assert stopped == {"origin": "log.example.com", "stopped": ["name/1"]}
    assert tiletree("index", "stop", "log", "--kind", "nam/1").code == 2
    done = tiletree("index", "build", "log", "--key", "k")
    assert done.out.startswith("leaf/1  covers 8192 of 8194 entries, 8192 records\nsha256/1  covers 8192")
    assert done.out.endswith(f"index of log.example.com in log, signed by {large}\n")
    assert tiletree.ok("audit", "log", "--vkey", large)["findings"] == []
    assert tiletree.ok("repair", "log", "--vkey", large, "--dry-run")["repaired"] == []
    tiletree.ok("freeze", "log", "--yes", "--key", "k")
    assert tiletree.ok("index", "build", "log", "--key", "k", "--kind", "sha512/1")["indexes"][0]["covered"] == 8192


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
        tiletree.ok("submit", "log", "--again", "a", "--submitter", "ann")
        done = tiletree(*words, "--key", "k", "--json")
        assert done.code == 0
        assert "malformed signed note" in done.json["index"]
        assert done.err.count("the index is not up to date: malformed signed note") == 1
        assert "`tiletree index build log` lets it catch up" in done.err
    revoked = tiletree.ok("revoke", "a", "--log", "log", "--reason", "why", "--log-key", "k")
    assert revoked["index"] == revoked["size"] - 1, "where the revocation is; the remark has another name"
    assert "malformed signed note" in revoked["index_behind"]
    monkeypatch.setattr(own_index, "SCAN_LIMIT", 0)
    Path("copy/index").write_text("in the way")
    done = tiletree("import", "log", "copy", "--key", "o", "--vkey", large, "--json")
    assert (done.code, done.json["published"]) == (0, True)
    assert "index" in done.json


def test_check(tiletree: Command, large: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sound, damaged, repaired; a lie, by itself and by another head, with evidence that others can check."""
    words = ("index", "check", "log", "--vkey", large)
    none = tiletree(*words)
    assert (none.code, "has no index" in none.err) == (3, True)
    tiletree.ok("index", "build", "log", "--key", "k", "--kind", "leaf/1")
    sound = {
        "kind": "leaf/1",
        "place": "index/leaf/1/head",
        "covered": 4096,
        "lies": [],
        "damaged": [],
        "evidence": None,
    }
    assert tiletree.ok(*words, "--work", "checked")["indexes"] == [sound]
    assert tiletree(*words).out == "leaf/1  follows from the first 4096 entries\n"

    Path("log/index/leaf/1/0/000/000").write_bytes(b"x")
    damaged = tiletree(*words, "--work", "checked")
    assert damaged.code == 3
    assert damaged.out.startswith("index/leaf/1/0/000/000: is not what the head stands for\nleaf/1  1 objects are")
    done = tiletree.ok("index", "build", "log", "--key", "k", "--kind", "leaf/1", "--repair")
    assert done["repaired"] == [{"path": "index/leaf/1/0/000/000", "problem": "is not what the head stands for"}]
    assert tiletree.ok(*words)["indexes"] == [sound]

    path, key = Path("log/index/leaf/1/head"), read_key(Path("k"))
    true, head = path.read_bytes(), open_index_head(path.read_bytes(), [parse_vkey(large)])
    path.write_bytes(sign_index_head(replace(head, runs=(replace(head.runs[0], root=Hash(bytes(32))),)), key).data)
    lie = tiletree(*words, "--json")
    (report,) = lie.json["indexes"]
    assert lie.code == 1
    assert len(report["lies"]) == 1
    assert report["damaged"] == []
    saved = Path(report["evidence"])
    assert (saved / "index-head").read_bytes() == path.read_bytes()
    assert (saved / "checkpoint").read_bytes() == Path("log/checkpoint").read_bytes()
    assert f"tiletree index check LOG --vkey {large} --against index-head" in (saved / "README").read_text()
    assert "begin the kind's next version" in tiletree(*words).out
    assert tiletree("index", "build", "log", "--key", "k", "--kind", "leaf/1", "--repair").code == 1

    Path("true").write_bytes(true)
    both = tiletree(*words, "--against", "true", "--save", "evidence", "--json").json["indexes"]
    assert both[1]["lies"][0].startswith("one says of a run '0 0 4096 ")
    assert Path("evidence/leaf-1/other-index-head").read_bytes() == path.read_bytes()
    path.write_bytes(true)  # what was signed cannot be taken back
    assert tiletree(*words, "--against", saved / "index-head").code == 1
    path.write_text("garbage\n")
    assert tiletree(*words).code == 3


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a directory in which distributions are installed."""
    place = tmp_path / "site"
    place.mkdir()
    monkeypatch.syspath_prepend(place)
    forget()
    yield place
    forget()


def test_an_application(tiletree: Command, log: str, site: Path) -> None:
    """The example, whole: entries are found by what its extractor says, and those for which it fails are counted."""
    words = ("search", "log", "--vkey", log, "--kind", "acme.build/1=1234")
    unknown = tiletree(*words)
    assert (unknown.code, "no entry is found by acme.build/1 here" in unknown.err) == (2, True)
    install(site, declared())
    lines = [f'{{"build": "{number}", "commit": "c{number % 7}"}}' for number in range(4000)]
    Path("builds").write_text("\n".join([*lines, "no build", '{"build": 5}', *["{"] * 100]))
    tiletree.ok("add", "log", "--lines", "builds", "--key", "k")
    done = tiletree.ok("index", "build", "log", "--key", "k", "--kind", "acme.build/1")
    assert done["indexes"] == [{"kind": "acme.build/1", "covered": 4096, "records": 2 * 4000}]
    assert done["failed"] == {"acme.build/1": 93}
    assert tiletree.ok("index", "check", "log", "--vkey", log)["indexes"][0]["lies"] == []
    assert [hit["index"] for hit in tiletree.ok(*words)["hits"]] == [1236]
