"""The directory of a directory store: making it, its lock, and which of the directories below it are there and last."""

from __future__ import annotations

import errno
import posixpath
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from threading import Lock

from tiles.errors import AccessError, Refused
from tiles.store.mounts import mount_of, parse_mountinfo
from tiles.store.posix import Posix

_HINTS = {
    errno.ENOSPC: "the disk is full: make room and run again",
    errno.EDQUOT: "the disk quota is used up: make room and run again",
    errno.EACCES: "run as a user who may, or change the permissions",
    errno.EPERM: "the file system, or a flag of the file or directory, forbids it",
    errno.EROFS: "the file system is mounted read-only; after a disk error the kernel does that by itself",
    errno.EXDEV: "the directory and all below it must be on one file system",
    errno.EMFILE: "too many open files: raise `ulimit -n`",
}
_ELSEWHERE = "use a directory on a local disk, or an object store"
_CANNOT_LOCK = (errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF, errno.ENOSYS)


class Root:
    """A directory, given as an absolute path. Directories below it are given relative to it, "" is itself.

    url         how messages name it
    lock_wait   seconds to wait for the lock
    """

    def __init__(self, path: str, url: str, posix: Posix, lock_wait: float) -> None:
        self.path = path
        self._url = url
        self._posix = posix
        self._lock_wait = lock_wait
        self._prepared = False
        self._present: set[str] = set()
        self._lasting: set[str] = set()
        self._seen: set[str] = set()
        self._seen_lock = Lock()

    def error(self, operation: str, path: str, e: OSError, kind: type[AccessError] = AccessError) -> AccessError:
        """Return what to raise for a system call's error."""
        where = f"{self._url}/{path}" if path else self._url
        return kind(f"cannot {operation} {where}: {e.strerror}", hint=_HINTS.get(e.errno or 0, ""))

    def prepare(self) -> None:
        """On the first call make the directory and those above it, to last. Raises Refused before making any."""
        if self._prepared:
            return
        missing = []
        try:
            at = self._posix.realpath(self.path)
            while (fd := self._open_if_there(at)) is None:
                missing.append(at)
                at = posixpath.dirname(at)
            try:
                self._refuse_unlockable(at, fd)
            finally:
                self._posix.close(fd)
            # A directory is made only once the name of the one above it lasts. So at most the lowest one that is there
            # has a name that does not last yet: a run may have died between making and syncing it.
            self._sync_name(at)
            for directory in reversed(missing):
                self._mkdir(directory)
                self._posix.sync_directory(posixpath.dirname(directory))
        except OSError as e:
            raise self.error("make", "", e) from e
        self._prepared = True

    def make_present(self, directory: str) -> None:
        """Make a directory and those above it if they are not there; their names last after `sync_all`."""
        if directory and directory not in self._present:
            self.make_present(posixpath.dirname(directory))
            self._mkdir(f"{self.path}/{directory}")
            self._present.add(directory)

    def forget_present(self) -> None:
        """Forget which directories are there, because one was removed."""
        self._present = set()

    def make_lasting(self, directory: str) -> None:
        """Make a directory and those above it, so that their names last."""
        if not directory:
            return
        parent = posixpath.dirname(directory)
        self.make_lasting(parent)
        if self._mkdir(f"{self.path}/{directory}") or directory not in self._lasting:
            # also if it was there: `make_present`, or a run that died, may have made it without syncing its name
            self._posix.sync_directory(f"{self.path}/{parent}")
            self._lasting.add(directory)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold a lock on the directory itself, so that no lock file can be served, copied or left behind.

        It ends with the descriptor, so with the process; a program that is started meanwhile does not get it.
        Raises AccessError after `lock_wait`.
        """
        fd = self._posix.open_directory(self.path)
        try:
            # This does not wait in the kernel, where a process that is stopped with the lock would block it for ever.
            until, pause = self._posix.monotonic() + self._lock_wait, 0.0005
            while not self._try_lock(fd):
                if self._posix.monotonic() > until:
                    hint = "`lslocks` shows who: a writer that is stopped or stuck, or another program"
                    raise AccessError(f"cannot lock {self._url}: another process has locked it", hint=hint)
                self._posix.sleep(pause)
                pause = min(2 * pause, 0.02)
            yield
        finally:
            self._posix.close(fd)

    def see(self, directory: str) -> None:
        """Remember a directory in which something was found or changed, so that `sync_all` makes that last."""
        if not self._posix.has_syncfs:
            with self._seen_lock:
                self._seen.add(directory)

    def sync_all(self) -> None:
        """Make everything that is there last; without syncfs, the names in every directory that `see` remembered."""
        fd = self._open_if_there(self.path)
        if fd is None:
            return
        try:
            if self._posix.has_syncfs:
                self._posix.syncfs(fd)
            else:
                self._sync_seen()
        finally:
            self._posix.close(fd)

    def _sync_seen(self) -> None:
        with self._seen_lock:
            seen, self._seen = self._seen, set()
        try:
            for directory in set(chain.from_iterable(map(_upwards, seen))):
                with suppress(FileNotFoundError, NotADirectoryError):
                    self._posix.sync_directory(f"{self.path}/{directory}")
        except OSError:
            with self._seen_lock:
                self._seen |= seen
            raise

    def _sync_name(self, directory: str) -> None:
        parent = posixpath.dirname(directory)
        if self._posix.lstat(parent).st_dev != self._posix.lstat(directory).st_dev:
            return  # a mount point, or "/": it was there before anything on it
        try:
            fd = self._posix.open_directory(parent)
        except PermissionError:
            return  # no run of ours can have made a directory in one that it may not read
        try:
            self._posix.fsync(fd)
        finally:
            self._posix.close(fd)

    def _mkdir(self, path: str) -> bool:
        try:
            self._posix.mkdir(path)
        except FileExistsError:
            return False
        return True

    def _open_if_there(self, path: str) -> int | None:
        try:
            return self._posix.open_directory(path)
        except FileNotFoundError:
            return None

    def _try_lock(self, fd: int) -> bool:
        try:
            self._posix.flock(fd)
        except BlockingIOError:
            return False
        return True

    def _refuse_unlockable(self, at: str, fd: int) -> None:
        try:
            number = re.search(r"^mnt_id:\s*([0-9]+)$", self._posix.fdinfo(fd), re.MULTILINE)
            mount = mount_of(parse_mountinfo(self._posix.mountinfo()), at, int(number[1]) if number else None)
        except OSError:  # no /proc: not Linux
            mount = None
        if mount is not None and mount.problem:
            found = f"on a {mount.kind} file system ({mount.source} at {mount.point}), and {mount.problem}"
            raise Refused(f"{self._url} cannot be locked: it is {found}", hint=_ELSEWHERE)
        try:
            self._try_lock(fd)
        except OSError as e:
            if e.errno not in _CANNOT_LOCK:
                raise
            raise Refused(f"{self._url} cannot be locked: flock of {at} says {e.strerror}", hint=_ELSEWHERE) from e


def _upwards(directory: str) -> Iterator[str]:
    """Yield a relative directory and those above it, "" last."""
    while directory:
        yield directory
        directory = posixpath.dirname(directory)
    yield ""
