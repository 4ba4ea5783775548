"""A store in a local directory: objects are files, and what is promised to last survives a power cut.

An object is written to `.tmp/` first and gets its name when it is whole, so nobody sees half of one, and a run that
dies leaves a temporary file behind and nothing else. A comment beside each sync says what it is for.
"""

from __future__ import annotations

import errno
import itertools
import os
import posixpath
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tiles.errors import AccessError, Conflict, NotFound, OutcomeUnknown, UsageError
from tiles.store import Differs, Listed, Object, Version, content_version
from tiles.store.directory_root import Root
from tiles.store.paths import TEMPS, check_path, check_prefix, is_path
from tiles.store.posix import Posix

_CHUNK = 4096  # temporary files at a time
_TRIES = 3  # to give a file its name, as directories or objects may vanish meanwhile


class DirectoryStore:
    """Objects as files below a directory of a local file system. Any number of threads and processes may use it.

    root        made when first written to, never by reading
    posix       the system calls
    lock_wait   seconds to wait for another writer's compare-and-rename

    Without `syncfs` (not Linux, or before 5.8) `barrier` covers what this store has created, read, listed or deleted,
    not names that other writers gave and this store has not seen. Every writer syncs contents before they get a name.
    """

    parallel = 1
    patience = 0.25  # seconds; a writer that was not stopped has long published by then

    def __init__(self, root: Path, posix: Posix | None = None, *, lock_wait: float = 30.0) -> None:
        self.url = str(root)
        self._posix = posix or Posix()
        self._path = os.fspath(Path.cwd() / root)
        self._root = Root(self._path, self.url, self._posix, lock_wait)
        self._run = self._posix.urandom(8).hex()
        self._temp_numbers = itertools.count()

    def read(self, path: str, limit: int | None = None) -> Object:
        """Return an object. Raises NotFound; AccessError if it is longer than `limit` bytes or not a regular file."""
        self._root.see(posixpath.dirname(check_path(path)))
        try:
            data, modified = self._posix.read_file(f"{self._path}/{path}", limit)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NotFound(f"{self.url}/{path}: not found") from None
        except OSError as e:
            raise self._root.error("read", path, e) from e
        return Object(data, modified)

    def prepare(self) -> None:
        """Make the directory if it is not there, so that it lasts; the first write does so too.

        Raises Refused, before anything is made, where a lock would not keep other machines out.
        """
        self._root.prepare()

    def create(self, objects: Mapping[str, bytes]) -> None:
        """Create all objects; one that is there with the same content counts as created.

        Their contents last, their names need `barrier`. Raises Differs; some of the others may be there then.
        """
        for path in objects:
            check_path(path)
        self._root.prepare()
        items = iter(objects.items())
        while chunk := tuple(itertools.islice(items, _CHUNK)):
            self._create(chunk)

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Replace an object that is still at version `expected`; it lasts on return.

        Raises Conflict; OutcomeUnknown for any error once the rename was asked for.
        """
        parent = posixpath.dirname(check_path(path))
        self._root.prepare()
        temp = self._temp()
        renaming = False
        try:
            # The content must last before the rename, or a power cut could leave the name on content that is lost.
            self._write(temp, data, sync=True)
            self._root.make_lasting(parent)
            with self._root.locked():
                if self._version(path) != expected:
                    raise Conflict(f"{self.url}/{path}: changed since it was read")
                renaming = True
                self._posix.rename(temp, f"{self._path}/{path}")
                # The name must last before the lock is given back, and before the caller builds on it.
                self._posix.sync_directory(f"{self._path}/{parent}")
        except OSError as e:
            raise self._root.error("replace", path, e, OutcomeUnknown if renaming else AccessError) from e
        finally:
            self._discard([temp])
        return content_version(data)

    def delete(self, paths: Iterable[str]) -> None:
        """Delete objects; one that is not there counts as deleted. Directories stay: a writer may be using one."""
        for path in paths:
            self._root.see(posixpath.dirname(check_path(path)))
            try:
                self._posix.unlink(f"{self._path}/{path}")
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as e:
                raise self._root.error("delete", path, e) from e

    def barrier(self) -> None:
        """Return once everything readable before the call lasts, and everything deleted stays so."""
        try:
            # `create` syncs contents only; its names, and deletions, last from here on
            self._root.sync_all()
        except OSError as e:
            raise self._root.error("sync", "", e) from e

    def stale_temps(self, before: float) -> Sequence[str]:
        """Return the temporary files last written before a time (seconds since the epoch): what dead runs left."""
        found = []
        try:
            for name in sorted(self._posix.names(f"{self._path}/{TEMPS}")):
                with suppress(FileNotFoundError):
                    if self._posix.lstat(f"{self._path}/{TEMPS}/{name}").st_mtime < before:
                        found.append(name)
        except FileNotFoundError:
            return []
        except OSError as e:
            raise self._root.error("list", TEMPS, e) from e
        return found

    def delete_temps(self, names: Iterable[str]) -> None:
        """Delete what `stale_temps` returned. A writer that still needs one fails, and has changed nothing."""
        for name in names:
            if "/" in check_path(name):
                raise UsageError(f"{name!r} is not the name of a temporary file")
            try:
                with suppress(FileNotFoundError):
                    self._posix.unlink(f"{self._path}/{TEMPS}/{name}")
            except OSError as e:
                raise self._root.error("delete", f"{TEMPS}/{name}", e) from e

    def _create(self, chunk: Sequence[tuple[str, bytes]]) -> None:
        temps = [self._temp() for _ in chunk]
        at = chunk[0][0]
        try:
            self._write_all(temps, [data for _, data in chunk])
            differs = None
            for i, (at, data) in enumerate(chunk):
                found = self._name(temps[i], at)
                if found is None:
                    temps[i] = ""
                elif found != data:
                    differs = differs or Differs(at, bytes(data), found)
        except OSError as e:
            raise self._root.error("create", at, e) from e
        finally:
            self._discard(temps)
        if differs is not None:
            raise differs

    def _write_all(self, temps: Sequence[str], contents: Sequence[bytes]) -> None:
        """Write temporary files whose contents last.

        The contents must last before the first file gets its name. A file system may write a name long before the
        content it stands for; a power cut between the two would leave a tile of zeros, or of no bytes, and `create`
        could never put that right, because it never replaces an object.
        """
        together = len(temps) > 1 and self._posix.has_syncfs
        fd = self._posix.open_directory(self._path)
        try:
            for temp, content in zip(temps, contents, strict=True):
                self._write(temp, content, sync=not together)
            if together:
                self._posix.syncfs(fd)
        finally:
            self._posix.close(fd)

    def _name(self, temp: str, path: str) -> bytes | None:
        """Give a temporary file its name; or return the content of the object that has it."""
        parent = posixpath.dirname(path)
        self._root.see(parent)
        for _ in range(_TRIES):
            try:
                self._root.make_present(parent)
                self._posix.name_new(temp, f"{self._path}/{path}")
            except FileNotFoundError:  # a directory was removed
                self._root.forget_present()
            except FileExistsError:
                with suppress(FileNotFoundError):  # deleted since
                    return self._posix.read_file(f"{self._path}/{path}")[0]
            else:
                return None
        raise OSError(errno.EBUSY, "it, its directory or its temporary file vanishes again and again")

    def _temp(self) -> str:
        return f"{self._path}/{TEMPS}/{self._posix.getpid()}-{self._run}-{next(self._temp_numbers)}"

    def _write(self, temp: str, data: bytes, *, sync: bool) -> None:
        try:
            self._posix.write_file(temp, data, sync=sync)
        except FileNotFoundError:
            with suppress(FileExistsError):
                self._posix.mkdir(f"{self._path}/{TEMPS}")
            self._posix.write_file(temp, data, sync=sync)

    def _discard(self, temps: Iterable[str]) -> None:
        for temp in filter(None, temps):
            with suppress(OSError):  # `stale_temps` finds what stays
                self._posix.unlink(temp)

    def _version(self, path: str) -> Version | None:
        with suppress(FileNotFoundError):
            return content_version(self._posix.read_file(f"{self._path}/{path}")[0])
        return None

    def list(self, prefix: str) -> Iterator[Listed]:
        """Yield all objects below a prefix in the order of their paths; symbolic links are skipped, not followed."""
        return self._below(check_prefix(prefix)[:-1])

    def folders(self, prefix: str) -> Sequence[str]:
        """Return, in order, the names of the directories right below a prefix; one may be empty."""
        directory = check_prefix(prefix)[:-1]
        found = []
        try:
            for name in sorted(self._posix.names(f"{self._path}/{directory}")):
                with suppress(FileNotFoundError):
                    status = self._posix.lstat(f"{self._path}/{prefix}{name}")
                    if is_path(prefix + name) and stat.S_ISDIR(status.st_mode):
                        found.append(name)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as e:
            raise self._root.error("list", directory, e) from e
        return found

    def _below(self, directory: str) -> Iterator[Listed]:
        parts = directory.split("/") if directory else []
        try:
            for depth in range(1, len(parts) + 1):
                if not stat.S_ISDIR(self._posix.lstat("/".join([self._path, *parts[:depth]])).st_mode):
                    return
            yield from self._walk(directory)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as e:
            raise self._root.error("list", directory, e) from e

    def _walk(self, directory: str) -> Iterator[Listed]:
        self._root.see(directory)
        found: dict[str, os.stat_result] = {}
        for name in self._posix.names(f"{self._path}/{directory}"):
            path = f"{directory}/{name}" if directory else name
            if is_path(path):
                with suppress(FileNotFoundError):  # it was there a moment ago
                    status = self._posix.lstat(f"{self._path}/{path}")
                    # with its "/" a directory is sorted to where the paths below it belong: "a.b" < "a/b" < "a0"
                    found[path + "/" * stat.S_ISDIR(status.st_mode)] = status
        for path, status in sorted(found.items()):
            if path.endswith("/"):
                with suppress(FileNotFoundError, NotADirectoryError):
                    yield from self._walk(path[:-1])
            elif stat.S_ISREG(status.st_mode):
                yield Listed(path, status.st_size, status.st_mtime)
