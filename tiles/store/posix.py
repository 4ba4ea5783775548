"""The system calls of the directory store, all of them: a thin method each, so a test can record, fail or drop any one.

A call names a file by the descriptor of its folder and one name in it, and follows no symbolic link. So nobody who may
write somewhere below a log can lead a call to another place, not even between two calls. Only `open_root` and
`realpath` take a path: that of the log itself, which its operator chose.

Below them are the few sequences of calls that are always made together; they call nothing but the thin methods.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import stat
import sys
import time
from itertools import islice
from pathlib import Path

from tiles.errors import AccessError

Buffer = bytes | bytearray | memoryview

IS_LINK = "it, or a folder on the way to it, is a symbolic link, and none is followed below a log"

_RENAME_NOREPLACE = 1
_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ONLY_PASS = getattr(os, "O_PATH", None)  # Linux; elsewhere a folder that may only be passed through is not passed
_RELATIVE = (os.open, os.mkdir, os.rename, os.link, os.unlink, os.stat)
_FULL_SYNC = getattr(fcntl, "F_FULLFSYNC", None)  # Darwin, where fsync leaves data in the drive's cache


class Posix:
    """System calls on descriptors, and on names in the folder that a descriptor stands for. They raise OSError only.

    Python repeats calls that a signal interrupted (PEP 475); the two made through ctypes are repeated here.
    No descriptor is inherited by a program that is started meanwhile (O_CLOEXEC).
    Raises AccessError on a system that lacks such calls: paths would follow links there.
    """

    def __init__(self) -> None:
        if not {*_RELATIVE} <= os.supports_dir_fd or os.scandir not in os.supports_fd:
            raise AccessError(
                f"{sys.platform} has no calls that name a file by its folder's descriptor",
                hint="use Linux or macOS, or a log in an object store",
            )
        libc = ctypes.CDLL(None, use_errno=True)
        self._syncfs = getattr(libc, "syncfs", None)
        self._renameat2 = getattr(libc, "renameat2", None)
        # Before Linux 5.8 syncfs keeps silent about contents it could not write, so it proves nothing there.
        self.has_syncfs = _linux() >= (5, 8) and self._answers_syncfs()
        self.has_renameat2 = True  # until a call fails because kernel or file system cannot do it

    # ---- files

    def open_root(self, path: str) -> int:
        """Open the folder with an absolute path that was resolved before."""
        return os.open(path, os.O_RDONLY | _FOLDER)

    def open_new(self, at: int, name: str, mode: int) -> int:
        """Open a file for writing that must not be there (EEXIST). mode: before the umask"""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(name, flags, mode, dir_fd=at)

    def open_read(self, at: int, name: str) -> int:
        """Open a file for reading."""
        # A fifo would block without O_NONBLOCK.
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)

    def open_directory(self, at: int, name: str) -> int:
        """Open a folder, to look into it, to sync it or its file system, or to lock it."""
        return os.open(name, os.O_RDONLY | _FOLDER, dir_fd=at)

    def open_passage(self, at: int | None, name: str) -> int:
        """Open a folder that may be passed through and not be looked into. at: None for an absolute path"""
        if _ONLY_PASS is None:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), name)
        return os.open(name, _ONLY_PASS | _FOLDER, dir_fd=at)

    def write(self, fd: int, data: Buffer) -> int:
        """Write some of the data, and return how many bytes."""
        return os.write(fd, data)

    def read(self, fd: int, size: int) -> bytes:
        """Read up to `size` bytes; b"" at the end."""
        return os.read(fd, size)

    def seek(self, fd: int, at: int) -> None:
        """Let the next `read` begin so many bytes after the beginning."""
        os.lseek(fd, at, os.SEEK_SET)

    def fstat(self, fd: int) -> os.stat_result:
        """Return the status of an open file."""
        return os.fstat(fd)

    def lstat(self, at: int, name: str) -> os.stat_result:
        """Return the status of a file, a folder or a symbolic link itself."""
        return os.stat(name, dir_fd=at, follow_symlinks=False)

    def fchmod(self, fd: int, mode: int) -> None:
        """Set the mode of an open file."""
        os.fchmod(fd, mode)

    def close(self, fd: int) -> None:
        """Close a descriptor."""
        os.close(fd)

    # ---- what lasts

    def fsync(self, fd: int) -> None:
        """Make the content of a file, or the names in a directory, last."""
        if _FULL_SYNC is None:
            os.fsync(fd)
        else:
            fcntl.fcntl(fd, _FULL_SYNC)

    def syncfs(self, fd: int) -> None:
        """Make the contents and names of a whole file system last. Only where `has_syncfs`.

        It reports contents that could not be written since `fd` was opened: open it before writing them.
        """
        if self._syncfs is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        while self._syncfs(fd) != 0:
            _raise_unless_interrupted(None)

    # ---- names

    def mkdir(self, at: int, name: str, mode: int) -> None:
        """Make a folder. mode: before the umask"""
        os.mkdir(name, mode, dir_fd=at)

    def rename(self, at: int, old: str, to: int, new: str) -> None:
        """Rename a file; it replaces one that may have the new name."""
        os.replace(old, new, src_dir_fd=at, dst_dir_fd=to)

    def rename_new(self, at: int, old: str, to: int, new: str) -> None:
        """Rename a file to a name that must not be taken (EEXIST). Kernel or file system may not know how (EINVAL)."""
        if self._renameat2 is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        while self._renameat2(at, os.fsencode(old), to, os.fsencode(new), _RENAME_NOREPLACE) != 0:
            _raise_unless_interrupted(new)

    def link(self, at: int, old: str, to: int, new: str) -> None:
        """Give a file a second name that must not be taken (EEXIST)."""
        os.link(old, new, src_dir_fd=at, dst_dir_fd=to, follow_symlinks=False)

    def unlink(self, at: int, name: str) -> None:
        """Remove the name of a file."""
        os.unlink(name, dir_fd=at)

    def names(self, fd: int, most: int | None = None) -> list[str]:
        """Return the names in an open folder, in no order; no more than `most`, and no others are read."""
        with os.scandir(fd) as found:
            return [each.name for each in islice(found, most)]

    def realpath(self, path: str) -> str:
        """Return an absolute path without symbolic links; what is missing at its end stays."""
        return os.path.realpath(path)

    # ---- the rest of the world

    def flock(self, fd: int) -> None:
        """Take the lock of an open file alone, or raise BlockingIOError; closing the descriptor gives it back."""
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def mountinfo(self) -> str:
        """Return the mounts of this process (Linux)."""
        return Path("/proc/self/mountinfo").read_text(errors="surrogateescape")

    def fdinfo(self, fd: int) -> str:
        """Return what the kernel tells of a descriptor, its mount among it (Linux)."""
        return Path(f"/proc/self/fdinfo/{fd}").read_text()

    def geteuid(self) -> int:
        """Return the number of the user with whose rights this process acts."""
        return os.geteuid()

    def getpid(self) -> int:
        """Return the number of this process."""
        return os.getpid()

    def urandom(self, size: int) -> bytes:
        """Return random bytes."""
        return os.urandom(size)

    def monotonic(self) -> float:
        """Return seconds of a clock that is never set."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    # ---- sequences

    def write_file(self, at: int, name: str, data: Buffer, *, sync: bool, mode: int = 0o666) -> None:
        """Make a new file with this content; with `sync` the content lasts, the name does not yet.

        mode   before the umask; with bits of the group, but none of all others, exactly this one
        """
        fd = self.open_new(at, name, mode)
        try:
            if mode & 0o070 and not mode & 0o007:
                self.fchmod(fd, mode)
            done = self.write(fd, data)
            while done < len(data):  # a short write: a signal, or a disk that is about to be full
                done += self.write(fd, memoryview(data)[done:])
            if sync:
                self.fsync(fd)
        finally:
            self.close(fd)

    def read_file(
        self, at: int, name: str, limit: int | None = None, part: tuple[int, int] | None = None
    ) -> tuple[bytes, os.stat_result]:
        """Return content and status of a regular file. part: of the content only the bytes from here to there, if any

        Raises EFBIG if it is longer than `limit` bytes, EISDIR or EINVAL if it is not a regular file, ELOOP for a link.
        """
        try:
            fd = self.open_read(at, name)
        except OSError as e:
            if e.errno != errno.ELOOP:
                raise
            raise OSError(errno.ELOOP, IS_LINK, name) from e
        try:
            status = self.fstat(fd)
            if stat.S_ISDIR(status.st_mode):
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), name)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "not a regular file", name)
            if limit is not None and status.st_size > limit:
                raise OSError(errno.EFBIG, f"longer than {limit} bytes", name)
            size = status.st_size
            if part is not None:
                self.seek(fd, part[0])
                size = max(0, min(part[1], size) - part[0])
            data = self.read(fd, size)
            while len(data) < size and (more := self.read(fd, size - len(data))):
                data += more
            return data, status
        finally:
            self.close(fd)

    def name_new(self, at: int, temp: str, to: int, name: str) -> None:
        """Give a file its name, or raise FileExistsError.

        Where kernel or file system cannot do that in one step (ENOSYS, EINVAL), the file has both names for a moment.
        """
        if self.has_renameat2:
            try:
                self.rename_new(at, temp, to, name)
            except OSError as e:
                if e.errno not in (errno.ENOSYS, errno.EINVAL):
                    raise
                self.has_renameat2 = False
            else:
                return
        self.link(at, temp, to, name)
        self.unlink(at, temp)

    def enter(self, at: int, name: str) -> tuple[int, bool]:
        """Open a folder in a folder, and tell whether it may be looked into. Raises ELOOP for a symbolic link."""
        try:
            return self.open_directory(at, name), True
        except PermissionError:
            return self.open_passage(at, name), False
        except OSError as e:
            # Linux says ENOTDIR of a link, macOS ELOOP
            if e.errno in (errno.ENOTDIR, errno.ELOOP) and stat.S_ISLNK(self.lstat(at, name).st_mode):
                raise OSError(errno.ELOOP, IS_LINK, name) from e
            raise

    def _answers_syncfs(self) -> bool:
        # Some sandboxes refuse the call. Only a kernel that makes it complains about the descriptor.
        try:
            self.syncfs(-1)
        except OSError as e:
            return e.errno == errno.EBADF
        return True


def _raise_unless_interrupted(path: str | None) -> None:
    code = ctypes.get_errno()
    if code != errno.EINTR:
        raise OSError(code, os.strerror(code), path)


def _linux() -> tuple[int, int]:
    release = re.match(r"(\d+)\.(\d+)", os.uname().release) if sys.platform == "linux" else None
    return (int(release[1]), int(release[2])) if release else (0, 0)
