"""`tiletree admission`: the policy is shown as its file, and changed after a question."""

from __future__ import annotations

from pathlib import Path

from tests.support.command_line import ORIGIN, Command
from tiles.inbox.admission import OPEN, parse_admission

TEXT = "tiletree-admission/v1\nmax-entries 7\nsubmitter ann\n"


def test_shown_and_changed(tiletree: Command, log: str) -> None:
    """What is shown is the file; what goes and what comes is shown before it is asked for; a run takes the new one."""
    assert tiletree("admission", "log").out == "tiletree-admission/v1\n"
    Path("new").write_text(TEXT)
    asked = tiletree("admission", "log", "--set", "new", "--key", "k", stdin=b"y\n")
    assert (asked.code, asked.err.splitlines()[:2]) == (0, ["+ max-entries 7", "+ submitter ann"])
    assert tiletree("admission", "log").out == TEXT
    document = tiletree.ok("admission", "log", "--set", "new", "--key", "k")
    new = parse_admission(TEXT.encode()).sha256
    expected = {"origin": ORIGIN, "admission": new, "policy": TEXT, "instead_of": new}
    assert {name: document[name] for name in expected} == expected
    Path("strict").write_text(TEXT.replace("7", "1"))
    document = tiletree.ok("admission", "log", "--set", "strict", "--yes", "--key", "k")
    assert document["instead_of"] == new
    tiletree.ok("submit", "log", "a", "b", "--submitter", "ann", "--again")
    refused = tiletree.ok("sequence", "log", "--key", "k", "--admission", "strict")["refusals"]
    assert [each["reason"] for each in refused] == ["2 entries, 1 is the most"]


def test_not_changed(tiletree: Command, log: str) -> None:
    """Without a yes, with a file that is no policy, without the key: the log admits what it admitted."""
    Path("new").write_text(TEXT)
    Path("odd").write_text(f"{TEXT}max-entries 7\n")
    for words, code in (
        (["--set", "new", "--key", "k"], 130),
        (["--set", "odd", "--key", "k"], 2),
        (["--set", "nowhere", "--key", "k"], 2),
        (["--set", "new", "--yes", "--key", "nowhere"], 2),
    ):
        assert tiletree("admission", "log", *words).code == code, words
    assert tiletree.ok("admission", "log")["admission"] == OPEN.sha256
