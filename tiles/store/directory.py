"""A store in a local directory: objects are files, and what is promised to last survives a power cut.

An object is written to `.tmp/` first and gets its name when it is whole, so nobody sees half of one, and a run that
dies leaves a temporary file behind and nothing else. A comment beside each sync says what it is for.

Every operation opens the root and goes from folder to folder by descriptors, and never by a symbolic link
(`tiles.store.folders`). So whoever may write in one folder cannot lead a run to files elsewhere.
"""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tiles.errors import AccessError, Conflict, NotFound, OutcomeUnknown, TooLong, UsageError
from tiles.store import Listed, Object, Part, Version, content_version
from tiles.store.directory_creating import Creator
from tiles.store.directory_listing import Listing
from tiles.store.directory_root import Root
from tiles.store.drafts import Beside
from tiles.store.folders import Folders
from tiles.store.keeping import Keeping
from tiles.store.paths import TEMPS, check_path, check_prefix
from tiles.store.posix import Posix

PUBLIC = Keeping()


class DirectoryStore:
    """Objects as files below a directory of a local file system. Any number of threads and processes may use it.

    root        made when first written to, never by reading; it may be a symbolic link, nothing below it may
    posix       the system calls
    keeping     who may use what is there
    lock_wait   seconds to wait for another writer's compare-and-rename
    creator     what creates its objects, for other stores of this kind

    Without `syncfs` (not Linux, or before 5.8) `barrier` covers what this store has created, read, listed or deleted,
    not names that other writers gave and this store has not seen. Every writer syncs contents before they get a name,
    but for what is staged (`tiles.store.drafts`), which no writer believes.
    """

    parallel = 1
    patience = 0.25  # seconds; a writer that was not stopped has long published by then

    def __init__(
        self, root: Path, posix: Posix | None = None, *, keeping: Keeping = PUBLIC, lock_wait: float = 30.0
    ) -> None:
        self.url = str(root)
        self._posix = posix or Posix()
        self._keeping = keeping
        self._root = Root(os.fspath(Path.cwd() / root), self.url, self._posix, keeping, lock_wait=lock_wait)
        self._listing = Listing(self._root, self._posix, keeping)
        self.creator = Creator(self._root, self._posix, keeping)
        self._temps = self.creator.temps

    def read(self, path: str, limit: int | None = None) -> Object:
        """Return an object. Raises NotFound; TooLong; AccessError if it is not a regular file.

        Raises Refused if it is somebody else's, and was to be believed.
        """
        return self._read(path, limit)

    def read_range(self, path: str, start: int, stop: int, size: int) -> Part:
        """Return a part of an object (RangedStore). Raises what `read` raises."""
        return Part(start, self._read(path, size, (start, stop)).data)

    def read_each(self, wanted: Iterable[tuple[str, int]]) -> Iterator[bytes | None]:
        """Yield objects, given by path and limit, in order; None for one of which `read` says why (EachStore).

        This is one operation: the root and each folder are opened once, however many objects are read.
        """
        rest, known = iter(wanted), dict[str, int]()  # of the last folders, their descriptors
        with suppress(OSError), self._root.folders() as folders:
            for path, limit in rest:
                folder, _, name = path.rpartition("/")
                at = known.get(folder) if name.isdecimal() else None
                try:
                    if at is None:
                        check_path(path)
                        self._root.see(folder)
                        if len(known) > 1:
                            known.clear()
                            folders.spare()
                        known[folder] = at = folders.find(folder)
                    data, status = self._posix.read_file(at, name, limit)
                except OSError:
                    yield None
                else:
                    self._root.check(path, status)
                    yield data
        yield from (None for _ in rest)

    def _read(self, path: str, limit: int | None, part: tuple[int, int] | None = None) -> Object:
        folder, name = posixpath.split(check_path(path))
        self._root.see(folder)
        try:
            with self._root.folders() as folders:
                data, status = self._posix.read_file(folders.find(folder), name, limit, part)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NotFound(f"{self.url}/{path}: not found") from None
        except OSError as e:
            if e.errno == errno.EFBIG:
                raise TooLong(f"{self.url}/{path}: longer than {limit} bytes") from e
            raise self._root.error("read", path, e) from e
        self._root.check(path, status)
        return Object(data, status.st_mtime)

    def prepare(self) -> None:
        """Make the directory if it is not there, so that it lasts; the first write does so too.

        Raises Refused, before anything is made, where a lock would not keep other machines out.
        """
        self._root.prepare()

    def create(self, objects: Mapping[str, bytes]) -> None:
        """Create all objects; one that is there with the same content counts as created.

        Their contents last, their names need `barrier`. Raises Differs; some of the others may be there then.
        """
        self.creator.create(objects)

    def create_before_swap(self, objects: Mapping[str, bytes], path: str, data: bytes) -> None:
        """Create objects, and prepare what is to be swapped in at a path (`tiles.store.drafts`)."""
        self.creator.create(objects, (check_path(path), data))

    def stage(self, objects: Mapping[str, bytes], drafts: Mapping[str, bytes], beside: Beside) -> None:
        """Create objects that last, and prepare what is written next, here and beside (`tiles.store.drafts`)."""
        directories = [(store.creator, next_) for store, next_ in beside if isinstance(store, DirectoryStore)]
        self.creator.stage(objects, drafts, directories)

    def forget_drafts(self) -> None:
        """Remove what was prepared, and not used."""
        self.creator.forget(self._temps.take_all())

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Replace an object that is still at version `expected`; it, and what was created before, lasts on return.

        Raises Conflict; OutcomeUnknown for any error once the rename was asked for.
        """
        folder, name = posixpath.split(check_path(path))
        self._root.prepare()
        draft = self._temps.take_draft(path)
        is_drafted = draft is not None and draft.data == data
        temps = ([] if is_drafted else [self._temps.new()]) + ([draft.temp] if draft else [])
        renaming = False
        try:
            with self._root.folders() as folders, self._temps.cleared(folders, TEMPS, temps):
                # The content must last before the rename, or a power cut could leave the name on content that is lost.
                if not is_drafted:
                    self._temps.write(folders, TEMPS, temps[0], data, sync=True)
                self._root.make_lasting(folders, folder)
                self._root.lock(folders)
                if self._version(folders, folder, name) != expected:
                    raise Conflict(f"{self.url}/{path}: changed since it was read")
                renaming = True
                self._posix.rename(folders.find(TEMPS), temps[0], folders.find(folder), name)
                temps[0] = ""
                # The name must last before the lock is given back, and before the caller builds on it.
                if (given := self.creator.given) == self.creator.lasting:
                    folders.sync_directory(folder)
                else:  # and so must the names that were given before: one sync does for all
                    self._root.see(folder)
                    self._root.sync_seen(folders)
                    self.creator.made_lasting(given)
        except OSError as e:
            raise self._root.error("replace", path, e, OutcomeUnknown if renaming else AccessError) from e
        return content_version(data)

    def delete(self, paths: Iterable[str]) -> None:
        """Delete objects; one that is not there counts as deleted. Directories stay: a writer may be using one.

        An object is never behind a symbolic link. So where a folder was replaced by a link, nothing is deleted.
        """
        checked = [check_path(path) for path in paths]
        at = ""
        try:
            with self._root.folders() as folders:
                for at in checked:
                    folder, name = posixpath.split(at)
                    self._root.see(folder)
                    folders.spare()
                    self._delete(folders, folder, name)
        except (FileNotFoundError, NotADirectoryError):  # the root; nothing is there
            return
        except OSError as e:
            raise self._root.error("delete", at, e) from e

    def _delete(self, folders: Folders, folder: str, name: str) -> None:
        try:
            self._posix.unlink(folders.find(folder), name)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as e:
            if e.errno != errno.ELOOP:
                raise

    def barrier(self) -> None:
        """Return once everything readable before the call lasts, and everything deleted stays so."""
        given = self.creator.given
        try:
            # `create` syncs contents only; its names, and deletions, last from here on
            self._root.sync_all()
            self.creator.made_lasting(given)
        except OSError as e:
            raise self._root.error("sync", "", e) from e

    def stale_temps(self, before: float) -> Sequence[str]:
        """Return the temporary files last written before a time (seconds since the epoch): what dead runs left."""
        return self._listing.stale_temps(before)

    def readable_by_others(self) -> Sequence[str]:
        """Return what others than the owner may read of this directory, as messages name it."""
        return self._listing.readable_by_others()

    def delete_temps(self, names: Iterable[str]) -> None:
        """Delete what `stale_temps` returned. A writer that still needs one fails, and has changed nothing."""
        for path in names:
            folder, name = posixpath.split(check_path(path))
            if folder and not (self._keeping.is_others(folder) and folder == self._keeping.temps(folder)):
                raise UsageError(f"{path!r} is not the name of a temporary file")
            try:
                with suppress(FileNotFoundError), self._root.folders() as folders:
                    self._delete(folders, folder or TEMPS, name)
            except OSError as e:
                raise self._root.error("delete", path if folder else f"{TEMPS}/{path}", e) from e

    def _version(self, folders: Folders, folder: str, name: str) -> Version | None:
        with suppress(FileNotFoundError):
            return content_version(self._posix.read_file(folders.find(folder), name)[0])
        return None

    def list(self, prefix: str) -> Iterator[Listed]:
        """Yield all objects below a prefix in the order of their paths; symbolic links are skipped, not followed.

        Raises Unlistable for a folder of somebody else that cannot be listed, or that everyone may write to.
        """
        return self._listing.below(check_prefix(prefix)[:-1])

    def list_unknown(self, prefix: str, known: Callable[[str], Collection[str]]) -> Iterator[Listed]:
        """List as `list` does, but for the names that are known in each folder (ListsUnknown)."""
        return self._listing.below(check_prefix(prefix)[:-1], known)

    def folders(self, prefix: str) -> Sequence[str]:
        """Return, in order, the names of the directories right below a prefix; one may be empty."""
        return self._listing.folders(check_prefix(prefix))
