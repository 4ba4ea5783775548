"""`tiletree add`: files and lines become entries, and it says where."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tiles.entries.file_digest import digest_entry
from tiles.tree.merkle import leaf_hash


def digest(data: bytes) -> bytes:
    """Return the digest entry of a file's content, from its definition."""
    return digest_entry(sha256(data).hexdigest(), len(data))


def test_add_says_where_each_entry_is(tiletree: Command, log: str) -> None:
    """`add --json` has ranges, entries with index, leaf hash and name, size, root, published."""
    Path("c").write_bytes(b"")
    document = tiletree.ok("add", "log", "--again", "c", "a", "--key", "k")
    assert list(document) == ["ranges", "entries", "origin", "size", "root", "published"]
    assert document["ranges"] == [{"first_index": 2, "count": 2}]
    assert document["published"] is True
    assert [(entry["index"], entry["name"]) for entry in document["entries"]] == [(2, "c"), (3, "a")]
    assert document["entries"][0]["leaf_hash"] == leaf_hash(digest(b"")).hex()
    assert document["root"] == tiletree.ok("info", "log", "--vkey", log)["root"]


def test_lines_are_entries(tiletree: Command, log: str) -> None:
    """A newline ends a line, a carriage return is kept, an empty line is an empty entry; the last newline may lack."""
    document = tiletree.ok("add", "log", "--stdin-lines", "--key", "k", stdin=b"one\r\n\nthree")
    assert [entry["leaf_hash"] for entry in document["entries"]] == [
        leaf_hash(line).hex() for line in (b"one\r", b"", b"three")
    ]
    Path("lines").write_bytes(b"x\n")
    assert tiletree.ok("add", "log", "--lines", "lines", "--key", "k")["size"] == 6
    assert base64.b64decode(tiletree.ok("get", "log", 5, "--vkey", log)["entry"]) == b"x"


def test_many_entries_are_ranges_only(tiletree: Command, log: str) -> None:
    """Above 1,000 entries there are ranges and no entries, complete and in input order."""
    lines = b"".join(b"%d\n" % n for n in range(1001))
    document = tiletree.ok("add", "log", "--stdin-lines", "--key", "k", "--batch-size", 300, stdin=lines)
    assert "entries" not in document
    assert document["ranges"] == [{"first_index": 2, "count": 1001}]
    text = tiletree("add", "log", "--stdin-lines", "--key", "k", "--batch-size", 600, stdin=lines).out
    assert len(text.splitlines()) < 700


def test_nothing_to_add_is_no_error(tiletree: Command, log: str) -> None:
    """An empty input adds nothing, and says what the log is."""
    document = tiletree.ok("add", "log", "--stdin-lines", "--key", "k")
    assert document["ranges"] == []
    assert document["size"] == 2


def test_a_line_that_is_too_long_is_refused(tiletree: Command, log: str) -> None:
    """What came before it is added and reported; the error names the line; exit code 2."""
    done = tiletree("add", "log", "--stdin-lines", "--key", "k", "--json", stdin=b"x\n" + b"y" * 65_536 + b"\nz\n")
    assert done.code == 2
    assert done.json["ranges"] == [{"first_index": 2, "count": 1}]
    assert "line 2" in done.json["error"]["message"]


def test_raw_logs_the_bytes(tiletree: Command, log: str) -> None:
    """--raw logs up to 65,535 bytes as they are; one more is refused before anything is added."""
    Path("most").write_bytes(b"m" * 65_535)
    Path("more").write_bytes(b"m" * 65_536)
    done = tiletree("add", "log", "--again", "most", "more", "--raw", "--key", "k")
    assert done.code == 2
    assert tiletree.ok("info", "log", "--vkey", log)["size"] == 2
    tiletree.ok("add", "log", "--again", "most", "--raw", "--key", "k")
    tiletree.ok("prove", "log", "--index", 2, "-o", "q")
    assert tiletree.ok("verify", "most", "--proof", "q", "--vkey", log)["matched"] == "raw"


def test_files_that_are_there_already(tiletree: Command, log: str) -> None:
    """They are not logged again, and it is said where they are; --again logs them."""
    Path("c").write_bytes(b"content of c\n")
    document = tiletree.ok("add", "log", "b", "c", "c", "a", "--key", "k")
    assert [(each["index"], each["name"], "already" in each) for each in document["entries"]] == [
        (1, "b", True),
        (2, "c", False),
        (2, "c", True),
        (0, "a", True),
    ]
    assert (document["size"], document["already"]) == (3, 3)
    assert document["ranges"] == [{"first_index": 1, "count": 2}, *({"first_index": n, "count": 1} for n in (2, 0))]
    done = tiletree("add", "log", "a", "c", "--key", "k")
    assert (done.code, done.err) == (0, "")
    assert [line.rpartition("  ")[2] for line in done.out.splitlines()[:2]] == [
        f"{n}, already in the log" for n in "ac"
    ]
    assert done.out.splitlines()[2].startswith("nothing new: all of it was in the log already; the published")
    again = tiletree.ok("add", "log", "a", "c", "--again", "--key", "k")
    assert (again["size"], "already" in again) == (5, False)
    assert [each["index"] for each in again["entries"]] == [3, 4]
    assert "already" not in tiletree.ok("add", "log", "--stdin-lines", "--key", "k", stdin=b"x\nx\n")
    for command, who in (("add", ("--key", "k")), ("submit", ("--submitter", "ann"))):
        wrong = tiletree(command, "log", "--stdin-lines", "--again", *who, stdin=b"x\n")
        assert (wrong.code, "--again is for files" in wrong.err) == (2, True)


def test_where_many_are(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more entries than are listed, the ranges say where each is, in the order of the call."""
    monkeypatch.setattr("tiletree.commands.add_report.SHOWN_ENTRIES", 2)
    for name in "cde":
        Path(name).write_bytes(name.encode())
    document = tiletree.ok("add", "log", "c", "b", "d", "e", "a", "--key", "k")
    assert document["ranges"] == [
        {"first_index": 2, "count": 1},
        {"first_index": 1, "count": 1},
        {"first_index": 3, "count": 2},
        {"first_index": 0, "count": 1},
    ]
    out = tiletree("add", "log", "c", "b", "d", "e", "a", "--key", "k").out
    assert out.startswith("5 entries that were in the log already\nnothing new")


def test_what_may_be_there(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody could look, the file is logged, and that is said, by `sequence` as well."""
    monkeypatch.setattr("tiles.index.known.MAX_TAIL", 1)
    tiletree.ok("submit", "log", "a", "--submitter", "ann")
    for words in (("add", "log", "a"), ("sequence", "log")):
        done = tiletree(*words, "--key", "k", "--json")
        assert (done.code, done.json["once"]) == (0, False)
        assert "some may have been in the log already" in done.err
