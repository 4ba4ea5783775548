"""Creating objects in a directory: temporary files, contents that last, names.

Every method is one operation of `tiles.store.directory`. A comment beside each sync says what it is for.
"""

from __future__ import annotations

import errno
import itertools
import posixpath
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Lock

from tiles.store import Differs
from tiles.store.directory_root import Root
from tiles.store.drafts import Contents
from tiles.store.folders import Folders
from tiles.store.keeping import Keeping
from tiles.store.paths import TEMPS, check_path
from tiles.store.posix import Posix
from tiles.store.temporary import Draft, Temps

_CHUNK = 4096  # temporary files at a time
_TRIES = 3  # to give a file its name, as directories or objects may vanish meanwhile


class Creator:
    """Creates the objects of one directory.

    temps            its temporary files
    given, lasting   how many calls gave names; up to which one these names last
    """

    def __init__(self, root: Root, posix: Posix, keeping: Keeping) -> None:
        self._root = root
        self._posix = posix
        self._keeping = keeping
        self.temps = Temps(posix, keeping)
        self._counting = Lock()
        self.given = self.lasting = 0

    def create(self, objects: Contents, draft: tuple[str, bytes] | None = None) -> None:
        """Create objects, whose contents last on return, and whose names do not yet.

        draft   what is prepared with them, and is to be swapped in at a path
        """
        for path in objects:
            check_path(path)
        self._root.prepare()
        for place, items in itertools.groupby(objects.items(), self._place):
            while chunk := tuple(itertools.islice(items, _CHUNK)):
                taken, draft = (draft, None) if place == TEMPS else (None, draft)
                with self._counted():
                    self._create(place, chunk, taken)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        finally:
            with self._counting:
                self.given += 1  # only now: a sync that began before may cover none of these names

    def made_lasting(self, given: int) -> None:
        """Take note that the names of the first `given` calls last."""
        self.lasting = max(self.lasting, given)

    # ---- one sync for contents, and one for names

    def _place(self, item: tuple[str, bytes]) -> str:
        return self._keeping.temps(posixpath.dirname(item[0]))

    def _create(self, place: str, chunk: Sequence[tuple[str, bytes]], draft: tuple[str, bytes] | None) -> None:
        contents = [*chunk, draft] if draft else chunk
        drafted = [self.temps.take_draft(path) if place == TEMPS else None for path, _ in contents]
        fits = [was is not None and was.data == data for was, (_, data) in zip(drafted, contents, strict=True)]
        temps = [was.temp if was and fit else self.temps.new() for was, fit in zip(drafted, fits, strict=True)]
        # a draft that fits has its content already, and that lasts; the others are of what is not written any more
        new = [(temp, data) for temp, fit, (_, data) in zip(temps, fits, contents, strict=True) if not fit]
        temps += [was.temp for was, fit in zip(drafted, fits, strict=True) if was and not fit]
        at, differs = chunk[0][0], None
        try:
            with self._root.folders() as folders, self.temps.cleared(folders, place, temps):
                self.temps.write_all(folders, place, new)
                if draft:
                    self.temps.keep_drafts([Draft(*draft, temps[len(chunk)])])
                    temps[len(chunk)] = ""
                for i, (at, data) in enumerate(chunk):
                    found = self._name(folders, place, temps[i], at)
                    if found is None:
                        temps[i] = ""
                    elif found != data:
                        differs = differs or Differs(at, bytes(data), found)
        except OSError as e:
            raise self._root.error("create", at, e) from e
        if differs is not None:
            raise differs

    def _name(self, folders: Folders, place: str, temp: str, path: str) -> bytes | None:
        """Give a temporary file its name; or return the content of the object that has it."""
        folder, name = posixpath.split(path)
        self._root.see(folder)
        folders.spare()
        for _ in range(_TRIES):
            try:
                to = folders.make(folder)
                self._posix.name_new(folders.find(place), temp, to, name)
            except FileNotFoundError:  # a directory was removed
                folders.forget()
            except FileExistsError:
                with suppress(FileNotFoundError):  # deleted since
                    return self._posix.read_file(folders.find(folder), name)[0]
            else:
                return None
        raise OSError(errno.EBUSY, "it, its directory or its temporary file vanishes again and again")

    # ---- one sync for both

    def stage(self, objects: Contents, drafts: Contents, beside: Sequence[tuple[Creator, Contents]]) -> None:
        """Create objects that last on return, and prepare what is written next, here and beside (`tiles.store.drafts`).

        One sync does for contents and names: nothing refers to these names until it is done, and a power cut before may
        leave a name without its content. So an object that is there already is not believed, whatever it seems to hold:
        whoever put it there may have died before that sync, or that sync may have failed, and the next one would not
        say so. It is replaced by a file whose content lasts. That harms nobody: no other content is wanted there.
        """
        for path in (*objects, *drafts):
            check_path(path)
        self._root.prepare()
        given, prepared = self.given, list[tuple[Creator, list[Draft]]]()
        try:
            with self._counted():
                self._stage(objects, drafts, beside, prepared)
        except BaseException as e:
            for other, written in prepared:
                other.forget([one.temp for one in written])
            if isinstance(e, OSError):
                raise self._root.error("create", next(iter(objects)), e) from e
            raise
        for other, written in prepared:
            other.temps.keep_drafts(written)
        with self._counting:
            if self.given == given + 1:  # nobody else has given a name meanwhile
                self.lasting = self.given

    def _stage(
        self,
        objects: Contents,
        drafts: Contents,
        beside: Sequence[tuple[Creator, Contents]],
        prepared: list[tuple[Creator, list[Draft]]],
    ) -> None:
        contents, together = [*objects.items(), *drafts.items()], self._posix.has_syncfs
        temps = [self.temps.new() for _ in contents]
        gone = self.temps.take_all() if drafts else []
        with self._root.folders() as folders, self.temps.cleared(folders, TEMPS, temps):
            folders.make(TEMPS)
            fd = folders.look_into(TEMPS)
            with self.temps.cleared(folders, TEMPS, gone):
                for temp, (_, data) in zip(temps, contents, strict=True):
                    self.temps.write(folders, TEMPS, temp, data, sync=not together)
            if together:
                device = self._posix.fstat(fd).st_dev
                for other, wanted in beside:
                    prepared.append((other, other.draft(wanted, device)))
            taken = [i for i, path in enumerate(objects) if self._name(folders, TEMPS, temps[i], path) is not None]
            if together:
                # Contents and names must last before anybody swaps in what refers to them, and the drafts' contents
                # before they get names. The descriptor is older than all of it: it is told of what was not written.
                self._posix.syncfs(fd)
            for i, path in enumerate(objects):
                if i in taken:
                    folder, name = posixpath.split(path)
                    self._posix.rename(folders.find(TEMPS), temps[i], folders.make(folder), name)
                temps[i] = ""
            if taken or not together:
                # Here the contents last already, and the names must: those that are given once more, too.
                self._root.sync_seen(folders)
            own = list(zip(drafts, drafts.values(), temps[len(objects) :], strict=True))
            self.temps.keep_drafts([Draft(*each) for each in own])
            temps.clear()

    def draft(self, contents: Contents, device: int) -> list[Draft]:
        """Write drafts, which a sync of that file system makes last; none if this directory is on another one."""
        self._root.prepare()
        gone, temps = self.temps.take_all(), [self.temps.new() for _ in contents]
        try:
            with self._root.folders() as folders, self.temps.cleared(folders, TEMPS, gone):
                if len(contents) > _CHUNK or self._posix.fstat(folders.make(TEMPS)).st_dev != device:
                    return []
                with self.temps.cleared(folders, TEMPS, temps):
                    for temp, data in zip(temps, contents.values(), strict=True):
                        self.temps.write(folders, TEMPS, temp, data)
                    drafts = [Draft(*each) for each in zip(contents, contents.values(), temps, strict=True)]
                    temps.clear()
        except OSError as e:
            raise self._root.error("create", next(iter(contents), ""), e) from e
        return drafts

    def forget(self, temps: Sequence[str]) -> None:
        """Remove temporary files. What cannot be removed now, `stale_temps` finds."""
        if temps:
            with suppress(OSError), self._root.folders() as folders, self.temps.cleared(folders, TEMPS, temps):
                pass
