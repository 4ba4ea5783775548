"""What a monitor keeps of a log: one record to the byte, and nothing that is missing, damaged or another log's."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.monitors import EVERY, Places
from tests.support.readers import OTHER_KEY, Objects, make_log
from tests.support.signed_text import LOG
from tiles.errors import AccessError, ForkError, Refused
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.policy import policy_for, policy_of
from tiles.watch import monitor_reading, monitor_state
from tiles.watch.monitor_record import parse_position
from tiles.watch.monitor_state import LogState, folder_of


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Places:
    """Return a log that was watched: it has 300 entries."""
    found = Places(monkeypatch, tmp_path)
    found.there["log"] = Objects(make_log(300))
    found.round()
    return found


def of_another_log(folder: Path) -> None:
    """Put the state of another log there."""
    position = parse_position((folder / "state").read_bytes())
    (folder / "state").write_bytes(replace(position, log="0" * 64).data)


def of_another_key(folder: Path) -> None:
    """Let the checkpoint be signed by another key."""
    position = parse_position((folder / "state").read_bytes())
    other = parse_signed_checkpoint(make_log(300, key=OTHER_KEY)["checkpoint"])
    (folder / "state").write_bytes(replace(position, seen=other).data)


def copied_from_another_log(folder: Path) -> None:
    """Put all that is kept of another log there, which has as many entries."""
    with pytest.MonkeyPatch.context() as patch:
        other = Places(patch, folder.parent.parent / "other")
        other.there["log"] = Objects(make_log(300, key=OTHER_KEY))
        other.round(policy=policy_for(OTHER_KEY.verifier))
        shutil.rmtree(folder)
        shutil.copytree(other.folder, folder)
        shutil.rmtree(other.directory)


def changed(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Return what changes a file."""
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes())) and None


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "state").unlink(), "state is missing, and matches.jsonl is there"),
        (shutil.rmtree, "has no state of log.example.com"),
        (lambda folder: (folder / "matches.jsonl").unlink(), "lines are lost"),
        (changed("matches.jsonl", lambda data: data[:-1]), "lines are lost"),
        (changed("matches.jsonl", lambda data: data[:-3] + b'!"\n'), "its last lines are others"),
        (changed("matches.jsonl", lambda data: b"x" * len(data) + data), "its last lines are others"),
        (changed("state", lambda _: b""), "is damaged, or another log's"),
        (changed("state", lambda data: data[:-1]), "is damaged, or another log's"),
        (changed("state", lambda data: data.replace(b"kept ", b"kept 0")), "is damaged, or another log's"),
        (changed("state", lambda data: data.replace(b"next 300", b"next 299")), "its digest is another one"),
        (of_another_log, "is the state of another log"),
        (copied_from_another_log, "is damaged, or another log's"),
        (of_another_key, "is damaged, or another log's"),
    ],
)
def test_refused(places: Places, damage: Callable[[Path], None], words: str) -> None:
    """A log whose state is not what it was is not read, and nothing is changed."""
    folder = places.folder
    damage(folder)
    before = {path: path.read_bytes() for path in places.directory.rglob("*") if path.is_file()}
    asked = places.there["log"] = Objects(make_log(300, 302))
    with pytest.raises(Refused, match=words) as caught:
        places.round(watched=replace(EVERY, begin=None))
    assert "--begin" in caught.value.hint
    assert not [path for path in asked.asked if path.startswith("tile/entries")]
    assert {path: path.read_bytes() for path in places.directory.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("what", ["state", "all"])
def test_an_older_copy_is_put_back(places: Places, tmp_path: Path, what: str) -> None:
    """It is gone on with: every line is there once, and what the log shows has to extend what the copy had seen."""
    older = tmp_path / "older"
    shutil.copytree(places.folder, older)
    places.there["log"] = Objects(make_log(300, 600))
    places.round()
    newer = places.kept
    if what == "all":
        folder = places.folder
        shutil.rmtree(folder)
        shutil.copytree(older, folder)
    else:
        shutil.copy(older / "state", places.folder / "state")
    places.there["log"] = Objects(make_log(300, 600, tag="other", same_up_to=200))
    with pytest.raises(ForkError):
        places.round()
    places.there["log"] = Objects(make_log(300, 600))
    assert places.round(watched=replace(EVERY, begin=None)).start == 300
    assert places.kept == newer


def test_a_newer_copy_is_put_back(places: Places) -> None:
    """A record that counts lines which are not there is refused, so is one that is of other lines."""
    older = (places.folder / "matches.jsonl").read_bytes()
    places.there["log"] = Objects(make_log(300, 600))
    places.round()
    (places.folder / "matches.jsonl").write_bytes(older)
    with pytest.raises(Refused, match="lines are lost"):
        places.round()
    (places.folder / "matches.jsonl").write_bytes(older * 3)
    with pytest.raises(Refused, match="its last lines are others"):
        places.round()


def test_what_a_round_left_that_died(places: Places) -> None:
    """Lines beyond the recorded length are cut off, and files that were being written are removed."""
    folder = places.folder
    before = places.kept
    with (folder / "matches.jsonl").open("ab") as file:
        file.write(b"300 half of a li")
    (folder / ".0123.tmp").write_bytes(b"half of a state")
    places.there["log"] = Objects(make_log(300, 302))
    places.round()
    assert places.kept[:300] == before
    assert [line.split()[0] for line in places.kept[300:]] == [b"300", b"301"]
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "matches.jsonl", "state"]


def test_one_monitor_at_a_time(places: Places) -> None:
    """Another one of the same log is told so at once; one of another log is not held up."""
    with LogState(places.directory, policy_for(LOG.verifier)) as state:
        assert state.last(LOG.verifier) is not None
        with pytest.raises(AccessError, match="stays locked"):
            places.round()
    places.round()


def test_for_its_owner_only(places: Places) -> None:
    """Nobody else may read what is watched."""
    for path in places.directory.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_two_keys_of_one_log(places: Places) -> None:
    """The state is of the first key of the policy, whichever has signed; a second one does not begin another."""
    both = policy_of([LOG.verifier, OTHER_KEY.verifier])
    places.there["log"] = Objects(make_log(300, 302))
    assert places.round(policy=both).start == 300
    assert folder_of(places.directory, LOG.verifier) == places.folder
    places.there["log"] = Objects(make_log(300, 302, 303, key=OTHER_KEY))
    assert places.round(policy=both).start == 302


def test_a_full_disk(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a write that failed nothing counts, although there is room again at once; the next round finds all."""
    monkeypatch.setattr(monitor_reading, "CHUNK", 64)
    before, left = places.kept, [1]
    fsync = os.fsync

    def full_once(number: int) -> None:
        if Path(f"/proc/self/fd/{number}").readlink().name == "matches.jsonl" and left:
            left.pop()
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(number)

    monkeypatch.setattr(os, "fsync", full_once)
    places.there["log"] = Objects(make_log(300, 1200))
    position = parse_position((places.folder / "state").read_bytes())
    with pytest.raises(AccessError, match=r"matches\.jsonl cannot be written: No space left"):
        places.round()
    left_behind = parse_position((places.folder / "state").read_bytes())
    assert (left_behind.next, left_behind.kept) == (position.next, position.kept)
    places.round()
    assert len(places.kept) == 1200
    assert places.kept[:300] == before


def test_lines_last_before_the_record_counts_them(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut must not leave a record of lines that are gone: they are synced, and then it is replaced."""
    done: list[str] = []
    fsync, replaced = os.fsync, Path.replace

    def synced(number: int) -> None:
        done.append(f"sync {Path(f'/proc/self/fd/{number}').readlink().name}")
        fsync(number)

    def renamed(path: Path, target: Path) -> Path:
        done.append(f"replace {target.name}")
        return replaced(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(monitor_state.Path, "replace", renamed)
    places.there["log"] = Objects(make_log(300, 302))
    places.round()
    folder = places.folder.name
    seen = done.index("replace state")  # the checkpoint is remembered before anything is read
    assert done[seen + 1] == f"sync {folder}"
    last = [step for step in done[seen + 2 :] if not step.startswith("sync .")]
    assert last == [f"sync {folder}", "sync matches.jsonl", "replace state", f"sync {folder}"]
