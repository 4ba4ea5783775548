"""A disk in memory: file systems as processes see them, and as far as they last when the power is cut.

Nothing but a sync makes anything last: of a file its content, of a directory the names in it, of a file system all.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tiles.store.paths import TEMPS

TOP = 0  # the directory "/"

Tree = dict[int, dict[str, int]]  # directory → name → file or directory
Signature = frozenset[tuple[str, bytes | None]]


@dataclass(frozen=True, eq=False, slots=True)
class Change:
    """A name in a directory that was given to a file or directory, or (None) taken away, and may not last yet."""

    directory: int
    name: str
    node: int | None


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
        self.locks: dict[int, tuple[object, int]] = {}
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
