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

    def _opened(self, node: int) -> int:
        fd = next(self._numbers)
        self._open[fd] = node
        return fd

    def _status(self, node: int) -> os.stat_result:
        size = len(self.disk.contents.get(node, b""))
        mode = 0o755 | (stat.S_IFDIR if node in self.disk.names else stat.S_IFREG)
        return os.stat_result((mode, node, self.disk.device[node], 1, 0, 0, size, 1, 1, 1))

    # ---- files

    def open_new(self, path: str) -> int:
        self._change(f"open_new {path}")
        directory, name = self.disk.place(path)
        if name in self.disk.names[directory]:
            raise failure(errno.EEXIST, path)
        node = self.disk.new_node(directory, is_directory=False)
        self.disk.put(directory, name, node)
        return self._opened(node)

    def open_read(self, path: str) -> int:
        self._live()
        return self._opened(self.disk.find(path))

    def open_directory(self, path: str) -> int:
        self._live()
        node = self.disk.find(path)
        if node not in self.disk.names:
            raise failure(errno.ENOTDIR, path)
        return self._opened(node)

    def write(self, fd: int, data: Buffer) -> int:
        self._change("write")
        self.disk.contents[self._open[fd]] += bytes(data)
        self.disk.unsynced.add(self._open[fd])
        return len(data)

    def read(self, fd: int, size: int) -> bytes:
        self._live()
        return self.disk.contents[self._open[fd]][:size]  # `read_file` asks for all of it at once

    def fstat(self, fd: int) -> os.stat_result:
        self._live()
        return self._status(self._open[fd])

    def lstat(self, path: str) -> os.stat_result:
        self._live()
        return self._status(self.disk.find(path))

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

    def mkdir(self, path: str) -> None:
        self._change(f"mkdir {path}")
        directory, name = self.disk.place(path)
        if name in self.disk.names[directory]:
            raise failure(errno.EEXIST, path)
        self.disk.put(directory, name, self.disk.new_node(directory, is_directory=True))

    def rename(self, old: str, new: str) -> None:
        self._change(f"rename {new}")
        self._rename(old, new)

    def _rename(self, old: str, new: str, *, replaces: bool = True) -> None:
        source, target = self.disk.place(old), self.disk.place(new)
        node = self.disk.find(old)
        if not replaces and target[1] in self.disk.names[target[0]]:
            raise failure(errno.EEXIST, new)
        if self.disk.device[source[0]] != self.disk.device[target[0]]:
            raise failure(errno.EXDEV, new)
        if self.disk.names[target[0]].get(target[1]) in self.disk.names:
            raise failure(errno.ENOTEMPTY if old.startswith(f"{new}/") else errno.EISDIR, new)
        if self.disk.names[target[0]].get(target[1]) != node:  # otherwise both names stay
            self.disk.put(*target, node)
            self.disk.put(*source, None)
        self._last_name = new
        if self._renamed is not None:
            self._renamed(new)

    def rename_new(self, old: str, new: str) -> None:
        self._change(f"rename_new {new}")
        self._rename(old, new, replaces=False)

    def link(self, old: str, new: str) -> None:
        self._change(f"link {new}")
        node = self.disk.find(old)
        directory, name = self.disk.place(new)
        if name in self.disk.names[directory]:
            raise failure(errno.EEXIST, new)
        if self.disk.device[node] != self.disk.device[directory]:
            raise failure(errno.EXDEV, new)
        self.disk.put(directory, name, node)

    def unlink(self, path: str) -> None:
        self._change(f"unlink {path}")
        if self.disk.find(path) in self.disk.names:
            raise failure(errno.EISDIR, path)
        self.disk.put(*self.disk.place(path), None)

    def names(self, path: str) -> list[str]:
        self._live()
        node = self.disk.find(path)
        if node not in self.disk.names:
            raise failure(errno.ENOTDIR, path)
        return list(self.disk.names[node])

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
