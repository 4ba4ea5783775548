"""`tiletree sequence` beside what cannot be deleted or listed: it is said, also in JSON, and the log goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tiles.errors import AccessError
from tiles.store import Listed
from tiles.store.directory import DirectoryStore

pytestmark = pytest.mark.usefixtures("log")

UNCHANGED = "the published checkpoint is unchanged: log.example.com"
delete, list_below = DirectoryStore.delete, DirectoryStore.list


def held(self: DirectoryStore, paths: Iterable[str]) -> None:
    """Delete nothing of eve's."""
    for path in paths:
        if path.startswith("inbox/eve/"):
            raise AccessError(f"cannot delete {path}: held on purpose")
        delete(self, [path])


def closed(self: DirectoryStore, prefix: str) -> Iterator[Listed]:
    """List nothing of eve's."""
    if prefix in ("inbox/", "inbox/eve/"):
        raise AccessError("cannot list inbox/eve: closed on purpose")
    return list_below(self, prefix)


def submit_both(tiletree: Command) -> None:
    """Submit something as ann and as eve."""
    for who in ("ann", "eve"):
        Path(who).write_text(who)
        tiletree.ok("submit", "log", who, "--submitter", who, "--receipt", f"{who}.receipt")


def test_what_cannot_be_deleted(tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run says so and exits 0, and so does each later one; add and freeze go on; gc ends it."""
    submit_both(tiletree)
    with monkeypatch.context() as patch:
        patch.setattr(DirectoryStore, "delete", held)
        said = tiletree("sequence", "log")
        assert (said.code, said.out.count("submissions 2")) == (0, 1)
        assert "1 decided submissions stay in the inbox, because they could not be deleted, such as eve/" in said.err
        again = tiletree.ok("sequence", "log")
        assert (again["batches"], again["undeletable"], again["size"]) == ([], 1, 4)
        Path("c").write_text("c")
        assert tiletree.ok("add", "log", "c")["size"] == 5
        assert tiletree.ok("gc", "log")["decided"] == 0
    assert tiletree.ok("gc", "log", "--dry-run")["decided"] == 0
    assert tiletree.ok("gc", "log")["decided"] == 1
    assert "undeletable" not in tiletree.ok("sequence", "log")
    assert tiletree.ok("freeze", "log", "--yes")["size"] == 5


def test_nothing_to_do(tiletree: Command) -> None:
    """A run that decides nothing says why, and that it has published nothing; one that waits says what waits."""
    idle = tiletree("sequence", "log").out.splitlines()
    assert idle[0] == "nothing was added: nothing waits in the inbox"
    assert idle[1].startswith(f"{UNCHANGED}, size 2, root ")
    assert len(idle) == 2
    tiletree.ok("submit", "log", "a", "--again", "--submitter", "ann")
    waits = tiletree("sequence", "log", "--align").out
    assert waits.startswith("1 submissions wait on")
    only = tiletree("sequence", "log", "--only", "publish").out
    assert only.startswith("nothing was added: --only publish takes nothing from the inbox\n")
    assert "nothing was added" not in tiletree("sequence", "log").out
    tiletree.ok("freeze", "log", "--yes")
    frozen = tiletree("sequence", "log").out
    assert frozen.startswith("nothing was added: the log is frozen\n")
    assert "published log" not in frozen


def test_what_was_added(tiletree: Command) -> None:
    """Entries that were logged are published: that is said, and counted."""
    submit_both(tiletree)
    said = tiletree("sequence", "log").out.splitlines()
    assert said[0] == "2 to 3  entries 2, submissions 2"
    assert said[1].startswith("published log.example.com, size 4, root ")
    for who in ("ann", "eve"):
        tiletree.ok("submit", "log", who, "--submitter", who)
    done = tiletree.ok("sequence", "log")
    assert (done["batches"], done["already"], done["checkpoints"], done["published"]) == ([], 2, 0, True)
    tiletree.ok("submit", "log", "ann", "--again", "--submitter", "ann")
    done = tiletree.ok("sequence", "log")
    assert (done["finished"], len(done["batches"]), done["checkpoints"]) == ([], 1, 1)


def test_an_earlier_commit_is_finished(tiletree: Command) -> None:
    """What an earlier run has committed is published: which entries, and no word of nothing being added."""
    for only in ([], ["--only", "publish"]):
        tiletree.ok("submit", "log", "a", "--again", "--submitter", "ann")
        first = tiletree("sequence", "log", "--only", "commit").out.splitlines()
        assert first[1] == "committed, and not published: the next run does that"
        assert first[2].startswith(UNCHANGED)
        said = tiletree("sequence", "log", *only).out.splitlines()
        assert said[0].endswith("  entries 1, committed by an earlier run and published by this one")
        assert said[1].startswith("published log.example.com, size ")
        assert len(said) == 2
    tiletree.ok("submit", "log", "a", "--again", "--submitter", "ann")
    tiletree.ok("sequence", "log", "--only", "commit")
    tiletree.ok("submit", "log", "b", "--again", "--submitter", "ann")
    done = tiletree.ok("sequence", "log")
    assert done["finished"] == [{"first_index": 4, "count": 1}]
    assert (done["batches"], done["checkpoints"]) == ([{"first_index": 5, "count": 1, "submissions": 1}], 2)


def test_a_decision_without_entries(tiletree: Command) -> None:
    """Nothing is published for entries that were in the log already, and no run is promised that would do it."""
    tiletree.ok("submit", "log", "a", "--submitter", "ann")
    said = tiletree("sequence", "log", "--only", "commit").out.splitlines()
    assert said[0] == "1 entries of submissions that were in the log already"
    assert said[1] == "decided: the next run takes it out of the inbox"
    assert said[2].startswith(UNCHANGED)


def test_signatures_without_entries(tiletree: Command) -> None:
    """A signature of the log is taken off its checkpoint: a run publishes it again, and says that nothing is new."""
    tiletree.ok("key", "add", "log", "--key", "k")
    whole = Path("log/checkpoint").read_bytes()
    Path("log/checkpoint").write_bytes(whole.rsplit(b"\n", 2)[0] + b"\n")
    said = tiletree("sequence", "log").out.splitlines()
    assert said[0] == "nothing was added: nothing waits in the inbox"
    assert said[1].startswith("published log.example.com, size 2, root ")
    assert said[1].endswith(": no new entries, but signatures that it lacked")
    assert Path("log/checkpoint").read_bytes() == whole


def test_other_commands_say_the_same(tiletree: Command) -> None:
    """`add` and `refresh` finish what was committed, and say whether they have published anything."""
    assert f"nothing new: all of it was in the log already; {UNCHANGED}" in tiletree("add", "log", "a").out
    assert tiletree("refresh", "log").out.startswith(UNCHANGED)
    for words in (["add", "log", "a"], ["refresh", "log"]):
        tiletree.ok("submit", "log", "b", "--again", "--submitter", "ann")
        tiletree.ok("sequence", "log", "--only", "commit")
        said = tiletree(*words).out
        assert "entries 1, committed by an earlier run and published by this one\n" in said
        assert "published log.example.com, size " in said
        assert UNCHANGED not in said
    tiletree.ok("submit", "log", "b", "--again", "--submitter", "ann")
    tiletree.ok("sequence", "log", "--only", "commit")
    assert tiletree.ok("add", "log", "a")["finished"] == [{"first_index": 4, "count": 1}]


def test_what_another_run_could_not_delete(tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """`add` that tidies up after a run that died says what it could not delete."""
    submit_both(tiletree)

    def dies(self: DirectoryStore, paths: Iterable[str]) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DirectoryStore, "delete", dies)
        assert tiletree("sequence", "log").code == 130
    monkeypatch.setattr(DirectoryStore, "delete", held)
    Path("c").write_text("c")
    added = tiletree.ok("add", "log", "c")
    assert (added["size"], added["undeletable"]) == (5, 1)


def test_a_folder_that_cannot_be_listed(tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its submitter is named, and the others are served."""
    submit_both(tiletree)
    monkeypatch.setattr(DirectoryStore, "list", closed)
    done = tiletree.ok("sequence", "log")
    assert (done["size"], done["unlistable"]) == (3, ["eve"])


def test_how_long_refusals_stay(tiletree: Command) -> None:
    """They stay for a month, or as long as gc is told."""
    place = Path("log.private/inbox/eve")
    place.mkdir(parents=True)
    (place / "a b").write_bytes(b"junk")
    assert tiletree.ok("sequence", "log")["refused"] == {"eve": 1}
    assert not [*place.iterdir()]
    assert tiletree.ok("gc", "log")["refusals"] == 0
    assert tiletree.ok("gc", "log", "--keep-refusals", 0)["refusals"] == 1
