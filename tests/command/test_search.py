"""`tiletree search`: all entries that have what is looked for, newest first, or exit code 8."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, Command

DATA = b"what it says\n"
HEX = sha256(DATA).hexdigest()


@pytest.fixture
def filled(tiletree: Command, log: str) -> str:
    """Return the vkey of a log that has one file under two names, without one, and as it is."""
    Path("app.whl").write_bytes(DATA)
    Path("ré 2").write_bytes(DATA)
    for options in (("app.whl",), ("app.whl", "--name"), ("ré 2", "--name"), ("app.whl", "--raw")):
        tiletree.ok("add", "log", *options, "--key", "k")
    return log


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (("app.whl",), [5, 4, 3, 2]),
        (("--sha256", HEX), [5, 4, 3, 2]),
        (("--sha256", HEX.upper()), [5, 4, 3, 2]),
        (("--name", "app.whl"), [3]),
        (("--name", "re\u0301 2"), [4]),
        (("--name", "app.whl", "--sha256", HEX), [3]),
        (("app.whl", "--name", "ré 2"), [4]),
        (("--kind", f"sha256/1={HEX}"), [5, 4, 3, 2]),
        (("--kind", "name/1=app.whl"), [3]),
        (("app.whl", "--before", "4"), [3, 2]),
        (("app.whl", "--most", "1"), [5]),
        (("a",), [0]),
    ],
)
def test_found(tiletree: Command, filled: str, asked: tuple[str, ...], found: list[int]) -> None:
    """Whatever the file is called now, and in whatever form it was logged."""
    document = tiletree.ok("search", "log", *asked, "--vkey", filled)
    assert [hit["index"] for hit in document["hits"]] == found
    assert (document["covered"], document["size"], document["proven"]) == (6, 6, True)
    assert document.get("more") == (3 if "--most" in asked else None)
    lines = tiletree("search", "log", *asked, "--vkey", filled).out.splitlines()
    assert [int(line.split()[0]) for line in lines if line[0].isdigit()] == found
    assert ("and 3 older ones or more: --before 5 shows them" in lines) == ("--most" in asked)


def test_by_leaf_hash(tiletree: Command, filled: str) -> None:
    """What a hit says of itself finds it again."""
    (hit,) = tiletree.ok("search", "log", "--name", "ré 2", "--vkey", filled)["hits"]
    assert hit["kind"] == "file"
    assert {key["kind"]: key["value"] for key in hit["keys"]} == {
        "leaf/1": hit["leaf_hash"],
        "sha256/1": HEX,
        "name/1": "ré 2",
    }
    assert tiletree.ok("search", "log", "--leaf", hit["leaf_hash"], "--vkey", filled)["hits"] == [hit]
    for key in hit["keys"]:
        same = tiletree.ok("search", "log", "--kind", f"{key['kind']}={key['value']}", "--vkey", filled)
        assert hit in same["hits"]


def test_not_there(tiletree: Command, filled: str) -> None:
    """Exit code 8: all entries were looked at, and the document says so."""
    Path("other").write_bytes(b"never logged")
    for asked in (("other",), ("--name", "App.whl"), ("--name", "app.whl", "--before", "3"), ("--leaf", HEX)):
        done = tiletree("search", "log", *asked, "--vkey", filled, "--json")
        assert done.code == 8
        assert done.json["error"]["kind"] == "NotLogged"
        assert (done.json["hits"], done.json["proven"], done.json["covered"]) == ([], True, 6)
        assert f"not among the 6 entries of {ORIGIN}" in done.err


def test_a_damaged_log(tiletree: Command, filled: str) -> None:
    """Nothing is said to be absent from a log that does not verify."""
    for path in Path("log/tile/entries").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1] + b"?")
    done = tiletree("search", "log", "--name", "nobody", "--vkey", filled, "--json")
    assert done.code == 1
    assert "proven" not in done.json


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ((), "name a file, or what to look for"),
        (("--sha256", "12"), "64 hexadecimal digits"),
        (("--kind", "name/1"), "KIND=VALUE"),
        (("--kind", "identity/1=a"), "no entry is found by identity/1"),
        (("--name", "a/b"), "no slash"),
    ],
)
def test_wrong_calls(tiletree: Command, log: str, asked: tuple[str, ...], message: str) -> None:
    """Nothing is read for them."""
    done = tiletree("search", "log", *asked, "--vkey", log)
    assert (done.code, message in done.err) == (2, True), done


def test_a_large_log(tiletree: Command, filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """--scan looks through it."""
    monkeypatch.setattr("tiles.index.scan.SCAN_LIMIT", 5)
    done = tiletree("search", "log", "app.whl", "--vkey", filled)
    assert (done.code, "--scan" in done.err) == (2, True)
    assert len(tiletree.ok("search", "log", "app.whl", "--scan", "--vkey", filled)["hits"]) == 4
