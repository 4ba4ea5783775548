"""Temporary files of a directory store: a content is written to one, and lasts, before anything gets its name."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from tiles.store.folders import Folders
from tiles.store.keeping import Keeping
from tiles.store.posix import Posix


@dataclass(frozen=True, slots=True)
class Draft:
    """What is written ahead: a content, the path that is to get it, and the temporary file that has it."""

    path: str
    data: bytes
    temp: str


class Temps:
    """Writes the temporary files of one store. Their names are those of no other store, process or run."""

    def __init__(self, posix: Posix, keeping: Keeping) -> None:
        self._posix = posix
        self._keeping = keeping
        self._run = posix.urandom(8).hex()
        self._numbers = itertools.count()
        self._drafts: dict[str, Draft] = {}

    def new(self) -> str:
        """Return the name of a temporary file that is not there."""
        return f"{self._posix.getpid()}-{self._run}-{next(self._numbers)}"

    def write(self, folders: Folders, place: str, temp: str, data: bytes, *, sync: bool = False) -> None:
        """Write a temporary file; with `sync` its content lasts."""
        at = folders.make(place)
        others = self._posix.fstat(at) if self._keeping.is_others(place) else None
        self._posix.write_file(at, temp, data, sync=sync, mode=self._keeping.file_mode(others))

    def write_all(self, folders: Folders, place: str, contents: Sequence[tuple[str, bytes]]) -> None:
        """Write temporary files, each with its content, which lasts.

        The contents must last before the first file gets its name. A file system may write a name long before the
        content it stands for; a power cut between the two would leave a tile of zeros, or of no bytes, and `create`
        could never put that right, because it never replaces an object.
        """
        if not contents:
            return
        together = len(contents) > 1 and self._posix.has_syncfs
        folders.make(place)
        fd = folders.look_into(place)
        for temp, content in contents:
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

    def keep_drafts(self, drafts: Iterable[Draft]) -> None:
        """Remember temporary files whose contents last, each to be swapped in, or created, at its path."""
        self._drafts.update((draft.path, draft) for draft in drafts)

    def take_draft(self, path: str) -> Draft | None:
        """Return what was remembered for a path, and forget it."""
        return self._drafts.pop(path, None)

    def take_all(self) -> list[str]:
        """Return the temporary files that were remembered, and forget them."""
        return [draft.temp for path in list(self._drafts) if (draft := self.take_draft(path)) is not None]
