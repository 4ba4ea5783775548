"""Staging: one sync for contents and names, and for what is written next, also in other directories."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.support.traced_posix import Recorder, temps
from tiles.errors import AccessError
from tiles.store.directory import DirectoryStore
from tiles.store.drafts import stage

STEPS = ("write", "fsync", "syncfs", "rename_new", "rename")


def stores(root: Path, **system: bool) -> tuple[DirectoryStore, DirectoryStore, Recorder]:
    """Return two stores, side by side, whose calls are recorded."""
    posix = Recorder(root, **system)
    private, public = DirectoryStore(root / "private", posix), DirectoryStore(root / "public", posix)
    for store in (private, public):
        store.create({"first": b""})
        store.barrier()
    posix.calls.clear()
    return private, public, posix


def test_one_sync_for_a_commit(root: Path) -> None:
    """After it nothing needs to be written, neither what is swapped in nor what is created beside, in another store."""
    private, public, posix = stores(root)
    stage(private, {"staging/1": b"batch"}, {"head": b"new"}, [(public, {"a/1": b"1", "a/2": b"2"})])
    assert [call[0] for call in posix.only(*STEPS)] == ["write"] * 4 + ["rename_new", "syncfs"]
    assert len(temps(root / "private")) == 1
    assert len(temps(root / "public")) == 2
    private.swap("head", b"new", None)
    assert posix.only(*STEPS)[-1] == ("fsync", "private")
    public.create({"a/1": b"1", "a/2": b"2"})
    assert [call[0] for call in posix.only(*STEPS)] == ["rename_new"] * 2
    assert (root / "public/a/2").read_bytes() == b"2"
    assert temps(root / "private") == temps(root / "public") == []


def test_names_that_others_give_meanwhile_are_made_to_last(root: Path) -> None:
    """A name that was given before the batch was staged, and not synced, is synced with the swap after it."""
    private, _, posix = stores(root)
    private.create({"other": b""})
    stage(private, {"staging/1": b"batch"}, {"head": b"new"})
    posix.calls.clear()
    private.swap("head", b"new", None)
    assert [call[0] for call in posix.only("fsync", "syncfs")] == ["fsync"]  # the sync of staging did for it
    private.create({"another": b""})
    posix.calls.clear()
    private.swap("x", b"", None)
    assert [call[0] for call in posix.only("syncfs")] == ["syncfs"]


def test_the_descriptor_is_older_than_what_it_syncs(root: Path) -> None:
    """It was opened before anything was written in either store: it is told of all that could not be written."""
    private, public, posix = stores(root)
    stage(private, {"staging/1": b"batch"}, {"head": b"new"}, [(public, {"a": b"1"})])
    calls = posix.only("open_directory", "open_new", "close", "syncfs")
    assert [call for call in calls if call[1] == "private/.tmp"] == [
        ("open_directory", "private/.tmp"),
        ("syncfs", "private/.tmp"),
        ("close", "private/.tmp"),
    ]
    assert calls.index(("open_directory", "private/.tmp")) < min(
        i for i, call in enumerate(calls) if call[0] == "open_new"
    )


@pytest.mark.parametrize("there", [b"", b"\0\0\0\0\0", b"batch"])
@pytest.mark.parametrize("syncfs", [True, False])
def test_what_is_there_already_is_replaced(root: Path, there: bytes, syncfs: bool) -> None:
    """Whatever a run has left that died, or a power cut: it is replaced by what lasts, and then its name lasts too."""
    private, _, posix = stores(root, syncfs=syncfs)
    private.create({"staging/1": there})
    private.barrier()
    posix.calls.clear()
    stage(private, {"staging/1": b"batch"}, {"head": b"new"})
    calls = [call[0] for call in posix.only(*STEPS)]
    assert calls[: calls.index("rename")] == (
        ["write", "write", "rename_new", "syncfs"] if syncfs else ["write", "fsync", "write", "fsync", "rename_new"]
    )
    assert calls[calls.index("rename") + 1 :][:1] == (["syncfs"] if syncfs else ["fsync"])
    assert (root / "private/staging/1").read_bytes() == b"batch"
    assert len(temps(root / "private")) == 1


def test_without_syncfs_contents_last_before_names(root: Path) -> None:
    """Each content is synced, then the name is given, then each folder is synced; nothing is prepared elsewhere."""
    private, public, posix = stores(root, syncfs=False)
    stage(private, {"staging/1": b"batch"}, {"head": b"new"}, [(public, {"a": b"1"})])
    calls = posix.only(*STEPS)
    assert [call[0] for call in calls] == ["write", "fsync", "write", "fsync", "rename_new", "fsync", "fsync"]
    assert {call[1] for call in calls[-2:]} == {"private", "private/staging"}
    assert temps(root / "public") == []


def test_a_directory_on_another_file_system(root: Path) -> None:
    """One sync does not do for it, so nothing is prepared there: it writes and syncs by itself, as ever."""

    class Elsewhere(Recorder):
        def fstat(self, fd: int) -> os.stat_result:
            status = super().fstat(fd)
            return os.stat_result((*status[:2], status.st_dev + 1, *status[3:]))

    private, _, _ = stores(root)
    public = DirectoryStore(root / "public", Elsewhere(root))
    stage(private, {"staging/1": b"batch"}, {"head": b"new"}, [(public, {"a": b"1"})])
    assert temps(root / "public") == []


def test_a_sync_that_failed(root: Path) -> None:
    """Nothing that was prepared is used any more, here or beside; the next try begins anew, and trusts no name."""
    private, public, posix = stores(root)
    syncfs = posix.syncfs

    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    posix.syncfs = fail  # type: ignore[method-assign]
    with pytest.raises(AccessError, match=r"^cannot create .*staging/1: Input/output error$"):
        stage(private, {"staging/1": b"batch"}, {"head": b"new"}, [(public, {"a": b"1"})])
    assert temps(root / "private") == temps(root / "public") == []
    posix.syncfs = syncfs  # type: ignore[method-assign]
    posix.calls.clear()
    stage(private, {"staging/1": b"batch"})
    assert [call[0] for call in posix.only("rename", "syncfs")] == ["syncfs", "rename", "syncfs"]


def test_a_store_beside_that_cannot_be_written(root: Path) -> None:
    """The error names what could not be prepared; nothing is left, and nothing is staged."""
    private, public, _ = stores(root)

    class Full(Recorder):
        def open_new(self, at: int, name: str, mode: int) -> int:  # noqa: ARG002
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)

    full = DirectoryStore(root / "full", Full(root))
    beside = [(public, {"a": b"1"}), (full, {"b": b"1"})]
    with pytest.raises(AccessError, match=r"^cannot create .*full/b: No space left on device$"):
        stage(private, {"staging/1": b"batch"}, {"head": b"new"}, beside)
    assert temps(root / "private") == temps(root / "public") == []
    assert not (root / "private/staging/1").exists()


def test_another_content_is_created(root: Path) -> None:
    """What was prepared is not what is created: it goes, and the content is written and synced as ever."""
    private, public, posix = stores(root)
    stage(private, {"staging/1": b"batch"}, {}, [(public, {"a": b"not this", "b": b"1"})])
    posix.calls.clear()
    public.create({"a": b"this", "b": b"1"})
    assert [call[0] for call in posix.only(*STEPS)] == ["write", "fsync", "rename_new", "rename_new"]
    assert (root / "public/a").read_bytes() == b"this"
    assert temps(root / "public") == []
