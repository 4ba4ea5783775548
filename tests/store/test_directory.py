"""The directory store: processes and their lock, what lasts and when, older systems, and files that are no objects."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.traced_posix import Recorder, temps
from tiles.errors import AccessError, Conflict, NotFound, OutcomeUnknown, UsageError
from tiles.store import Differs
from tiles.store.directory import DirectoryStore
from tiles.store.posix import Posix


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where a store may be made."""
    return tmp_path / "log"


# ---- processes and the lock

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
with Root(sys.argv[1], "log", Posix(), 0.0).locked():
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
    with store._root.locked():
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


# ---- what lasts


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
    store.prepare()
    posix.calls.clear()
    store.create({"a": b"1", "b": b"2"})
    calls = posix.only("open_directory", "open_new", "close", "syncfs")
    assert [call[0] for call in calls if call[1] == "."] == ["open_directory", "syncfs", "close"]
    assert calls[0] == ("open_directory", ".")


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
    monkeypatch.setattr("tiles.store.directory._CHUNK", 2)
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
        def lstat(self, path: str) -> os.stat_result:
            status = super().lstat(path)
            return os.stat_result((*status[:2], len(path), *status[3:]))  # st_dev

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


# ---- older systems, interrupted and short calls


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EINVAL])
def test_without_renameat2(root: Path, code: int) -> None:
    """Where a rename cannot spare what is there, names are given by link; this is found out once."""
    asked = []

    class Old(Recorder):
        def rename_new(self, old: str, new: str) -> None:
            asked.append((old, new))
            raise OSError(code, os.strerror(code), new)

    posix = Old(root)
    store = DirectoryStore(root, posix)
    store.create({"a": b"1", "b": b"2"})
    store.create({"c": b"3"})
    assert len(asked) == 1
    assert [call[2] for call in posix.only("link")] == ["a", "b", "c"]
    with pytest.raises(Differs):
        store.create({"a": b"x", "d": b"4"})
    assert [store.read(path).data for path in "abcd"] == [b"1", b"2", b"3", b"4"]
    assert temps(root) == []


def test_an_error_of_renameat2_is_an_error(root: Path) -> None:
    """Other errors of the rename do not make it fall back."""

    class Full(Posix):
        def rename_new(self, _: str, new: str) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), new)

    posix = Full()
    with pytest.raises(AccessError, match="No space left on device") as caught:
        DirectoryStore(root, posix).create({"a": b"1"})
    assert posix.has_renameat2
    assert "make room" in caught.value.hint


def test_functions_that_libc_lacks(root: Path) -> None:
    """A C library that has neither function is an older system, not an error."""
    posix = Posix()
    posix._renameat2 = posix._syncfs = None
    assert not posix._answers_syncfs()
    posix.has_syncfs = False
    store = DirectoryStore(root, posix)
    store.create({"a": b"1", "b": b"2"})
    assert not posix.has_renameat2
    assert store.read("b").data == b"2"


def test_interrupted_calls_are_repeated(root: Path) -> None:
    """A signal that interrupts syncfs or renameat2 does not fail the call."""
    posix = Posix()
    if not posix.has_syncfs:
        pytest.skip("NOT TESTED: no syncfs here")
    interrupted = []

    def once(name: str, call: Callable[..., int]) -> Callable[..., int]:
        def interrupt(*given: object) -> int:
            if name in interrupted:
                return call(*given)
            interrupted.append(name)
            ctypes.set_errno(errno.EINTR)
            return -1

        return interrupt

    posix._syncfs = once("syncfs", posix._syncfs)
    posix._renameat2 = once("renameat2", posix._renameat2)
    store = DirectoryStore(root, posix)
    store.create({"a": b"1", "b": b"2"})
    assert interrupted == ["syncfs", "renameat2"]
    assert (store.read("a").data, store.read("b").data) == (b"1", b"2")


def test_short_writes_and_reads(root: Path) -> None:
    """Calls that do only part of the work are called again."""

    class Short(Posix):
        def write(self, fd: int, data: bytes | bytearray | memoryview) -> int:
            return super().write(fd, data[:3])

        def read(self, fd: int, size: int) -> bytes:
            return super().read(fd, min(size, 2))

    store = DirectoryStore(root, Short())
    store.create({"a": b"0123456789", "b": b""})
    store.swap("head", b"abcdefg", None)
    store.swap("head", b"hijklmn", store.read("head").version)
    store.create({"a": b"0123456789"})
    assert [store.read(path).data for path in ("a", "b", "head")] == [b"0123456789", b"", b"hijklmn"]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_contents_of_any_kind(root: Path, kind: Callable[[bytes], bytes]) -> None:
    """Contents need not be copied into bytes; those that are evidence are."""
    store = DirectoryStore(root)
    store.create({"a": kind(b"12345")})
    store.create({"a": kind(b"12345"), "b": kind(b"")})
    with pytest.raises(Differs) as caught:
        store.create({"a": kind(b"x")})
    assert caught.value.ours == b"x"
    assert isinstance(caught.value.ours, bytes)
    assert store.swap("head", kind(b"1"), None) == store.read("head").version


# ---- what is not there, is no object, or vanishes


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
        def open_read(self, path: str) -> int:
            self.unlink(path)
            return super().open_read(path)

    DirectoryStore(root).create({"a": b"1"})
    DirectoryStore(root, Deleting()).create({"a": b"2"})
    assert DirectoryStore(root).read("a").data == b"2"


def test_temps_that_vanish(root: Path) -> None:
    """A writer whose temporary file was deleted fails and has changed nothing."""

    class Late(Posix):
        def rename_new(self, old: str, new: str) -> None:
            self.unlink(old)
            super().rename_new(old, new)

        def rename(self, old: str, new: str) -> None:
            self.unlink(old)
            super().rename(old, new)

    store = DirectoryStore(root, Late())
    with pytest.raises(AccessError, match="vanishes again and again"):
        store.create({"a/1": b"1"})
    with pytest.raises(OutcomeUnknown):
        store.swap("head", b"1", None)
    assert list(store.list("")) == []


def test_listed_while_deleted(root: Path) -> None:
    """Files and directories that vanish while a list is under way are not in it."""

    class Deleting(Posix):
        def lstat(self, path: str) -> os.stat_result:
            if path.endswith("/b"):
                self.unlink(path)
            return super().lstat(path)

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
    Posix().write_file(str(tmp_path / "temp"), b"1", sync=False)
    with pytest.raises(FileExistsError):
        Posix().write_file(str(tmp_path / "temp"), b"2", sync=False)
    assert (tmp_path / "temp").read_bytes() == b"1"


def test_temps_have_names_of_their_own(root: Path) -> None:
    """No two writes use one temporary file, in one store or in several."""
    posix = Recorder(root)
    for store in (DirectoryStore(root, posix), DirectoryStore(root, posix)):
        store.create({"a": b"", "b": b""})
        store.swap("head", b"", store.read("head").version if (root / "head").exists() else None)
    names = [call[1] for call in posix.only("rename", "rename_new")]
    assert len(set(names)) == len(names) == 6


# ---- errors


def test_a_delete_that_fails(root: Path) -> None:
    """What cannot be deleted is named."""

    class Kept(Posix):
        def unlink(self, path: str) -> None:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

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
