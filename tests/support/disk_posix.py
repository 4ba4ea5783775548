"""The system calls of a process on a disk in memory, behind `Posix`."""

from __future__ import annotations

import errno
import itertools
import os
import stat
from collections.abc import Callable, Sequence

from tests.support.disk import Change, Disk, failure
from tests.support.faults import Died
from tiles.store.posix import Buffer, Posix


class Process(Posix):
    """The system calls of one process on a disk. Its time passes when it sleeps.

    is_old        this system has neither syncfs nor renameat2
    lives         how many calls that change or sync something it makes before it dies
    gate          is called before each of them, and instead of waiting
    renamed       is called after each rename, with the name that it gave
    before_sync   is called before each sync, with what that would make last; False: it is left out
    broken        the first sync after a rename to a path that ends like this reports an error, and makes nothing last
    """

    def __init__(
        self,
        disk: Disk,
        number: int = 0,
        *,
        is_old: bool = False,
        lives: int | None = None,
        gate: Callable[[str], None] | None = None,
        renamed: Callable[[str], None] | None = None,
        before_sync: Callable[[Sequence[Change], set[int]], bool] | None = None,
        broken: str = "",
    ) -> None:
        self.has_syncfs = self.has_renameat2 = not is_old
        self.disk = disk
        self.calls = 0
        self._gate = gate
        self._broken = broken
        self._last_name = ""  # that a rename gave
        self._renamed = renamed
        self._number = number
        self._lives = lives
        self._before_sync = before_sync
        self._open: dict[int, int] = {}
        self._paths: dict[int, str] = {}  # by which they were opened
        self._begin: dict[int, int] = {}  # where the next read begins
        self._numbers = itertools.count(3)
        self._dead = False
        self._now = 0.0

    def _live(self) -> None:
        if self._dead:
            raise Died

    def _change(self, what: str) -> None:
        self._live()
        if self._gate is not None:
            try:
                self._gate(what)
            except Died:
                self._die()
                raise
        if self.calls == self._lives:
            self._die()
            raise Died(f"before call {self.calls}, {what}")
        self.calls += 1

    def _die(self) -> None:
        self._dead = True
        self.disk.locks = {node: held for node, held in self.disk.locks.items() if held[0] is not self}

    def _opened(self, node: int, path: str) -> int:
        fd = next(self._numbers)
        self._open[fd], self._paths[fd] = node, path
        return fd

    def _path(self, at: int, name: str) -> str:
        return f"{self._paths[at].rstrip('/')}/{name}"

    def _find(self, at: int, name: str) -> int:
        """Return what a name in an open folder stands for, "." for the folder."""
        names = self.disk.names[self._open[at]]
        if name != "." and name not in names:
            raise failure(errno.ENOENT, name)
        return names[name] if name != "." else self._open[at]

    def _status(self, node: int) -> os.stat_result:
        size = len(self.disk.contents.get(node, b""))
        mode = 0o755 | (stat.S_IFDIR if node in self.disk.names else stat.S_IFREG)
        return os.stat_result((mode, node, self.disk.device[node], 1, 0, 0, size, 1, 1, 1))

    # ---- files

    def open_root(self, path: str) -> int:
        self._live()
        return self._opened(self.disk.find(path), path)

    def open_new(self, at: int, name: str, mode: int) -> int:  # noqa: ARG002
        path = self._path(at, name)
        self._change(f"open_new {path}")
        directory = self._open[at]
        if name in self.disk.names[directory]:
            raise failure(errno.EEXIST, path)
        node = self.disk.new_node(directory, is_directory=False)
        self.disk.put(directory, name, node)
        return self._opened(node, path)

    def open_read(self, at: int, name: str) -> int:
        self._live()
        return self._opened(self._find(at, name), self._path(at, name))

    def open_directory(self, at: int, name: str) -> int:
        self._live()
        node = self._find(at, name)
        if node not in self.disk.names:
            raise failure(errno.ENOTDIR, name)
        return self._opened(node, self._path(at, name))

    def write(self, fd: int, data: Buffer) -> int:
        self._change("write")
        self.disk.contents[self._open[fd]] += bytes(data)
        self.disk.unsynced.add(self._open[fd])
        return len(data)

    def read(self, fd: int, size: int) -> bytes:
        self._live()
        at = self._begin.pop(fd, 0)
        return self.disk.contents[self._open[fd]][at : at + size]  # `read_file` asks for all of it at once

    def seek(self, fd: int, at: int) -> None:
        self._live()
        self._begin[fd] = at

    def fstat(self, fd: int) -> os.stat_result:
        self._live()
        return self._status(self._open[fd])

    def lstat(self, at: int, name: str) -> os.stat_result:
        self._live()
        return self._status(self._find(at, name))

    def close(self, fd: int) -> None:
        self._live()
        node = self._open.pop(fd)
        if self.disk.locks.get(node) == (self, fd):
            del self.disk.locks[node]

    # ---- what lasts

    def fsync(self, fd: int) -> None:
        self._sync(self._open[fd], everything=False)

    def syncfs(self, fd: int) -> None:
        self._sync(self._open[fd], everything=True)

    def _sync(self, node: int, *, everything: bool) -> None:
        self._change("syncfs" if everything else "fsync")
        if self._broken and self._last_name.endswith(self._broken):
            self._broken = ""
            raise failure(errno.EIO, self._last_name)
        changes, contents = self.disk.pending(node, everything=everything)
        if self._before_sync is None or self._before_sync(changes, contents):
            self.disk.sync(changes, contents)

    # ---- names

    def mkdir(self, at: int, name: str, mode: int) -> None:  # noqa: ARG002
        self._change(f"mkdir {self._path(at, name)}")
        directory = self._open[at]
        if name in self.disk.names[directory]:
            raise failure(errno.EEXIST, name)
        self.disk.put(directory, name, self.disk.new_node(directory, is_directory=True))

    def rename(self, at: int, old: str, to: int, new: str) -> None:
        self._change(f"rename {self._path(to, new)}")
        self._rename(at, old, to, new)

    def _rename(self, at: int, old: str, to: int, new: str, *, replaces: bool = True) -> None:
        source, target = self._open[at], self._open[to]
        node, there = self._find(at, old), self.disk.names[target].get(new)
        if not replaces and there is not None:
            raise failure(errno.EEXIST, new)
        if self.disk.device[source] != self.disk.device[target]:
            raise failure(errno.EXDEV, new)
        if there in self.disk.names:
            is_above = self._path(at, old).startswith(f"{self._path(to, new)}/")
            raise failure(errno.ENOTEMPTY if is_above else errno.EISDIR, new)
        if there != node:  # otherwise both names stay
            self.disk.put(target, new, node)
            self.disk.put(source, old, None)
        self._last_name = self._path(to, new)
        if self._renamed is not None:
            self._renamed(self._last_name)

    def rename_new(self, at: int, old: str, to: int, new: str) -> None:
        self._change(f"rename_new {self._path(to, new)}")
        self._rename(at, old, to, new, replaces=False)

    def link(self, at: int, old: str, to: int, new: str) -> None:
        self._change(f"link {self._path(to, new)}")
        node, directory = self._find(at, old), self._open[to]
        if new in self.disk.names[directory]:
            raise failure(errno.EEXIST, new)
        if self.disk.device[node] != self.disk.device[directory]:
            raise failure(errno.EXDEV, new)
        self.disk.put(directory, new, node)

    def unlink(self, at: int, name: str) -> None:
        self._change(f"unlink {self._path(at, name)}")
        if self._find(at, name) in self.disk.names:
            raise failure(errno.EISDIR, name)
        self.disk.put(self._open[at], name, None)

    def names(self, fd: int, most: int | None = None) -> list[str]:
        self._live()
        return list(self.disk.names[self._open[fd]])[:most]

    def realpath(self, path: str) -> str:
        return path

    # ---- the rest of the world

    def flock(self, fd: int) -> None:
        self._live()
        if self.disk.locks.setdefault(self._open[fd], (self, fd)) != (self, fd):
            raise failure(errno.EWOULDBLOCK, "")

    def mountinfo(self) -> str:
        raise failure(errno.ENOENT, "/proc")

    def fdinfo(self, fd: int) -> str:
        raise failure(errno.ENOENT, f"/proc/{fd}")

    def geteuid(self) -> int:
        return 0

    def getpid(self) -> int:
        return self._number

    def urandom(self, size: int) -> bytes:
        return self._number.to_bytes(size, "big")

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds
        if self._gate is not None:
            self._gate("sleep")
