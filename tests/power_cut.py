"""File systems in memory, behind `Posix`, and every state that a power cut may leave them in.

Nothing but a sync makes anything last: `fsync` of a file its content, `fsync` of a directory the names in it, `syncfs`
all of one file system. Of the rest each part by itself is there after the cut or not: a name that was given, taken
away or replaced as it is now or as it was; a content whole, cut short, empty or zeros. A rename is two names.

A cut is looked at where a sync is about to be made, and at the end: until then whatever an earlier cut could have left
is still possible, and what has been promised has only become more.
"""

from __future__ import annotations

import errno
import itertools
import os
import random
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from faults import Died
from tiles.store.paths import TEMPS
from tiles.store.posix import Buffer, Posix

TOP = 0  # the directory "/"

Tree = dict[int, dict[str, int]]  # directory → name → file or directory
Signature = frozenset[tuple[str, bytes | None]]


@dataclass(frozen=True, eq=False, slots=True)
class Change:
    """A name in a directory that was given to a file or directory, or (None) taken away, and may not last yet."""

    directory: int
    name: str
    node: int | None


Owed = frozenset[Change | int]  # changes of names, and files whose content was changed
NOTHING: Owed = frozenset()


class Disk:
    """What is stored, as processes see it (`names`, `contents`) and as far as it lasts (`lasting`).

    mounts   absolute paths where other file systems begin than the one of "/"
    """

    def __init__(self, mounts: Iterable[str] = ()) -> None:
        self.names: Tree = {TOP: {}}
        self.lasting: Tree = {TOP: {}}
        self.contents: dict[int, bytes] = {}
        self.device = {TOP: 0}
        self.changes: list[Change] = []  # of names, in order, that do not last yet
        self.unsynced: set[int] = set()  # files whose content does not last yet
        self.locks: dict[int, tuple[Process, int]] = {}
        for device, mount in enumerate(mounts, 1):
            parent, _, name = mount.rpartition("/")
            node = self.new_node(self.find(parent), is_directory=True)
            self.device[node] = device
            self.names[self.find(parent)][name] = self.lasting[self.find(parent)][name] = node

    def new_node(self, parent: int, *, is_directory: bool) -> int:
        """Return a new file or directory on the file system of its parent, without a name yet."""
        node = len(self.device)
        self.device[node] = self.device[parent]
        if is_directory:
            self.names[node], self.lasting[node] = {}, {}
        else:
            self.contents[node] = b""
            self.unsynced.add(node)
        return node

    def find(self, path: str) -> int:
        """Return what an absolute path leads to. Raises FileNotFoundError and NotADirectoryError."""
        node = TOP
        for name in filter(None, path.split("/")):
            if (names := self.names.get(node)) is None:
                raise failure(errno.ENOTDIR, path)
            if name not in names:
                raise failure(errno.ENOENT, path)
            node = names[name]
        return node

    def place(self, path: str) -> tuple[int, str]:
        """Return the directory that a path's last name is in, and that name."""
        parent, _, name = path.rpartition("/")
        directory = self.find(parent)
        if directory not in self.names:
            raise failure(errno.ENOTDIR, path)
        return directory, name

    def put(self, directory: int, name: str, node: int | None) -> None:
        """Give a name, or take it away."""
        self.changes.append(Change(directory, name, node))
        if node is None:
            del self.names[directory][name]
        else:
            self.names[directory][name] = node

    def pending(self, node: int, *, everything: bool) -> tuple[list[Change], set[int]]:
        """Return what a sync of a file or directory (`everything`: of its file system) makes last."""
        if everything:
            device = self.device
            changes = [change for change in self.changes if device[change.directory] == device[node]]
            return changes, {file for file in self.unsynced if device[file] == device[node]}
        return [change for change in self.changes if change.directory == node], {node} & self.unsynced

    def sync(self, changes: Sequence[Change], contents: set[int]) -> None:
        """Make some changes, which are all there are of their directories, and contents last."""
        for change in changes:
            self.lasting[change.directory] = dict(self.names[change.directory])
        done = set(changes)
        self.changes = [change for change in self.changes if change not in done]
        self.unsynced -= contents

    def copy(self) -> Disk:
        """Return an equal disk that goes on by itself; nothing on it is locked."""
        other = Disk()
        other.names = {node: dict(names) for node, names in self.names.items()}
        other.lasting = {node: dict(names) for node, names in self.lasting.items()}
        other.contents, other.device = dict(self.contents), dict(self.device)
        other.changes, other.unsynced = list(self.changes), set(self.unsynced)
        return other

    def walk(self) -> Iterator[tuple[str, int]]:
        """Yield all paths, and what they lead to; nothing in directories of temporary files."""
        ahead = [("", TOP)]
        while ahead:
            path, node = ahead.pop()
            yield path, node
            if node in self.names and not path.endswith(TEMPS):
                ahead += [(f"{path}/{name}", below) for name, below in self.names[node].items()]

    def signature(self) -> Signature:
        """Return what is stored, as a value. Temporary files are left out: nobody reads them, no name comes twice."""
        return frozenset((path, self.contents.get(node)) for path, node in self.walk())


def failure(code: int, path: str) -> OSError:
    """Return the error that a system call fails with."""
    return OSError(code, os.strerror(code), path)


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
        source, target = self.disk.place(old), self.disk.place(new)
        node = self.disk.find(old)
        if self.disk.device[source[0]] != self.disk.device[target[0]]:
            raise failure(errno.EXDEV, new)
        if self.disk.names[target[0]].get(target[1]) in self.disk.names:
            raise failure(errno.EISDIR, new)
        if source != target:
            self.disk.put(*target, node)
            self.disk.put(*source, None)
        self._last_name = new
        if self._renamed is not None:
            self._renamed(new)

    def rename_new(self, old: str, new: str) -> None:
        directory, name = self.disk.place(new)
        self.disk.find(old)
        if name in self.disk.names[directory]:
            raise failure(errno.EEXIST, new)
        self.rename(old, new)

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


class Cut:
    """A moment at which the power is cut: what lasts, and what may or may not be there."""

    def __init__(self, disk: Disk) -> None:
        self._lasting = {node: dict(names) for node, names in disk.lasting.items()}
        self._contents = dict(disk.contents)
        self._device = disk.device  # never changes for what is there now
        self._unsynced = set(disk.unsynced)
        temps = {names[TEMPS] for names in disk.names.values() if TEMPS in names}
        self._temps = [change for change in disk.changes if change.directory in temps]
        self.changes = [change for change in disk.changes if change.directory not in temps]

    def states(self, most: int, rng: random.Random, owed: Owed = NOTHING) -> Iterator[State]:
        """Yield what the cut may leave: all of it if these are at most `most` ways to choose, else a sample.

        owed   if given, at least one of these changes and contents is not there in every state that is yielded
        """
        seen = set()
        for there in self._choices(most, rng, owed):
            for state in self._with_contents(there, rng, owed):
                if (signature := state.disk.signature()) not in seen:
                    seen.add(signature)
                    yield state

    def _choices(self, most: int, rng: random.Random, owed: Owed) -> Iterator[set[Change]]:
        every = self.changes
        if owed:
            yield {change for change in every if change not in owed}
        if 2 ** len(every) <= most:
            for mask in itertools.product((False, True), repeat=len(every)):
                yield set(itertools.compress(every, mask))
            return
        yield set()
        yield set(every)
        for one in every:
            yield {one}
            yield {change for change in every if change is not one}
        for _ in range(most - 2 * len(every) - 2):
            share = rng.random()
            yield {change for change in every if rng.random() < share}

    def _with_contents(self, there: set[Change], rng: random.Random, owed: Owed) -> Iterator[State]:
        missing = not owed or any(change in owed and change not in there for change in self.changes)
        state = self._state(there, {}, keep_temps=rng.random() < 0.5)
        doubtful = sorted({node for _, node in state.disk.walk()} & self._unsynced)
        if missing:
            yield state
        for bad in (*([node] for node in doubtful), doubtful):
            if bad and (missing or owed.intersection(bad)):
                for how in BAD:
                    yield self._state(there, dict.fromkeys(bad, how), keep_temps=rng.random() < 0.5)

    def _state(self, there: set[Change], bad: dict[int, str], *, keep_temps: bool) -> State:
        disk = Disk()
        disk.names = {node: dict(names) for node, names in self._lasting.items()}
        for change in [*[change for change in self.changes if change in there], *(self._temps if keep_temps else [])]:
            if change.node is None:
                disk.names[change.directory].pop(change.name, None)
            else:
                disk.names[change.directory][change.name] = change.node
        disk.lasting = {node: dict(names) for node, names in disk.names.items()}
        disk.contents = self._contents | {node: BAD[how](self._contents[node]) for node, how in bad.items()}
        disk.device = dict(self._device)
        return State(self, disk, there, bad)

    def paths(self) -> dict[int, str]:
        """Return all paths that are, were or will be."""
        every = [(node, name, below) for node, names in self._lasting.items() for name, below in names.items()]
        every += [(change.directory, change.name, change.node) for change in self.changes if change.node is not None]
        above = {below: (node, name) for node, name, below in every}

        def path(node: int) -> str:
            return f"{path(above[node][0])}/{above[node][1]}" if node in above else ""

        return {node: path(node) for node in above} | {TOP: ""}


BAD: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut short": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
}


@dataclass(frozen=True)
class State:
    """One of the states that a cut may leave: which changes of names are there, and which contents are bad."""

    cut: Cut
    disk: Disk
    there: set[Change]
    bad: dict[int, str]

    def __str__(self) -> str:
        paths = self.cut.paths()
        lines = ["after the cut:"]
        for change in self.cut.changes:
            name = f"{paths[change.directory]}/{change.name}"
            what = f"{name} is gone" if change.node is None else f"{name} is node {change.node}"
            lines.append(what if change in self.there else f"NOT: {what}")
        return "\n".join([*lines, *(f"{paths.get(node, node)} is {how}" for node, how in self.bad.items())])
