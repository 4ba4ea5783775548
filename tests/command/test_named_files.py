"""`add --name` and `submit --name`, and the proofs of what they log: found by the file, whatever it is called later."""

from __future__ import annotations

import shutil
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.entry_texts import extra
from tiles.entries.file_digest import DigestEntry
from tiles.notes.tlog_proof import parse_tlog_proof

NAME = "résumé v2.txt"
DATA = b"what it says\n"
ENTRY = DigestEntry(sha256(DATA).hexdigest(), len(DATA), NAME)


@pytest.fixture
def named(tiletree: Command, log: str) -> str:
    """Return the vkey of a log whose entry 2 names a file."""
    Path("below").mkdir()
    Path("below", NAME).write_bytes(DATA)
    document = tiletree.ok("add", "log", f"below/{NAME}", "--name", "--key", "k")
    assert [entry["index"] for entry in document["entries"]] == [2]
    return log


def test_what_is_logged(tiletree: Command, named: str) -> None:
    """The digest entry with the name, without folders; the entry is shown as it is."""
    assert tiletree("get", "log", "2", "--vkey", named).out.encode() == ENTRY.data
    assert b"name r%C3%A9sum%C3%A9%20v2.txt\n" in ENTRY.data


@pytest.mark.parametrize("called", [NAME, "another name", "re\u0301sume\u0301 v2.txt"])
def test_proved_and_verified(tiletree: Command, named: str, called: str) -> None:
    """By the file, whatever it is called now; the proof is good under any name."""
    shutil.copy(f"below/{NAME}", called)
    tiletree.ok("prove", "log", called, "-o", "q", "--vkey", named)
    document = tiletree.ok("verify", called, "--proof", "q", "--vkey", named)
    assert (document["index"], document["matched"], document["name"]) == (2, "file", NAME)
    assert f"name      {NAME}" in tiletree("verify", called, "--proof", "q", "--vkey", named).out


def test_what_a_proof_says_is_not_believed(tiletree: Command, named: str) -> None:
    """Extra data that leads to another file's entry, or to a malformed one, is as if it were not there."""
    tiletree.ok("prove", "log", f"below/{NAME}", "-o", "q", "--vkey", named)
    proof = parse_tlog_proof(Path("q").read_bytes())
    assert proof.extra == extra(ENTRY.data)
    Path("renamed").write_bytes(DATA)
    Path("other").write_bytes(b"something else")
    for said in (b"", b"\xff", extra(replace(ENTRY, name="renamed.exe").data), extra(replace(ENTRY, size=1).data)):
        Path("q").write_bytes(replace(proof, extra=said).data)
        assert tiletree("verify", "renamed", "--proof", "q", "--vkey", named).code == 1
        document = tiletree.ok("verify", f"below/{NAME}", "--proof", "q", "--vkey", named)
        assert document["name"] == NAME
    Path("q").write_bytes(proof.data)
    assert tiletree("verify", "other", "--proof", "q", "--vkey", named).code == 1


def test_a_file_that_is_an_entry(tiletree: Command, log: str) -> None:
    """A file whose bytes are another file's named digest entry: the name is not its own."""
    Path("entry").write_bytes(ENTRY.data)
    tiletree.ok("add", "log", "entry", "--raw", "--key", "k")
    tiletree.ok("prove", "log", "entry", "-o", "q", "--vkey", log)
    document = tiletree.ok("verify", "entry", "--proof", "q", "--vkey", log)
    assert document["matched"] == "raw"
    assert "name" not in document


def test_a_blinded_entry(tiletree: Command, log: str) -> None:
    """It is verified by what the proof says of it, if that leads to it from exactly this file."""
    r = bytes(range(32))
    plain = DigestEntry(ENTRY.sha256, ENTRY.size)
    blinded = b"tiletree/blind/v1\nsha256 %s\n" % (sha256(b"tiletree/blind/v1\n" + r + plain.data).hexdigest().encode())
    Path("blinded").write_bytes(blinded)
    Path("file").write_bytes(DATA)
    tiletree.ok("add", "log", "blinded", "--raw", "--key", "k")
    tiletree.ok("prove", "log", "--index", "2", "-o", "q", "--vkey", log)
    assert tiletree("verify", "file", "--proof", "q", "--vkey", log).code == 1
    said = extra(blinded, f"blinding {b64encode(r).decode()}")
    Path("q").write_bytes(replace(parse_tlog_proof(Path("q").read_bytes()), extra=said).data)
    document = tiletree.ok("verify", "file", "--proof", "q", "--vkey", log)
    assert (document["matched"], document["index"]) == ("blinded", 2)
    assert "its digest, blinded" in tiletree("verify", "file", "--proof", "q", "--vkey", log).out
    Path("file").write_bytes(DATA + b"\n")
    assert tiletree("verify", "file", "--proof", "q", "--vkey", log).code == 1


def test_payload_and_name(tiletree: Command, named: str) -> None:
    """A file may be published with its digest and its name, also later than these were logged."""
    again = tiletree.ok("add", "log", f"below/{NAME}", "--name", "--payload", "--key", "k")
    assert again["entries"][0] | {"index": 2, "already": True} == again["entries"][0]
    assert tiletree("get", "log", "2", "--payload", "--vkey", named).out.encode() == DATA


def test_submitted_by_name(tiletree: Command, log: str) -> None:
    """The proof that `submit --wait` writes is good under any name."""
    Path("a name").write_bytes(DATA)
    submitted = tiletree.ok("submit", "log", "a name", "--name", "--submitter", "ann")
    assert submitted["submissions"][0]["entries"] == 1
    tiletree.ok("sequence", "log", "--key", "k")
    assert b"\nname a%20name\n" in tiletree("get", "log", "2", "--vkey", log).out.encode()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-", "--name"), "--name is for files that have a name"),
        (("a", "--name", "--raw"), "--name is for files that have a name"),
        (("--stdin-lines", "--name"), "--name is for files that have a name"),
        (("a", "x\udcff", "--name"), "the name of the file is not text"),
    ],
)
def test_refused(tiletree: Command, log: str, arguments: tuple[str, ...], message: str) -> None:
    """Before anything is logged."""
    Path("x\udcff").write_bytes(b"")
    for command, who in (("add", ("--key", "k")), ("submit", ("--submitter", "ann"))):
        done = tiletree(command, "log", *arguments, *who, stdin=b"")
        assert (done.code, message in done.err) == (2, True), done
    assert tiletree.ok("info", "log", "--vkey", log)["size"] == 2
    assert not list(Path("log.private", "inbox").rglob("*")) if Path("log.private", "inbox").exists() else True
