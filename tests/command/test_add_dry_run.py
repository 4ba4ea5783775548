"""`tiletree add --dry-run`: what would be recorded is what is recorded, and nothing is written to find it out."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Command
from tiles.errors import AccessError
from tiles.notes.policy import Accepted
from tiles.read.client import LogClient
from tiletree import inputs

KEY = ("--key", "k")


def everything() -> dict[str, bytes]:
    """Return all files that are there: of the log, its private part, its key, and the user's memory."""
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file() and path.name != ".lock"}


def foreseen(tiletree: Command, *words: object, stdin: bytes = b"") -> dict[str, Any]:
    """Return what a call of `add` foresees, without the key; see that it writes nothing, and is what is added then."""
    Path("k").rename("away")
    before = everything()
    document = tiletree.ok("add", "log", *words, "--dry-run", stdin=stdin)
    assert everything() == before
    Path("away").rename("k")
    assert (document["dry_run"], document["published"]) == (True, False)
    done = tiletree.ok("add", "log", *words, *KEY, stdin=stdin)
    assert document["count"] - document.get("already", 0) == done["size"] - document["size"]
    for told, there in zip(document["entries"], done["entries"], strict=True):
        assert (told["name"], told.get("leaf_hash"), told.get("already")) == (
            there["name"],
            there["leaf_hash"],
            there.get("already"),
        )
        assert told.get("index", there["index"]) == there["index"]
    return document


@pytest.mark.parametrize("more", [(), ("--name",), ("--payload",), ("--raw",), ("--again",), ("--proofs",)])
def test_files(tiletree: Command, log: str, more: tuple[str, ...]) -> None:
    """Names, kind, digest, size, and where it is in the log already."""
    Path("dist").mkdir()
    shutil.copy("a", "dist/a")
    Path("dist/new").write_bytes(b"new")
    document = foreseen(tiletree, "dist", "dist/new", *more)
    first, new = document["entries"][:2]
    assert (new["name"], new["sha256"], new["size"]) == ("dist/new", sha256(b"new").hexdigest(), 3)
    assert new["kind"] == ("raw" if more == ("--raw",) else "file")
    assert new.get("logged_name") == ("new" if more == ("--name",) else None)
    assert new.get("payload") == (f"payload/sha256/{new['sha256']}" if more == ("--payload",) else None)
    assert new.get("proof") == ("dist/new.tlog-proof" if more == ("--proofs",) else None)
    assert first.get("index") == (0 if more in ((), ("--payload",), ("--proofs",)) else None)


def test_lines(tiletree: Command, log: str) -> None:
    """They are counted and described; what is in the log does not matter to them."""
    document = foreseen(tiletree, "--stdin-lines", stdin=b"x\ny\nx\n")
    assert [(each["name"], each["kind"], each["size"]) for each in document["entries"]] == [
        (f"-:{number}", "raw", 1) for number in (1, 2, 3)
    ]
    wrong = tiletree("add", "log", "--stdin-lines", "--dry-run", stdin=b"y" * 65_536)
    assert (wrong.code, "line 1" in wrong.err) == (2, True)


def test_in_words(tiletree: Command, log: str) -> None:
    """A line for each file, and what would come of it."""
    Path("c").write_bytes(b"c")
    done = tiletree("add", "log", "a", "c", "c", "--dry-run", *KEY)
    digests = [sha256(data).hexdigest() for data in (b"content of a\n", b"c")]
    assert done.out.splitlines() == [
        f"a  file  sha256:{digests[0]}  13 bytes, already in the log at 0",
        f"c  file  sha256:{digests[1]}  1 bytes",
        f"c  file  sha256:{digests[1]}  1 bytes, named twice",
        "would add 1 of 3 entries to log.example.com, size 2, 2 are there already; nothing was written",
    ]


def test_many(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few are listed, and all are counted."""
    monkeypatch.setattr("tiletree.commands.add_dry_run.SHOWN_ENTRIES", 2)
    names = [f"file {number}" for number in range(5)]
    for name in names:
        Path(name).write_text(name)
    document = tiletree.ok("add", "log", *names, "b", "--dry-run")
    assert (len(document["entries"]), document["count"], document["already"]) == (2, 6, 1)
    assert "and 4 more\n" in tiletree("add", "log", *names, "b", "--dry-run").out


def test_blinded(tiletree: Command, log: str) -> None:
    """The secret is not made: then the entry is not known; with it, it is."""
    before = everything()
    done = tiletree("add", "log", "a", "--blind", "--dry-run", *KEY, "--json")
    assert everything() == before
    assert (done.code, done.json["entries"][0]["kind"], "leaf_hash" in done.json["entries"][0]) == (0, "blinded", False)
    assert "the blinding secret k.blinding would be made" in done.err
    added = tiletree.ok("add", "log", "a", "--blind", *KEY)
    again = tiletree.ok("add", "log", "a", "--blind", "--dry-run", *KEY)["entries"][0]
    assert (again["leaf_hash"], again["index"], again["already"]) == (added["entries"][0]["leaf_hash"], 2, True)


def test_what_cannot_be_told(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a log it is a wrong address; with one that cannot be reached, it is said, and the rest is answered."""
    nowhere = tiletree("add", "nowhere", "a", "--dry-run")
    assert (nowhere.code, "there is no log at nowhere" in nowhere.err) == (3, True)

    def unreachable(_: LogClient) -> Accepted:
        raise AccessError("log/checkpoint: connection refused")

    monkeypatch.setattr(LogClient, "visit", unreachable)
    away = tiletree("add", "log", "a", "--dry-run", "--json")
    assert (away.code, away.json["origin"], "already" in away.json) == (0, None, False)
    assert away.json["already_unknown"] == "log/checkpoint: connection refused"
    assert "whether some of it is in the log already cannot be told: log/checkpoint: connection" in away.err
    assert away.json["entries"][0]["sha256"] == sha256(b"content of a\n").hexdigest()


def test_a_file_that_changes_while_it_is_read(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the call is added: what was read may be neither the old file nor the new one."""
    whole = inputs.file_entry

    def grows(stream: Any) -> bytes:
        entry = whole(stream)
        with Path("growing").open("ab") as file:
            file.write(b"more")
        return entry

    Path("growing").write_bytes(b"begun")
    with monkeypatch.context() as patch:
        patch.setattr(inputs, "file_entry", grows)
        for more in ((), ("--dry-run",)):
            done = tiletree("add", "log", "a", "growing", *more, *KEY)
            assert (done.code, "growing changed while it was read" in done.err) == (3, True), done
    assert tiletree.ok("info", "log", "--vkey", log)["size"] == 2
