"""The directory store: processes and their lock, what lasts and when, older systems, and files that are no objects."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.traced_posix import Recorder, temps
from tiles.errors import AccessError, Conflict, NotFound, OutcomeUnknown, UsageError
from tiles.store.directory import DirectoryStore
from tiles.store.posix import Posix

COUNT = """
import sys
from pathlib import Path
from tiles.errors import Conflict
from tiles.store.directory import DirectoryStore
store = DirectoryStore(Path(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    while True:
        found = store.read("count")
        try:
            store.swap("count", b"%d" % (int(found.data) + 1), found.version)
            break
        except Conflict:
            pass
"""

HOLD = """
import sys
from pathlib import Path
from tiles.store.posix import Posix
from tiles.store.directory_root import Root
from tiles.store.keeping import Keeping
root = Root(sys.argv[1], "log", Posix(), Keeping(), lock_wait=0.0)
with root.folders() as folders:
    root.lock(folders)
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program that ends, at the latest, when its input does."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, *arguments], stdin=pipe, stdout=pipe, close_fds=False) as child:
        try:
            yield child
        finally:
            child.kill()


def test_swaps_of_many_processes(root: Path) -> None:
    """Counting by read and swap in several processes loses no count and counts none twice."""
    DirectoryStore(root).swap("count", b"0", None)
    children = [subprocess.Popen([sys.executable, "-c", COUNT, str(root), "40"]) for _ in range(4)]
    assert [child.wait() for child in children] == [0] * 4
    assert DirectoryStore(root).read("count").data == b"160"
    assert temps(root) == []


def test_a_dead_holder_leaves_no_lock(root: Path) -> None:
    """While a process holds the lock a swap waits, then says so; killed, it holds nothing."""
    store = DirectoryStore(root, lock_wait=0.0)
    version = store.swap("head", b"1", None)
    with process("-c", HOLD, str(root)) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"locked\n"
        with pytest.raises(AccessError, match=f"cannot lock {root}: another process has locked it") as caught:
            store.swap("head", b"2", version)
        assert "lslocks" in caught.value.hint
        store.create({"a": b"not in the way"})
        assert store.read("head").data == b"1"
        child.send_signal(signal.SIGKILL)
        child.wait()
        store.swap("head", b"2", version)
    assert temps(root) == []


def test_a_child_does_not_inherit_the_lock(root: Path) -> None:
    """A program that is started while the lock is held, and lives on, does not hold it."""
    store = DirectoryStore(root, lock_wait=0.0)
    store.prepare()
    with store._root.folders() as folders:
        store._root.lock(folders)
        child = process("-c", "import sys; print('up', flush=True); sys.stdin.read()")
        running = child.__enter__()
    try:
        assert running.stdout is not None
        assert running.stdout.readline() == b"up\n"
        store.swap("head", b"1", None)
        assert running.poll() is None
    finally:
        child.__exit__(None, None, None)


def test_the_lock_is_waited_for(root: Path) -> None:
    """A lock that is given back meanwhile is taken, after waits that grow."""

    class Busy(Posix):
        waits: list[float] = []  # noqa: RUF012
        now = 0.0

        def flock(self, fd: int) -> None:
            if 0 < self.now < 5.0:
                raise BlockingIOError(errno.EAGAIN, "busy")
            super().flock(fd)

        def sleep(self, seconds: float) -> None:
            self.waits.append(seconds)
            self.now += seconds

        def monotonic(self) -> float:
            return self.now

    posix = Busy()
    store = DirectoryStore(root, posix, lock_wait=10.0)
    store.prepare()
    posix.now = 4.0
    store.swap("head", b"1", None)
    assert posix.waits == sorted(posix.waits)
    assert posix.waits[0] < 0.001
    assert posix.waits[-1] == 0.02


def test_reading_makes_nothing(root: Path) -> None:
    """Looking at a log that is not there does not make it."""
    store = DirectoryStore(root)
    with pytest.raises(NotFound, match=f"^{root}/head: not found$"):
        store.read("head")
    assert list(store.list("")) == []
    assert store.stale_temps(1e12) == []
    store.delete(["head"])
    store.barrier()
    assert not root.exists()


def test_a_relative_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is named as it was given, and stays where it was when the process moves."""
    monkeypatch.chdir(tmp_path)
    store = DirectoryStore(Path("log"))
    monkeypatch.chdir("/")
    store.create({"a": b"1"})
    assert store.url == "log"
    assert (tmp_path / "log/a").read_bytes() == b"1"


def test_a_root_that_is_a_link(tmp_path: Path) -> None:
    """The root may be a symbolic link, also to a directory that is yet to be made."""
    (tmp_path / "link").symlink_to("real/log")
    store = DirectoryStore(tmp_path / "link")
    store.create({"a": b"1"})
    store.swap("head", b"1", None)
    assert (tmp_path / "real/log/a").read_bytes() == b"1"
    assert [listed.path for listed in store.list("")] == ["a", "head"]


def test_no_objects(root: Path) -> None:
    """Links, pipes, temporary files and names that are not UTF-8 are no objects; links to directories lead nowhere."""
    store = DirectoryStore(root)
    store.create({"a/1": b"1", "b": b"2"})
    (root / "outside").symlink_to(root.parent)
    (root / "link").symlink_to("b")
    (root / "dangling").symlink_to("nowhere")
    (root / ".tmp/left-over").write_bytes(b"half")
    os.mkfifo(root / "pipe")
    Path(os.fsdecode(os.fsencode(root) + b"/\xff")).write_bytes(b"")
    assert [listed.path for listed in store.list("")] == ["a/1", "b"]
    assert list(store.list("outside/")) == []
    assert list(store.list("outside/log/")) == []
    for path in ("link", "pipe", "dangling"):
        with pytest.raises(AccessError) as caught:
            store.read(path)
        assert not isinstance(caught.value, NotFound)


def test_something_in_the_way(root: Path) -> None:
    """A directory where an object should be, or an object where a directory should be, is an error and stays."""
    store = DirectoryStore(root)
    store.create({"a/b": b"1"})
    for call in (
        lambda: store.create({"a": b"x"}),
        lambda: store.create({"a/b/c": b"x"}),
        lambda: store.swap("a", b"x", None),
        lambda: store.swap("a/b/c", b"x", None),
        lambda: store.delete(["a"]),
    ):
        with pytest.raises(AccessError) as caught:
            call()
        assert not isinstance(caught.value, OutcomeUnknown | Conflict)
    assert store.read("a/b").data == b"1"
    assert temps(root) == []


def test_directories_that_vanish(root: Path) -> None:
    """A directory that was removed is made again, also if this store has used it before."""
    store = DirectoryStore(root)
    store.create({"a/b/1": b"1"})
    version = store.swap("c/head", b"1", None)
    shutil.rmtree(root / "a")
    shutil.rmtree(root / "c")
    store.create({"a/b/2": b"2"})
    with pytest.raises(Conflict):
        store.swap("c/head", b"2", version)
    store.swap("c/head", b"2", None)
    shutil.rmtree(root / ".tmp")
    store.create({"a/b/3": b"3"})
    assert [listed.path for listed in store.list("")] == ["a/b/2", "a/b/3", "c/head"]


def test_objects_that_vanish(root: Path) -> None:
    """An object that is deleted between being in the way and being compared is created after all."""

    class Deleting(Posix):
        def open_read(self, at: int, name: str) -> int:
            self.unlink(at, name)
            return super().open_read(at, name)

    DirectoryStore(root).create({"a": b"1"})
    DirectoryStore(root, Deleting()).create({"a": b"2"})
    assert DirectoryStore(root).read("a").data == b"2"


def test_temps_that_vanish(root: Path) -> None:
    """A writer whose temporary file was deleted fails and has changed nothing."""

    class Late(Posix):
        def rename_new(self, at: int, old: str, to: int, new: str) -> None:
            self.unlink(at, old)
            super().rename_new(at, old, to, new)

        def rename(self, at: int, old: str, to: int, new: str) -> None:
            self.unlink(at, old)
            super().rename(at, old, to, new)

    store = DirectoryStore(root, Late())
    with pytest.raises(AccessError, match="vanishes again and again"):
        store.create({"a/1": b"1"})
    with pytest.raises(OutcomeUnknown):
        store.swap("head", b"1", None)
    assert list(store.list("")) == []


def test_listed_while_deleted(root: Path) -> None:
    """Files and directories that vanish while a list is under way are not in it."""

    class Deleting(Posix):
        def lstat(self, at: int, name: str) -> os.stat_result:
            if name == "b":
                self.unlink(at, name)
            return super().lstat(at, name)

    store = DirectoryStore(root, Deleting())
    store.create({"a": b"1", "b": b"2", "c/1": b"3", "d/1": b"4"})
    found = [next(iter(listing := store.list(""))).path]
    shutil.rmtree(root / "c")
    assert found + [listed.path for listed in listing] == ["a", "d/1"]


def test_stale_temps(root: Path) -> None:
    """Temporary files of dead runs are listed by age, and deleted by name, and nothing else is."""
    store = DirectoryStore(root)
    store.create({"a": b"1"})
    for name, written in (("old-2", 100), ("old-1", 150), ("new", 200)):
        (root / ".tmp" / name).write_bytes(b"half")
        os.utime(root / ".tmp" / name, (written, written))
    assert store.stale_temps(200) == ["old-1", "old-2"]
    for name in ("../a", "", "..", "x/y"):
        with pytest.raises(UsageError):
            store.delete_temps([name])
    store.delete_temps(["old-1", "old-2", "never"])
    assert temps(root) == ["new"]
    assert store.read("a").data == b"1"


def test_temps_are_new_files(tmp_path: Path) -> None:
    """A temporary file never takes the place of one that is there."""
    posix = Posix()
    at = posix.open_root(str(tmp_path))
    posix.write_file(at, "temp", b"1", sync=False)
    with pytest.raises(FileExistsError):
        posix.write_file(at, "temp", b"2", sync=False)
    posix.close(at)
    assert (tmp_path / "temp").read_bytes() == b"1"


def test_temps_have_names_of_their_own(root: Path) -> None:
    """No two writes use one temporary file, in one store or in several."""
    posix = Recorder(root)
    for store in (DirectoryStore(root, posix), DirectoryStore(root, posix)):
        store.create({"a": b"", "b": b""})
        store.swap("head", b"", store.read("head").version if (root / "head").exists() else None)
    names = [call[1] for call in posix.only("rename", "rename_new")]
    assert len(set(names)) == len(names) == 6


def test_a_delete_that_fails(root: Path) -> None:
    """What cannot be deleted is named."""

    class Kept(Posix):
        def unlink(self, _: int, name: str) -> None:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)

    store = DirectoryStore(root, Kept())
    store.create({"a": b"1"})
    with pytest.raises(AccessError, match=f"^cannot delete {root}/a: Permission denied$"):
        store.delete(["a"])
    with pytest.raises(AccessError, match=f"^cannot delete {root}/.tmp/x: Permission denied$"):
        store.delete_temps(["x"])


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EACCES, "permissions"),
        (errno.EPERM, "forbids"),
        (errno.EROFS, "read-only"),
        (errno.EXDEV, "one file system"),
        (errno.EMFILE, "ulimit"),
        (errno.EIO, ""),
    ],
)
def test_what_an_error_says(root: Path, code: int, hint: str) -> None:
    """An error names the object, what was being done, and why it failed; and what to do where that is known."""

    class Broken(Posix):
        def write(self, _: int, __: object) -> int:
            raise OSError(code, os.strerror(code))

    store = DirectoryStore(root, Broken())
    for operation, call in (
        ("create", lambda: store.create({"a/b": b"1", "c": b"2"})),
        ("replace", lambda: store.swap("a/b", b"1", None)),
    ):
        with pytest.raises(AccessError) as caught:
            call()
        assert caught.value.message == f"cannot {operation} {root}/a/b: {os.strerror(code)}"
        assert hint in caught.value.hint
        assert bool(hint) == bool(caught.value.hint)
        assert isinstance(caught.value.__cause__, OSError)
