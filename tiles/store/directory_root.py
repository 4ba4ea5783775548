"""The directory of a directory store: opening and making it, its lock, and what below it is to be made to last."""

from __future__ import annotations

import errno
import os
import posixpath
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from threading import Lock

from tiles.errors import AccessError, Refused
from tiles.store.folders import Folders
from tiles.store.keeping import Keeping, check_above, check_own
from tiles.store.mounts import mount_of, parse_mountinfo
from tiles.store.posix import Posix

_HINTS = {
    errno.ENOSPC: "the disk is full: make room and run again",
    errno.EDQUOT: "the disk quota is used up: make room and run again",
    errno.EACCES: "run as a user who may, or change the permissions",
    errno.EPERM: "the file system, or a flag of the file or directory, forbids it",
    errno.EROFS: "the file system is mounted read-only; after a disk error the kernel does that by itself",
    errno.EXDEV: "the directory and all below it must be on one file system",
    errno.ELOOP: "put what the link leads to in its place; only LOG itself may be a link",
    errno.EMFILE: "too many open files: raise `ulimit -n`",
}
_ELSEWHERE = "use a directory on a local disk, or an object store"
_CANNOT_LOCK = (errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF, errno.ENOSYS)


class Root:
    """A directory, given as an absolute path. Folders below it are given relative to it, "" is itself.

    The path may lead through symbolic links: it is resolved the first time that something is there.
    url         how messages name it
    lock_wait   seconds to wait for the lock
    """

    def __init__(self, path: str, url: str, posix: Posix, keeping: Keeping, *, lock_wait: float) -> None:
        self._path = path
        self._resolved = ""
        self._url = url
        self._posix = posix
        self._keeping = keeping
        self._lock_wait = lock_wait
        self._prepared = False
        self._lasting: set[str] = set()
        self._seen: set[str] = set()
        self._seen_lock = Lock()

    def folders(self) -> Folders:
        """Open the directory for one operation. Raises FileNotFoundError, OSError; Refused if it is somebody else's."""
        path = self._resolved or self._posix.realpath(self._path)
        root = self._open_root(path)
        try:
            self._check("", root[0])
            self._check_above(path)
        except BaseException:
            self._posix.close(root[0])
            raise
        self._resolved = path
        return Folders(self._posix, root, self._keeping, self._check)

    def check(self, path: str, status: os.stat_result) -> None:
        """Raise Refused for an object that is somebody else's, and was to be believed."""
        if self._keeping.is_ours(path):
            check_own(self.shown(path), status, self._posix.geteuid())

    def shown(self, path: str) -> str:
        """Return how messages name an object or folder."""
        return f"{self._url}/{path}" if path else self._url

    def _check(self, folder: str, fd: int) -> None:
        if self._keeping.is_ours(folder):
            self.check(folder, self._posix.fstat(fd))

    def _check_above(self, path: str) -> None:
        if not self._keeping.alone:
            return
        above = posixpath.dirname(path)
        fd, _ = self._open_root(above)
        try:
            check_above(above, self._posix.fstat(fd))
        finally:
            self._posix.close(fd)

    def _open_root(self, path: str) -> tuple[int, bool]:
        try:
            return self._posix.open_root(path), True
        except PermissionError:
            return self._posix.open_passage(None, path), False

    def error(self, operation: str, path: str, e: OSError, kind: type[AccessError] = AccessError) -> AccessError:
        """Return what to raise for a system call's error."""
        return kind(f"cannot {operation} {self.shown(path)}: {e.strerror}", hint=_HINTS.get(e.errno or 0, ""))

    def prepare(self) -> None:
        """On the first call make the directory and those above it, to last. Raises Refused before making any."""
        if self._prepared:
            return
        missing: list[str] = []
        try:
            at = self._posix.realpath(self._path)
            while (found := self._open_if_there(at)) is None:
                missing.append(posixpath.basename(at))
                at = posixpath.dirname(at)
            fd, is_open = found
            try:
                if len(missing) <= 1:
                    self._check_above(posixpath.join(at, *missing))
                if not missing:
                    self._check("", fd)
                elif not is_open:
                    raise OSError(errno.EACCES, os.strerror(errno.EACCES), at)
                self._refuse_unlockable(at, fd, tries=is_open)
                # A directory is made only once the name of the one above it lasts. So at most the lowest one that is
                # there has a name that does not last yet: a run may have died between making and syncing it.
                self._sync_name(at, fd)
                while missing:
                    name = missing.pop()
                    mode = self._keeping.mode_above() if missing else self._keeping.folder_mode()
                    with suppress(FileExistsError):
                        self._posix.mkdir(fd, name, mode)
                    self._posix.fsync(fd)
                    above, fd = fd, self._posix.open_directory(fd, name)
                    self._posix.close(above)
            finally:
                self._posix.close(fd)
        except OSError as e:
            raise self.error("make", "", e) from e
        self._prepared = True

    def make_lasting(self, folders: Folders, folder: str) -> None:
        """Make a folder and those above it, so that their names last."""
        if not folder:
            return
        above, name = posixpath.split(folder)
        self.make_lasting(folders, above)
        if folders.make_in(above, name) or folder not in self._lasting:
            # also if it was there: `create`, or a run that died, may have made it without syncing its name
            folders.sync_directory(above)
            self._lasting.add(folder)

    def lock(self, folders: Folders) -> None:
        """Lock the directory itself, until the end of the operation, so that no lock file can be served or left behind.

        The lock is on the descriptor that was opened for this operation, and ends when that is closed, so with the
        process; a program that is started meanwhile does not get it. Raises AccessError after `lock_wait`.
        """
        fd = folders.look_into("")
        # This does not wait in the kernel, where a process that is stopped with the lock would block it for ever.
        until, pause = self._posix.monotonic() + self._lock_wait, 0.0005
        while not self._try_lock(fd):
            if self._posix.monotonic() > until:
                hint = "`lslocks` shows who: a writer that is stopped or stuck, or another program"
                raise AccessError(f"cannot lock {self._url}: another process has locked it", hint=hint)
            self._posix.sleep(pause)
            pause = min(2 * pause, 0.02)

    def see(self, folder: str) -> None:
        """Remember a folder in which something was found or changed, so that `sync_all` makes that last."""
        with self._seen_lock:
            self._seen.add(folder)

    def sync_all(self) -> None:
        """Make everything that is there last; see `sync_seen`."""
        with suppress(FileNotFoundError), self.folders() as folders:
            self.sync_seen(folders)

    def sync_seen(self, folders: Folders) -> None:
        """Make everything that is there last.

        Without syncfs, and where the directory may only be passed through: the names in every folder that `see`
        remembered, but not in one that may not be looked into, as no run of ours can have found anything there.
        """
        with self._seen_lock:
            seen, self._seen = self._seen, set()
        try:
            if self._posix.has_syncfs and folders.is_readable(""):
                self._posix.syncfs(folders.find(""))
                return
            for folder in set(chain.from_iterable(map(_upwards, seen))):
                folders.spare()
                with suppress(FileNotFoundError, NotADirectoryError):
                    if folders.is_readable(folder):
                        folders.sync_directory(folder)
        except OSError:
            with self._seen_lock:
                self._seen |= seen
            raise

    def _sync_name(self, directory: str, fd: int) -> None:
        try:
            above = self._posix.open_root(posixpath.dirname(directory))
        except PermissionError:
            return  # no run of ours can have made a directory in one that it may not read
        try:
            # otherwise it is a mount point: it was there before anything on it
            if self._posix.fstat(above).st_dev == self._posix.fstat(fd).st_dev:
                self._posix.fsync(above)
        finally:
            self._posix.close(above)

    def _open_if_there(self, path: str) -> tuple[int, bool] | None:
        try:
            return self._open_root(path)
        except FileNotFoundError:
            return None

    def _try_lock(self, fd: int) -> bool:
        try:
            self._posix.flock(fd)
        except BlockingIOError:
            return False
        return True

    def _refuse_unlockable(self, at: str, fd: int, *, tries: bool) -> None:
        try:
            number = re.search(r"^mnt_id:\s*([0-9]+)$", self._posix.fdinfo(fd), re.MULTILINE)
            mount = mount_of(parse_mountinfo(self._posix.mountinfo()), at, int(number[1]) if number else None)
        except OSError:  # no /proc: not Linux
            mount = None
        if mount is not None and mount.problem:
            found = f"on a {mount.kind} file system ({mount.source} at {mount.point}), and {mount.problem}"
            raise Refused(f"{self._url} cannot be locked: it is {found}", hint=_ELSEWHERE)
        try:
            if tries:  # whoever may only pass through the directory can swap nothing in it
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
