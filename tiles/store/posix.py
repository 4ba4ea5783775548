"""The system calls of the directory store, all of them: a thin method each, so a test can record, fail or drop any one.

Below them are the few sequences of calls that are always made together; they call nothing but the thin methods.
"""

# pathlib would hide which calls are made
# ruff: noqa: PTH102, PTH105, PTH108, PTH208

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import stat
import sys
import time
from pathlib import Path

Buffer = bytes | bytearray | memoryview

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_FULL_SYNC = getattr(fcntl, "F_FULLFSYNC", None)  # Darwin, where fsync leaves data in the drive's cache


class Posix:
    """System calls on absolute paths and on descriptors. Every method raises OSError and nothing else.

    Python repeats calls that a signal interrupted (PEP 475); the two made through ctypes are repeated here.
    No descriptor is inherited by a program that is started meanwhile (O_CLOEXEC).
    """

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._syncfs = getattr(libc, "syncfs", None)
        self._renameat2 = getattr(libc, "renameat2", None)
        # Before Linux 5.8 syncfs keeps silent about contents it could not write, so it proves nothing there.
        self.has_syncfs = _linux() >= (5, 8) and self._answers_syncfs()
        self.has_renameat2 = True  # until a call fails because kernel or file system cannot do it

    # ---- files

    def open_new(self, path: str) -> int:
        """Open a file for writing that must not be there (EEXIST)."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)

    def open_read(self, path: str) -> int:
        """Open a file for reading."""
        # A fifo would block without O_NONBLOCK; an object is never a symbolic link.
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)

    def open_directory(self, path: str) -> int:
        """Open a directory, to sync it, its file system, or to lock it."""
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def write(self, fd: int, data: Buffer) -> int:
        """Write some of the data, and return how many bytes."""
        return os.write(fd, data)

    def read(self, fd: int, size: int) -> bytes:
        """Read up to `size` bytes; b"" at the end."""
        return os.read(fd, size)

    def fstat(self, fd: int) -> os.stat_result:
        """Return the status of an open file."""
        return os.fstat(fd)

    def lstat(self, path: str) -> os.stat_result:
        """Return the status of a file, a directory or a symbolic link itself."""
        return os.lstat(path)

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

    def mkdir(self, path: str) -> None:
        """Make a directory."""
        os.mkdir(path)

    def rename(self, old: str, new: str) -> None:
        """Rename a file; it replaces one that may have the new name."""
        os.replace(old, new)

    def rename_new(self, old: str, new: str) -> None:
        """Rename a file to a name that must not be taken (EEXIST). Kernel or file system may not know how (EINVAL)."""
        if self._renameat2 is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        old_path, new_path = os.fsencode(old), os.fsencode(new)
        while self._renameat2(_AT_FDCWD, old_path, _AT_FDCWD, new_path, _RENAME_NOREPLACE) != 0:
            _raise_unless_interrupted(new)

    def link(self, old: str, new: str) -> None:
        """Give a file a second name that must not be taken (EEXIST)."""
        os.link(old, new, follow_symlinks=False)

    def unlink(self, path: str) -> None:
        """Remove the name of a file."""
        os.unlink(path)

    def names(self, path: str) -> list[str]:
        """Return the names in a directory, in no order."""
        return os.listdir(path)

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

    def write_file(self, path: str, data: Buffer, *, sync: bool) -> None:
        """Make a new file with this content; with `sync` the content lasts, the name does not yet."""
        fd = self.open_new(path)
        try:
            done = self.write(fd, data)
            while done < len(data):  # a short write: a signal, or a disk that is about to be full
                done += self.write(fd, memoryview(data)[done:])
            if sync:
                self.fsync(fd)
        finally:
            self.close(fd)

    def read_file(self, path: str, limit: int | None = None) -> tuple[bytes, float]:
        """Return content and modification time of a regular file.

        Raises EFBIG if it is longer than `limit` bytes, EISDIR or EINVAL if it is not a regular file.
        """
        fd = self.open_read(path)
        try:
            status = self.fstat(fd)
            if stat.S_ISDIR(status.st_mode):
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), path)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "not a regular file", path)
            if limit is not None and status.st_size > limit:
                raise OSError(errno.EFBIG, f"longer than {limit} bytes", path)
            data = self.read(fd, status.st_size)
            while len(data) < status.st_size and (more := self.read(fd, status.st_size - len(data))):
                data += more
            return data, status.st_mtime
        finally:
            self.close(fd)

    def name_new(self, temp: str, path: str) -> None:
        """Give a file its name, or raise FileExistsError.

        Where kernel or file system cannot do that in one step (ENOSYS, EINVAL), the file has both names for a moment.
        """
        if self.has_renameat2:
            try:
                self.rename_new(temp, path)
            except OSError as e:
                if e.errno not in (errno.ENOSYS, errno.EINVAL):
                    raise
                self.has_renameat2 = False
            else:
                return
        self.link(temp, path)
        self.unlink(temp)

    def sync_directory(self, path: str) -> None:
        """Make the names in a directory last."""
        fd = self.open_directory(path)
        try:
            self.fsync(fd)
        finally:
            self.close(fd)

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
