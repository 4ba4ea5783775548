"""`tiletree add`: files and lines become entries, and it says where."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path

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
