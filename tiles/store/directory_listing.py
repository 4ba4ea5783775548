"""What is in a directory store: its objects, the folders at a place, and the temporary files of dead runs."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress

from tiles.errors import Refused
from tiles.store import Listed, Unlistable
from tiles.store.directory_root import Root
from tiles.store.folders import Folders
from tiles.store.keeping import Keeping, is_anyones, is_closed, is_readable
from tiles.store.paths import TEMPS, is_path
from tiles.store.posix import Posix

MOST_NAMES = 1 << 17  # that are read in one folder of somebody else, whatever they are names of

_Row = tuple[str, os.stat_result]


def _none_known(_folder: str) -> Collection[str]:
    return ()


class Listing:
    """Lists one directory. Directories are given relative to it, "" is itself."""

    def __init__(self, root: Root, posix: Posix, keeping: Keeping) -> None:
        self._root = root
        self._posix = posix
        self._keeping = keeping

    def below(self, directory: str, known: Callable[[str], Collection[str]] = _none_known) -> Iterator[Listed]:
        """Yield all objects below a directory in the order of their paths. Raises Unlistable, AccessError.

        known   returns names in a folder, given with its "/", that are passed over and not looked at

        Of a folder that belongs to somebody else no more than MOST_NAMES names are read, in no order; if there are
        more, those are listed, and then Unlistable is raised.
        """
        try:
            with self._root.folders() as folders:
                yield from self._walk(folders, directory, known)
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

    def readable_by_others(self) -> Sequence[str]:
        """Return what others than the owner may read of the directory and what is right in it; as messages name it.

        Whatever stops the look at it is said by those who use it.
        """
        found: list[str] = []
        with suppress(OSError, Refused), self._root.folders() as folders:
            at = folders.find("")
            status = self._posix.fstat(at)
            if is_closed(status):
                return found
            found += [self._root.shown("")] * is_readable(status)
            for name in sorted(self._posix.names(folders.look_into(""))):
                with suppress(FileNotFoundError):
                    status = self._posix.lstat(at, name)
                    if is_readable(status) and not stat.S_ISLNK(status.st_mode):
                        found.append(self._root.shown(name))
        return found

    def stale_temps(self, before: float) -> Sequence[str]:
        """Return the names of temporary files last written before a time; in somebody else's folder, their paths.

        Of somebody else's, some may be left out; they are found once the others are deleted.
        """
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
                for name in sorted(self._posix.names(at, MOST_NAMES if prefix else None)):
                    with suppress(FileNotFoundError):
                        if self._posix.lstat(at, name).st_mtime < before:
                            found.append(prefix + name)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as e:
            if not self._keeping.is_others(place):  # otherwise it is the matter of whose folder it is
                raise self._root.error("list", place, e) from e
        return found

    def _walk(self, folders: Folders, directory: str, known: Callable[[str], Collection[str]]) -> Iterator[Listed]:
        ahead = [iter(self._names(folders, directory, known))]  # a stack: how deep folders are is not ours to say
        while ahead:
            for path, status in ahead[-1]:
                if path.endswith("/"):
                    try:
                        ahead.append(iter(self._names(folders, path[:-1], known)))
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

    def _names(self, folders: Folders, directory: str, known: Callable[[str], Collection[str]]) -> Iterable[_Row]:
        """Return the objects and folders in a folder, those with a "/" at their ends, in the order of the objects."""
        self._root.see(directory)
        folders.spare()
        is_others = self._keeping.is_others(directory)
        try:
            at = folders.look_into(directory)
            names = self._posix.names(at, MOST_NAMES + 1 if is_others else None)
        except PermissionError as e:
            if is_others:
                raise Unlistable(f"{self._root.shown(directory)} cannot be listed: {e.strerror}") from e
            raise
        if is_others and is_anyones(self._posix.fstat(at)):
            raise Unlistable(
                f"{self._root.shown(directory)} can be written by everyone, so what is there is nobody's own",
                hint=f"chmod o-w {self._root.shown(directory)}; or chmod +t, if it is meant for everyone",
            )
        found, passed = [], known(f"{directory}/")
        for name in names[:MOST_NAMES] if is_others else names:
            if name in passed:
                continue
            path = f"{directory}/{name}" if directory else name
            if is_path(path):
                with suppress(FileNotFoundError):  # it was there a moment ago
                    status = self._posix.lstat(at, name)
                    if stat.S_ISREG(status.st_mode):
                        found.append((path, status))
                    elif stat.S_ISDIR(status.st_mode) and not is_others:
                        # with its "/" a folder is sorted to where the paths below it belong: "a.b" < "a/b" < "a0"
                        found.append((f"{path}/", status))
        if is_others and len(names) > MOST_NAMES:
            return self._cut_short(sorted(found), directory)
        return sorted(found)

    def _cut_short(self, found: Iterable[_Row], directory: str) -> Iterator[_Row]:
        yield from found
        raise Unlistable(
            f"{self._root.shown(directory)} has more than {MOST_NAMES} names, and the others were not read",
            hint="delete what is no submission; submissions that were read are taken, and then others are read",
        )
