"""`tiletree prove` of many entries: what is written where, and what one that cannot be proven costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import Command
from tiles.entries.proof_extra import parse_proof_extra
from tiles.errors import TileError
from tiles.notes.tlog_proof import parse_tlog_proof

NAMES = ["a", "b", *(f"file {number}" for number in range(300))]


def names(folder: str) -> list[str]:
    """Return the names in a folder."""
    return sorted(path.name for path in Path(folder).iterdir())


@pytest.fixture
def large(tiletree: Command, log: str) -> str:
    """Return the vkey of a log of 302 files: two tiles of entries."""
    for name in NAMES[2:]:
        Path(name).write_text(name)
    tiletree.ok("add", "log", *NAMES[2:], "--key", "k")
    return log


def test_all(tiletree: Command, large: str) -> None:
    """Each entry's proof is a file named by its index, and all verify; the answer does not list them."""
    document = tiletree.ok("prove", "log", "--all", "--out-dir", "some/proofs", "--vkey", large)
    assert document["written"] == 302
    assert document["directory"] == "some/proofs"
    assert "proofs" not in document
    assert (names("some/proofs")) == sorted(f"{index}.tlog-proof" for index in range(302))
    for index in (0, 1, 257, 258, 301):
        verified = tiletree.ok("verify", NAMES[index], "--proof", f"some/proofs/{index}.tlog-proof", "--vkey", large)
        assert verified["index"] == index
    again = tiletree("prove", "log", "--all", "--out-dir", "some/proofs", "--vkey", large)
    assert again.out == "wrote 302 proofs into some/proofs: log.example.com, size 302\n"


def test_files_and_indexes(tiletree: Command, large: str) -> None:
    """What is named is listed, each file with its entry; the proofs are those that are made one by one."""
    document = tiletree.ok("prove", "log", "b", "file 299", "b", "a", "--out-dir", "made", "--vkey", large)
    assert document["proofs"] == [
        {"file": "a", "index": 0, "name": "0.tlog-proof"},
        {"file": "b", "index": 1, "name": "1.tlog-proof"},
        {"file": "file 299", "index": 301, "name": "301.tlog-proof"},
    ]
    assert document["written"] == 3
    document = tiletree.ok("prove", "log", "--index", 301, "--index", 0, "--out-dir", "more", "--vkey", large)
    assert document["proofs"] == [
        {"index": 0, "name": "0.tlog-proof"},
        {"index": 301, "name": "301.tlog-proof"},
    ]
    tiletree.ok("prove", "log", "file 299", "-o", "alone", "--vkey", large)
    assert (
        Path("made/301.tlog-proof").read_bytes()
        == Path("more/301.tlog-proof").read_bytes()
        == Path("alone").read_bytes()
    )


def test_names_in_entries_name_no_file(tiletree: Command, large: str) -> None:
    """A file's name is logged, goes into the proof, and names nothing here."""
    Path("name with -").write_bytes(b"named")
    tiletree.ok("add", "log", "name with -", "--name", "--key", "k")
    tiletree.ok("prove", "log", "name with -", "a", "--out-dir", "made", "--vkey", large)
    assert (names("made")) == ["0.tlog-proof", "302.tlog-proof"]
    extra = parse_tlog_proof(Path("made/302.tlog-proof").read_bytes()).extra
    assert b"name name%20with%20-\n" in parse_proof_extra(extra).entry


def test_one_that_is_not_logged(tiletree: Command, large: str) -> None:
    """The others are written, each trouble is said, and the exit code is that of the worst."""
    Path("never").write_bytes(b"never logged")
    Path("nor this").write_bytes(b"nor this")
    done = tiletree("prove", "log", "a", "never", "b", "nor this", "--out-dir", "made", "--vkey", large)
    assert done.code == 8
    assert (names("made")) == ["0.tlog-proof", "1.tlog-proof"]
    assert "not proven: never: " in done.out
    assert "not proven: nor this: " in done.out
    assert "2 of 4 files not proven; never: " in done.err
    document = tiletree("prove", "log", "a", "never", "--out-dir", "made", "--vkey", large, "--json").json
    assert document["written"] == 1
    assert [each["file"] for each in document["proofs"]] == ["a"]
    assert [each["what"] for each in document["unproven"]] == ["never"]
    assert document["unproven"][0]["error"]["kind"] == document["error"]["kind"] == "NotLogged"


def test_a_tile_that_is_damaged(tiletree: Command, large: str) -> None:
    """The entries below other tiles are proven; exit code 1 goes before 8."""
    Path("never").write_bytes(b"never logged")
    tiletree.ok("info", "log", "--vkey", large)  # so that no later visit reads tiles
    Path("log/tile/0/000").write_bytes(bytes(8192))
    done = tiletree("prove", "log", "--all", "--out-dir", "made", "--vkey", large, "--json")
    assert done.code == 1
    assert (names("made")) == sorted(f"{index}.tlog-proof" for index in range(256, 302))
    assert done.json["written"] == 46
    assert [each["what"] for each in done.json["unproven"]] == ["entries 0 to 255"]
    assert done.json["error"]["kind"] == TileError.__name__
    assert "256 of 302 entries not proven; entries 0 to 255: " in done.json["error"]["message"]
    done = tiletree("prove", "log", "--index", 7, "--index", 300, "--out-dir", "more", "--vkey", large)
    assert done.code == 1
    assert "not proven: entry 7: " in done.out
    assert names("more") == ["300.tlog-proof"]


def test_pruned(tiletree: Command, large: str) -> None:
    """--all begins at the log's minimum index."""
    document = tiletree.ok("prove", "log", "--all", "--pruned", 256, "--out-dir", "made", "--vkey", large)
    assert document["written"] == 46
    assert "255.tlog-proof" not in names("made")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("a b", "many proofs go beside the files, with --beside, or into a folder"),
        ("--index 0 --index 1", "many proofs go into a folder"),
        ("--all", "many proofs go into a folder"),
        ("--all a --out-dir made", "name files, or --index, or --all"),
        ("--index 0 a --out-dir made", "name files, or --index, or --all"),
        ("--out-dir made", "name files, or --index, or --all"),
        ("--all --out-dir made -o alone", "go with one proof"),
        ("--index 0 --out-dir made --when", "go with one proof"),
        ("--index 0 --out-dir made --through log.example.com", "go with one proof"),
        ("a - --out-dir made", "standard input is read alone"),
        ("a missing --out-dir made", "there is no file missing"),
        ("--index 0 --index 2 --out-dir made", "has no entry 2"),
    ],
)
def test_wrong_calls(tiletree: Command, log: str, call: str, says: str) -> None:
    """They are refused before anything is written."""
    done = tiletree("prove", "log", *call.split(), "--vkey", log)
    assert done.code == 2
    assert says in done.err
    assert not Path("made").exists()


def test_a_folder_that_cannot_be_made(tiletree: Command, log: str) -> None:
    """Where a file is in its place, that is said."""
    done = tiletree("prove", "log", "--all", "--out-dir", "a/p", "--vkey", log)
    assert done.code == 3
    assert "a/p cannot be made: " in done.err
