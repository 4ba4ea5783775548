"""Temporary files of a directory store: a content is written to one, and lasts, before anything gets its name."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from tiles.store.folders import Folders
from tiles.store.keeping import Keeping
from tiles.store.posix import Posix


class Temps:
    """Writes the temporary files of one store. Their names are those of no other store, process or run."""

    def __init__(self, posix: Posix, keeping: Keeping) -> None:
        self._posix = posix
        self._keeping = keeping
        self._run = posix.urandom(8).hex()
        self._numbers = itertools.count()
        self._drafts: dict[str, tuple[bytes, str]] = {}

    def new(self) -> str:
        """Return the name of a temporary file that is not there."""
        return f"{self._posix.getpid()}-{self._run}-{next(self._numbers)}"

    def write(self, folders: Folders, place: str, temp: str, data: bytes, *, sync: bool) -> None:
        """Write a temporary file; with `sync` its content lasts."""
        at = folders.make(place)
        others = self._posix.fstat(at) if self._keeping.is_others(place) else None
        self._posix.write_file(at, temp, data, sync=sync, mode=self._keeping.file_mode(others))

    def write_all(self, folders: Folders, place: str, temps: Sequence[str], contents: Sequence[bytes]) -> None:
        """Write temporary files whose contents last.

        The contents must last before the first file gets its name. A file system may write a name long before the
        content it stands for; a power cut between the two would leave a tile of zeros, or of no bytes, and `create`
        could never put that right, because it never replaces an object.
        """
        together = len(temps) > 1 and self._posix.has_syncfs
        folders.make(place)
        fd = folders.look_into(place)
        for temp, content in zip(temps, contents, strict=True):
            self.write(folders, place, temp, content, sync=not together)
        if together:
            # the descriptor is older than the contents: it is told of every one that could not be written
            self._posix.syncfs(fd)

    @contextmanager
    def cleared(self, folders: Folders, place: str, temps: Sequence[str]) -> Iterator[None]:
        """Remove temporary files in the end, except those whose names are empty by then."""
        try:
            yield
        finally:
            for temp in filter(None, temps):
                with suppress(OSError):  # `stale_temps` finds what stays
                    self._posix.unlink(folders.find(place), temp)

    def keep_draft(self, path: str, data: bytes, temp: str) -> None:
        """Remember the temporary file whose content is to be swapped in at a path, and lasts."""
        self._drafts[path] = data, temp

    def take_draft(self, path: str) -> tuple[bytes, str] | None:
        """Return what was remembered for a path, content and temporary file, and forget it."""
        return self._drafts.pop(path, None)
