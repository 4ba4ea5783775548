"""The folders of a directory store, opened name by name from the descriptor of its root, for one operation.

Descriptors are not kept from one operation to the next: a directory that was moved away and put back from a copy
meanwhile is then found as it is.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from tiles.store.keeping import Keeping
from tiles.store.posix import Posix

_MOST = 64  # descriptors that are open at a time

Check = Callable[[str, int], None]


class Folders:
    """Descriptors of a root, which is open already, and of folders below it, "" being the root.

    root   its descriptor, and whether it may be looked into; it is closed with the others
    check  raises if a folder is not to be used; it is given the folder and its descriptor
    """

    def __init__(self, posix: Posix, root: tuple[int, bool], keeping: Keeping, check: Check) -> None:
        self._posix = posix
        self._keeping = keeping
        self._check = check
        self._open = {"": root}

    def __enter__(self) -> Folders:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.forget()
        finally:
            self._posix.close(self._open.pop("")[0])

    def find(self, folder: str) -> int:
        """Return the descriptor of a folder. Raises OSError, FileNotFoundError among them, and ELOOP for a link."""
        return (self._open.get(folder) or self._walk(folder, make=False))[0]

    def make(self, folder: str) -> int:
        """Return the descriptor of a folder; it and those above it are made if they are not there."""
        return (self._open.get(folder) or self._walk(folder, make=True))[0]

    def make_in(self, above: str, name: str) -> bool:
        """Make a folder in a folder, and tell whether it was not there."""
        try:
            self._posix.mkdir(self.find(above), name, self._keeping.folder_mode())
        except FileExistsError:
            return False
        return True

    def look_into(self, folder: str) -> int:
        """Return the descriptor of a folder to list or sync it. Raises PermissionError where one may only pass."""
        at = self.find(folder)
        if not self.is_readable(folder):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), folder)
        return at

    def is_readable(self, folder: str) -> bool:
        """Tell whether a folder may be looked into, and not only passed through."""
        return (self._open.get(folder) or self._walk(folder, make=False))[1]

    def sync_directory(self, folder: str) -> None:
        """Make the names in a folder last."""
        self._posix.fsync(self.look_into(folder))

    def forget(self) -> None:
        """Close all but the root, because one was removed, or too many are open."""
        trouble = None
        while len(self._open) > 1:
            try:
                self._posix.close(self._open.popitem()[1][0])
            except OSError as e:
                trouble = e
        if trouble is not None:
            raise trouble

    def spare(self) -> None:
        """Between two objects: close folders if many are open. No descriptor that was returned before is used after."""
        if len(self._open) > _MOST:
            self.forget()

    def _walk(self, folder: str, *, make: bool) -> tuple[int, bool]:
        above, found = "", self._open[""]
        for name in folder.split("/"):
            path = f"{above}/{name}" if above else name
            if (known := self._open.get(path)) is None:
                try:
                    known = self._enter(path, found[0], name)
                except FileNotFoundError:
                    if not make:
                        raise
                    self.make_in(above, name)
                    known = self._enter(path, found[0], name)
            above, found = path, known
        return found

    def _enter(self, folder: str, above: int, name: str) -> tuple[int, bool]:
        found = self._posix.enter(above, name)
        try:
            self._check(folder, found[0])
        except BaseException:
            self._posix.close(found[0])
            raise
        self._open[folder] = found
        return found
