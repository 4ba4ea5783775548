"""What the directory store makes last, and in which order."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.support.traced_posix import Recorder
from tiles.errors import AccessError
from tiles.store.directory import DirectoryStore
from tiles.store.posix import Posix


def test_create_syncs_contents_before_names(root: Path) -> None:
    """Objects created together are written, then synced by one syncfs, then named; their names wait for the barrier."""
    posix = Recorder(root)
    store = DirectoryStore(root, posix)
    store.prepare()
    posix.calls.clear()
    store.create({"a/1": b"1", "a/2": b"2", "3": b"3"})
    calls = [call[0] for call in posix.only("write", "fsync", "syncfs", "rename_new")]
    assert calls == ["write"] * 3 + ["syncfs"] + ["rename_new"] * 3
    store.barrier()
    assert posix.only("fsync", "syncfs") == [("syncfs", ".")]


def test_create_opens_before_it_writes(root: Path) -> None:
    """The descriptor of syncfs is older than the contents: it is told of every one that could not be written."""
    posix = Recorder(root)
    store = DirectoryStore(root, posix)
    store.create({"first": b""})
    posix.calls.clear()
    store.create({"a": b"1", "b": b"2"})
    calls = posix.only("open_directory", "open_new", "close", "syncfs")
    assert [call[0] for call in calls if call[1] == ".tmp"] == ["open_directory", "syncfs", "close"]
    assert calls[0] == ("open_directory", ".tmp")


@pytest.mark.parametrize("syncfs", [True, False])
def test_create_of_one(root: Path, syncfs: bool) -> None:
    """One object alone is synced by itself: other programs' unwritten data is none of its business."""
    posix = Recorder(root, syncfs=syncfs)
    store = DirectoryStore(root, posix)
    store.prepare()
    posix.calls.clear()
    store.create({"a": b"1"})
    calls = posix.only("write", "fsync", "syncfs", "rename_new")
    assert [call[0] for call in calls] == ["write", "fsync", "rename_new"]


def test_create_in_chunks(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are never more temporary files at a time than the chunk, and every one is synced before it is named."""
    monkeypatch.setattr("tiles.store.directory_creating._CHUNK", 2)
    posix = Recorder(root)
    store = DirectoryStore(root, posix)
    store.create({"first": b""})
    posix.calls.clear()
    store.create({str(i): b"" for i in range(5)})
    calls = [call[0][:3] for call in posix.only("open_new", "fsync", "syncfs", "rename_new")]
    assert calls == ["ope", "ope", "syn", "ren", "ren"] * 2 + ["ope", "fsy", "ren"]


def test_swap_syncs_content_then_name(root: Path) -> None:
    """A swap's content lasts before it is renamed, and its name before the lock is given back."""
    posix = Recorder(root)
    store = DirectoryStore(root, posix)
    store.prepare()
    posix.calls.clear()
    version = store.swap("head", b"1", None)
    names = ("write", "fsync", "syncfs", "flock", "rename")
    calls = posix.only(*names)
    assert [call[0] for call in calls] == ["write", "fsync", "flock", "rename", "fsync"]
    assert calls[-1] == ("fsync", ".")
    assert calls[-2][2] == "head"
    store.swap("head", b"2", version)
    assert [call[0] for call in posix.only(*names)] == ["write", "fsync", "flock", "rename", "fsync"]


def test_swap_makes_directories_last(root: Path) -> None:
    """The name of each directory above a swapped object is synced, even if it was there: once, by one store."""
    DirectoryStore(root).create({"a/other": b""})
    posix = Recorder(root)
    store = DirectoryStore(root, posix)
    store.prepare()
    posix.calls.clear()
    version = store.swap("a/b/head", b"1", None)
    synced = [call[1] for call in posix.only("fsync")]
    assert synced[1:] == [".", "a", "a/b"]
    store.swap("a/b/head", b"2", version)
    assert [call[1] for call in posix.only("fsync")][1:] == ["a/b"]


def test_prepare_makes_the_root_last(tmp_path: Path) -> None:
    """Each directory is made when the name of the one above it lasts; the last one found may be a dead run's."""
    root = tmp_path / "x/y/log"
    posix = Recorder(tmp_path)
    DirectoryStore(root, posix).prepare()
    steps = [("fsync", ".."), ("mkdir", "x"), ("fsync", "."), ("mkdir", "x/y"), ("fsync", "x"), ("mkdir", "x/y/log")]
    assert [call[:2] for call in posix.only("mkdir", "fsync")] == [*steps, ("fsync", "x/y")]
    DirectoryStore(root, posix).prepare()
    assert posix.only("mkdir", "fsync") == [("fsync", "x/y")]


def test_prepare_on_a_mount_point(tmp_path: Path) -> None:
    """The name of a mount point is on another file system, which is left alone: it lasted before the mount."""

    class Edge(Recorder):
        def fstat(self, fd: int) -> os.stat_result:
            status = super().fstat(fd)
            return os.stat_result((*status[:2], status.st_ino, *status[3:]))  # st_dev

    posix = Edge(tmp_path)
    DirectoryStore(tmp_path, posix).prepare()
    assert posix.only("fsync") == []


def test_barrier_without_syncfs(root: Path) -> None:
    """Without syncfs each content is synced by itself, and the barrier syncs every directory that was touched."""
    DirectoryStore(root).create({f"{path}/1": b"1" for path in ("found", "read/by", "listed", "gone", "unseen")})
    posix = Recorder(root, syncfs=False)
    store = DirectoryStore(root, posix)
    store.prepare()
    posix.calls.clear()
    store.create({"new/1": b"1", "new/2": b"2", "found/1": b"1"})
    assert [call[0] for call in posix.only("fsync", "rename_new")] == ["fsync"] * 3 + ["rename_new"] * 3
    store.read("read/by/1")
    list(store.list("listed/"))
    store.delete(["gone/1"])
    store.barrier()
    synced = posix.only("fsync", "syncfs")
    assert sorted(call[1] for call in synced) == [".", "found", "gone", "listed", "new", "read", "read/by"]
    store.barrier()
    assert posix.only("fsync") == []


def test_a_barrier_that_failed_is_still_owed(root: Path) -> None:
    """Without syncfs, what a failed barrier did not sync is synced by the next one."""
    posix = Recorder(root, syncfs=False)
    store = DirectoryStore(root, posix)
    store.create({"a/1": b"1"})
    fsync = posix.fsync

    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    posix.fsync = fail  # type: ignore[method-assign]
    with pytest.raises(AccessError, match=r"^cannot sync .*: Input/output error$"):
        store.barrier()
    posix.fsync = fsync  # type: ignore[method-assign]
    posix.calls.clear()
    store.barrier()
    assert sorted(call[1] for call in posix.only("fsync")) == [".", "a"]


@pytest.mark.parametrize(("kernel", "expected"), [((5, 7), False), ((4, 18), False), ((0, 0), False), ((6, 1), True)])
def test_a_syncfs_that_keeps_errors_to_itself(
    monkeypatch: pytest.MonkeyPatch, kernel: tuple[int, int], expected: bool
) -> None:
    """Before Linux 5.8 syncfs does not say what could not be written, so it is not used."""
    if not Posix().has_syncfs:
        pytest.skip("NOT TESTED: no syncfs here")
    monkeypatch.setattr("tiles.store.posix._linux", lambda: kernel)
    assert Posix().has_syncfs is expected
