from __future__ import annotations

import os
import shlex
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.readers import OTHER_KEY, make_log
from tests.support.signed_text import LOG
from tiles.errors import AccessError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.fork_evidence import fork_error
from tiles.notes.keys import signing_key
from tiles.tree.layout import CHECKPOINT
from tiles.user import files as userfiles
from tiles.user.files import locked, read_file, write_file, xdg_directory
from tiles.user.seen_checkpoints import Visits, read_evidence

KEY = LOG.verifier


def checkpoint(size: int, tag: str = "entry") -> SignedCheckpoint:
    """Return the checkpoint of a log of that size."""
    return parse_signed_checkpoint(make_log(size, tag=tag)[CHECKPOINT])


def last(visits: Visits) -> SignedCheckpoint:
    """Return what is remembered, which must be something."""
    found = visits.last(KEY)
    assert found is not None
    return found


@pytest.fixture
def visits(tmp_path: Path) -> Visits:
    """Return an empty memory."""
    return Visits(tmp_path / "some" / "state")


# ---- the last checkpoint


def test_nothing_yet(visits: Visits) -> None:
    """Of a log never seen nothing is remembered, and asking makes no directory."""
    assert visits.last(KEY) is None
    assert not visits.directory.exists()


def test_remember(visits: Visits) -> None:
    """What is remembered is there for everyone who looks, byte for byte, and for no other key."""
    assert visits.remember(KEY, checkpoint(5), None)
    assert last(Visits(visits.directory)).data == checkpoint(5).data
    assert visits.last(OTHER_KEY.verifier) is None
    assert visits.last(signing_key("other.example.com", LOG.seed).verifier) is None


def test_never_smaller(visits: Visits) -> None:
    """A smaller checkpoint, and another one of the same size, change nothing."""
    visits.remember(KEY, checkpoint(5), None)
    for other in (checkpoint(4), checkpoint(0), checkpoint(5, "other")):
        assert visits.remember(KEY, other, checkpoint(5))
        assert last(visits).data == checkpoint(5).data
    assert visits.remember(KEY, checkpoint(6), checkpoint(5))
    assert last(visits).data == checkpoint(6).data


@pytest.mark.parametrize("since", [None, 4, 6])
def test_only_from_what_was_compared(visits: Visits, since: int | None) -> None:
    """A checkpoint that was compared with another one than is remembered changes nothing, and that is told."""
    visits.remember(KEY, checkpoint(5), None)
    assert not visits.remember(KEY, checkpoint(9), None if since is None else checkpoint(since))
    assert last(visits).data == checkpoint(5).data


def test_many_at_once(visits: Visits) -> None:
    """However many remember at the same time, each from what it has read, none goes unseen and the largest stays."""

    def remember(size: int) -> None:
        while not visits.remember(KEY, checkpoint(size), visits.last(KEY)):
            pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(remember, range(1, 25)))
    assert last(visits).tree.size == 24


def test_is_locked_while_it_writes(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered is compared and replaced in one step: nobody else is let in between."""

    def write(path: Path, data: bytes) -> None:
        with pytest.raises(AccessError, match="stays locked"), locked(visits.directory, wait=0.0):
            pytest.fail("let in")
        write_file(path, data)

    monkeypatch.setattr("tiles.user.seen_checkpoints.write_file", write)
    assert visits.remember(KEY, checkpoint(5), None)
    assert last(visits).tree.size == 5


def test_one_of_two_at_once(visits: Visits) -> None:
    """Of two that start from the same checkpoint, one is told to compare again."""
    since = visits.last(KEY)
    assert [visits.remember(KEY, checkpoint(size), since) for size in (5, 6)] == [True, False]


@pytest.mark.parametrize(
    "damage",
    [
        lambda _data: b"",
        lambda data: data[:-1],
        lambda data: data.replace(b"\n5\n", b"\n6\n"),
        lambda _data: make_log(5, key=OTHER_KEY)[CHECKPOINT],
        lambda data: data + bytes(1 << 20),
    ],
)
def test_damage_is_no_reason_to_forget(visits: Visits, damage: object) -> None:
    """A damaged memory is reported, with its path, and not taken for an empty one, nor for the log's doing."""
    visits.remember(KEY, checkpoint(5), None)
    (path,) = (visits.directory / "visits").iterdir()
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))
    damaged = path.read_bytes()
    for call in (lambda: visits.last(KEY), lambda: visits.remember(KEY, checkpoint(9), None)):
        with pytest.raises(AccessError, match=str(path)):
            call()
    assert path.read_bytes() == damaged


def test_only_the_user_can_read_it(visits: Visits) -> None:
    """Files have mode 0600 and directories 0700, whatever the umask."""
    before = os.umask(0)
    try:
        visits.remember(KEY, checkpoint(5), None)
        visits.save_evidence(KEY, fork_error(checkpoint(5), checkpoint(5, "other")).evidence)
    finally:
        os.umask(before)
    found = list(visits.directory.parent.rglob("*"))
    assert len(found) > 6
    for path in found:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_no_place(tmp_path: Path) -> None:
    """A memory that cannot be written is a broken way, and says where."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AccessError, match=str(tmp_path / "file")):
        Visits(tmp_path / "file" / "state").remember(KEY, checkpoint(5), None)


# ---- evidence


def test_evidence(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fork gets a directory of its own, with what was signed and how to check it; it is never written again."""
    fork = fork_error(checkpoint(5), checkpoint(5, "other"))
    saved = visits.save_evidence(KEY, fork.evidence)
    assert read_evidence(saved) == fork.evidence
    assert f"tiletree verify --fork . --vkey {KEY.vkey}" in (saved / "README").read_text()
    assert sorted(path.name for path in saved.iterdir()) == ["README", *sorted(fork.evidence)]
    (saved / "README").write_bytes(b"mine")
    assert visits.save_evidence(KEY, fork.evidence) == saved
    assert (saved / "README").read_bytes() == b"mine"
    with monkeypatch.context() as context:
        context.setattr("tiles.user.seen_checkpoints.write_file", pytest.fail)
        assert visits.save_evidence(KEY, fork.evidence) == saved
    other = visits.save_evidence(KEY, fork_error(checkpoint(5), checkpoint(5, "third")).evidence)
    assert other != saved
    assert sorted(path.name for path in saved.parent.iterdir()) == sorted([saved.name, other.name])


@pytest.mark.parametrize("origin", ["a/../../b", "..", "/etc", "é\u2026/\\:*?", "x" * 300, "log.example.com/a"])
def test_evidence_stays_in_its_place(visits: Visits, origin: str) -> None:
    """An origin, which the log chooses, cannot lead out of the directory."""
    key = signing_key(origin, bytes(32)).verifier
    saved = visits.save_evidence(key, {"older": b"1", "newer": b"2"})
    assert saved.resolve().parent == (visits.directory / "forks").resolve()
    assert origin in (saved / "README").read_text()


def test_command_is_safe_to_copy(visits: Visits) -> None:
    """An origin cannot add to the command that the README asks for."""
    key = signing_key("a;touch${IFS}/tmp/x;'", bytes(32)).verifier
    readme = (visits.save_evidence(key, {"older": b"1"}) / "README").read_text()
    (command,) = [line for line in readme.splitlines() if "tiletree" in line]
    assert shlex.split(command) == ["tiletree", "verify", "--fork", ".", "--vkey", key.vkey]


def test_evidence_by_two_at_once(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another process saves the same evidence first, its directory is as good."""

    def slow(path: Path) -> None:
        monkeypatch.undo()
        visits.save_evidence(KEY, {"older": b"1"})
        userfiles.make_directory(path)

    monkeypatch.setattr("tiles.user.seen_checkpoints.make_directory", slow)
    saved = visits.save_evidence(KEY, {"older": b"1"})
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_half_written_evidence_is_removed(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evidence is there whole or not at all."""

    def full(*_arguments: object) -> None:
        raise AccessError("the disk is full")

    monkeypatch.setattr("tiles.user.seen_checkpoints.write_file", full)
    with pytest.raises(AccessError):
        visits.save_evidence(KEY, {"older": b"1", "newer": b"2"})
    assert list((visits.directory / "forks").iterdir()) == []


# ---- the files of one user


def test_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The state is where the XDG variable says; a relative path there is ignored, as the specification asks."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert Visits().directory == tmp_path / "state" / "tiletree"
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", value)
        assert Visits().directory == tmp_path / ".local" / "state" / "tiletree"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert xdg_directory("XDG_STATE_HOME", ".local/state") == tmp_path / ".local" / "state" / "tiletree"


def test_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home directory is told which variable to set."""

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    with pytest.raises(AccessError) as caught:
        Visits()
    assert "XDG_STATE_HOME" in caught.value.hint


def test_file_is_whole_at_every_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Content is written beside the file, synced, and only then takes its place; the name is synced last."""
    path = tmp_path / "file"
    write_file(path, b"old")
    events: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def recorded_fsync(descriptor: int) -> None:
        kind = "directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "content"
        events.append(f"sync {kind} while {path.read_bytes()!r}")
        fsync(descriptor)

    def recorded_replace(self: Path, target: Path) -> Path:
        events.append(f"replace by {self.read_bytes()!r}")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(Path, "replace", recorded_replace)
    write_file(path, b"new")
    assert events == ["sync content while b'old'", "replace by b'new'", "sync directory while b'new'"]
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where writing fails the old content stays, alone."""
    path = tmp_path / "file"
    write_file(path, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AccessError, match="No space left"):
        write_file(path, b"new")
    assert [found.read_bytes() for found in tmp_path.iterdir()] == [b"old"]


def test_lock_waits_and_gives_up(tmp_path: Path) -> None:
    """A lock that stays taken is given up after a while, as a broken way; what was slept adds up to that."""
    slept: list[float] = []
    with locked(tmp_path), pytest.raises(AccessError, match="stays locked"):  # noqa: SIM117  one inside the other
        with locked(tmp_path, wait=1.0, clock=lambda: sum(slept), sleep=slept.append):
            pytest.fail("let in")
    assert sum(slept) == pytest.approx(1.0, abs=0.1)
    with locked(tmp_path, wait=0.0):
        pass


def test_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file system cannot lock, nothing is written without a lock."""

    def unable(*_arguments: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(userfiles.fcntl, "flock", unable)
    with pytest.raises(AccessError, match="No locks available"), locked(tmp_path):
        pytest.fail("let in")


def test_read_file(tmp_path: Path) -> None:
    """A file is read up to its limit; one that is not there is None, and anything else is a broken way."""
    (tmp_path / "file").write_bytes(b"12345")
    assert read_file(tmp_path / "file", 5) == b"12345"
    assert read_file(tmp_path / "absent", 5) is None
    with pytest.raises(AccessError, match="longer than 4 bytes"):
        read_file(tmp_path / "file", 4)
    with pytest.raises(AccessError):
        read_file(tmp_path, 5)
