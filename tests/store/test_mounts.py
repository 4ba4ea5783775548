"""Which file systems a directory store refuses: those on which its lock would not keep other machines out."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tiles.errors import AccessError, Refused
from tiles.store.directory import DirectoryStore
from tiles.store.mounts import Mount, mount_of, parse_mountinfo
from tiles.store.posix import Posix

# the second and third from proc_pid_mountinfo(5)'s format: optional fields may be none or several
MOUNTINFO = r"""27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
36 27 98:0 /mnt1 /mnt/a rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue
37 27 0:50 / /mnt/my\040disk\011x\134y rw - nfs4 server:/my\040export rw,vers=4.2
38 27 0:51 / /mnt/over rw - ext4 /dev/vdb rw
39 38 0:52 / /mnt/over rw - fuse.sshfs me@host: rw
nonsense
x 27 0:53 / /mnt/z rw - ext4 /dev/vdc rw
"""


class Mounted(Posix):
    """Says that everything is on one mount."""

    def __init__(self, kind: str, *, numbered: bool = True) -> None:
        super().__init__()
        self.kind, self.numbered = kind, numbered

    def mountinfo(self) -> str:
        return f"27 1 254:0 / / rw - {self.kind} the\\040source rw\n28 1 0:9 / /elsewhere rw - nfs4 x:/ rw\n"

    def fdinfo(self, _: int) -> str:
        return "pos:\t0\nflags:\t02200000\nmnt_id:\t27\nino:\t2\n" if self.numbered else "pos:\t0\n"


def test_parse_mountinfo() -> None:
    """Numbers, mount points, types and sources, with octal escapes undone; lines that make no sense are left out."""
    mounts = parse_mountinfo(MOUNTINFO)
    assert [mount.number for mount in mounts] == [27, 36, 37, 38, 39]
    assert mounts[1] == Mount(36, "/mnt/a", "ext3", "/dev/root")
    assert mounts[2] == Mount(37, "/mnt/my disk\tx\\y", "nfs4", "server:/my export")


@pytest.mark.parametrize(
    ("path", "number"),
    [("/", 27), ("/mnt", 27), ("/mnt/a", 36), ("/mnt/a/b", 36), ("/mnt/ab", 27), ("/mnt/my disk\tx\\y/z", 37)],
)
def test_mount_of_a_path(path: str, number: int) -> None:
    """The mount that covers a path is the longest one whole elements of which it begins with."""
    mount = mount_of(parse_mountinfo(MOUNTINFO), path)
    assert mount is not None
    assert mount.number == number


def test_mount_over_a_mount() -> None:
    """Of two mounts at one point the later one counts; a number, which the kernel tells, decides against any path."""
    mounts = parse_mountinfo(MOUNTINFO)
    assert mount_of(mounts, "/mnt/over/x") == mounts[4]
    assert mount_of(mounts, "/mnt/over/x", 38) == mounts[3]
    assert mount_of(mounts, "/", 99) is None
    assert mount_of([], "/") is None
    below, above = Mount(2, "/a/b", "ext4", "x"), Mount(1, "/a", "ext4", "y")
    assert mount_of([below, above], "/a/b/c") == below


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("nfs", "other machines"),
        ("nfs4", "other machines"),
        ("cifs", "other machines"),
        ("smb3", "other machines"),
        ("afs", "other machines"),
        ("lustre", "other machines"),
        ("9p", "the host"),
        ("virtiofs", "the host"),
        ("fuse.sshfs", "other machines"),
        ("fuse.s3fs", "object store"),
        ("fuse.gcsfuse", "object store"),
        ("fuse.rclone", "object store"),
        ("fuse.something-new", "nobody can say"),
        ("fuse", "nobody can say"),
    ],
)
def test_refused(tmp_path: Path, kind: str, why: str, numbered: bool) -> None:
    """A file system whose locks hold on this machine only is refused, saying what was found, and nothing is made."""
    root = tmp_path / "x/log"
    store = DirectoryStore(root, Mounted(kind, numbered=numbered))
    for call in (store.prepare, lambda: store.create({"a": b""}), lambda: store.swap("a", b"", None)):
        with pytest.raises(Refused) as caught:
            call()
        assert caught.value.message.startswith(
            f"{root} cannot be locked: it is on a {kind} file system (the source at /)"
        )
        assert why in caught.value.message
        assert caught.value.hint == "use a directory on a local disk, or an object store"
    assert list(tmp_path.iterdir()) == []


def test_refused_is_for_writing(tmp_path: Path) -> None:
    """A log on a network file system can be read."""
    DirectoryStore(tmp_path).create({"a": b"1"})
    store = DirectoryStore(tmp_path, Mounted("nfs4"))
    assert store.read("a").data == b"1"
    assert [listed.path for listed in store.list("")] == ["a"]


@pytest.mark.parametrize(
    "kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "ceph", "gfs2", "fuseblk", "fuse.ntfs-3g"]
)
def test_not_refused(tmp_path: Path, kind: str) -> None:
    """Local file systems, and those whose locks hold everywhere, are taken."""
    DirectoryStore(tmp_path / "log", Mounted(kind)).create({"a": b""})
    assert (tmp_path / "log/a").exists()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF, errno.ENOSYS])
def test_refused_by_trying(tmp_path: Path, code: int) -> None:
    """Where a lock is tried and cannot be had at all, the directory is refused and nothing is made."""

    class Lockless(Posix):
        def flock(self, _: int) -> None:
            raise OSError(code, os.strerror(code))

    with pytest.raises(Refused, match=os.strerror(code)):
        DirectoryStore(tmp_path / "log", Lockless()).prepare()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_somebody_holds_is_a_lock(tmp_path: Path) -> None:
    """That the lock is busy when it is tried shows that it works; another error of trying is an error."""

    class Busy(Posix):
        code = errno.EAGAIN

        def flock(self, _: int) -> None:
            raise OSError(self.code, os.strerror(self.code))

    posix = Busy()
    DirectoryStore(tmp_path / "log", posix).prepare()
    assert (tmp_path / "log").is_dir()
    posix.code = errno.EIO
    with pytest.raises(AccessError, match="cannot make"):
        DirectoryStore(tmp_path / "log", posix).prepare()


def test_without_proc(tmp_path: Path) -> None:
    """Where the kernel tells nothing of mounts, trying the lock has to do."""

    class NoProc(Mounted):
        def mountinfo(self) -> str:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/proc/self/mountinfo")

    DirectoryStore(tmp_path / "log", NoProc("nfs4")).create({"a": b""})


def test_the_real_mounts(tmp_path: Path) -> None:
    """The kernel's own lines are understood: the root mount is among them, and so is that of an open file."""
    posix = Posix()
    try:
        text = posix.mountinfo()
    except OSError:
        pytest.skip("NOT TESTED: no /proc here")
    mounts = parse_mountinfo(text)
    assert len(mounts) == len(text.splitlines())
    assert mount_of(mounts, str(tmp_path)) is not None
