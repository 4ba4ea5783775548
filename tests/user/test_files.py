"""Small files of one user: whole, private, one writer at a time."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tiles.errors import AccessError
from tiles.retry import Clock
from tiles.user import files as userfiles
from tiles.user.files import locked, read_file, write_file, xdg_directory
from tiles.user.seen_checkpoints import Visits

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
        with locked(tmp_path, wait=1.0, clock=Clock(lambda: sum(slept), slept.append)):
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
