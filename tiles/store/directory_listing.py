"""What is in a directory store: its objects, the folders at a place, and the temporary files of dead runs."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress

from tiles.store import Listed, Unlistable
from tiles.store.directory_root import Root
from tiles.store.folders import Folders
from tiles.store.keeping import Keeping, is_anyones
from tiles.store.paths import TEMPS, is_path
from tiles.store.posix import Posix


class Listing:
    """Lists one directory. Directories are given relative to it, "" is itself."""

    def __init__(self, root: Root, posix: Posix, keeping: Keeping) -> None:
        self._root = root
        self._posix = posix
        self._keeping = keeping

    def below(self, directory: str) -> Iterator[Listed]:
        """Yield all objects below a directory in the order of their paths. Raises Unlistable, AccessError."""
        try:
            with self._root.folders() as folders:
                yield from self._walk(folders, directory)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as e:
            if e.errno != errno.ELOOP:  # a link leads to no object
                raise self._root.error("list", directory, e) from e

    def folders(self, prefix: str) -> Sequence[str]:
        """Return, in order, the names of the directories right below a prefix ("" or ending in "/")."""
        found = []
        try:
            with self._root.folders() as folders:
                at = folders.look_into(prefix[:-1])
                for name in sorted(self._posix.names(at)):
                    with suppress(FileNotFoundError):
                        if is_path(prefix + name) and stat.S_ISDIR(self._posix.lstat(at, name).st_mode):
                            found.append(name)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as e:
            raise self._root.error("list", prefix[:-1], e) from e
        return found

    def stale_temps(self, before: float) -> Sequence[str]:
        """Return the names of temporary files last written before a time; in somebody else's folder, their paths."""
        found = self._stale(TEMPS, "", before)
        if shared := self._keeping.shared:
            for name in self.folders(f"{shared}/"):
                place = f"{shared}/{name}/{TEMPS}"
                found += self._stale(place, f"{place}/", before)
        return found

    def _stale(self, place: str, prefix: str, before: float) -> list[str]:
        found = []
        try:
            with self._root.folders() as folders:
                at = folders.look_into(place)
                for name in sorted(self._posix.names(at)):
                    with suppress(FileNotFoundError):
                        if self._posix.lstat(at, name).st_mtime < before:
                            found.append(prefix + name)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as e:
            if not self._keeping.is_others(place):  # otherwise it is the matter of whose folder it is
                raise self._root.error("list", place, e) from e
        return found

    def _walk(self, folders: Folders, directory: str) -> Iterator[Listed]:
        ahead = [iter(self._names(folders, directory))]  # a stack: how deep folders are is not ours to say
        while ahead:
            for path, status in ahead[-1]:
                if path.endswith("/"):
                    try:
                        ahead.append(iter(self._names(folders, path[:-1])))
                    except (FileNotFoundError, NotADirectoryError):  # it was there a moment ago
                        continue
                    except OSError as e:
                        if e.errno != errno.ELOOP:
                            raise
                        continue
                    break
                yield Listed(path, status.st_size, status.st_mtime)
            else:
                ahead.pop()

    def _names(self, folders: Folders, directory: str) -> list[tuple[str, os.stat_result]]:
        """Return the objects and folders in a folder, those with a "/" at their ends, in the order of the objects."""
        self._root.see(directory)
        folders.spare()
        is_others = self._keeping.is_others(directory)
        try:
            at = folders.look_into(directory)
            names = self._posix.names(at)
        except PermissionError as e:
            if is_others:
                raise Unlistable(f"{self._root.shown(directory)} cannot be listed: {e.strerror}") from e
            raise
        if is_others and is_anyones(self._posix.fstat(at)):
            raise Unlistable(
                f"{self._root.shown(directory)} can be written by everyone, so what is there is nobody's own",
                hint=f"chmod o-w {self._root.shown(directory)}; or chmod +t, if it is meant for everyone",
            )
        found = []
        for name in names:
            path = f"{directory}/{name}" if directory else name
            if is_path(path):
                with suppress(FileNotFoundError):  # it was there a moment ago
                    status = self._posix.lstat(at, name)
                    if stat.S_ISREG(status.st_mode):
                        found.append((path, status))
                    elif stat.S_ISDIR(status.st_mode) and not is_others:
                        # with its "/" a folder is sorted to where the paths below it belong: "a.b" < "a/b" < "a0"
                        found.append((f"{path}/", status))
        return sorted(found)
