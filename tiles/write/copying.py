"""Copying a log's objects to other stores: what changes is read first, and what it needs is there before it.

The private part is copied in an order that holds beside a run that has published and tidies up meanwhile. It deletes
submissions before the staged batch that names them: so if the staged batch is gone when that is copied, no decided
submission is left to be copied. It publishes before that, so the checkpoint is read after the staged batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from tiles.errors import Malformed, NotFound
from tiles.inbox.submission import parse_name
from tiles.parallel import in_parallel
from tiles.records.paths import DECIDED, INBOX, POLICIES, REJECTED, SET_ASIDE, STAGING, STOPPED_INDEXES
from tiles.records.serving import IMMUTABLE, headers_of
from tiles.store import Store
from tiles.store.probe import PROBES
from tiles.tree.layout import CHECKPOINT
from tiles.write.parts import Parts

# of the private part, in this order; the head, the settings and records of moves are no copies
PRIVATE = (STAGING, INBOX, DECIDED, REJECTED, POLICIES, STOPPED_INDEXES, SET_ASIDE)

_OBJECTS = 256  # at a time
_BYTES = 16 << 20  # of objects at a time, give or take one


class Copier:
    """Copies one log.

    told     is called with how many more objects were copied

    copied   how many were
    left     objects of the inbox that stay behind, because no submission is called so
    """

    def __init__(self, source: Parts, target: Parts, told: Callable[[int], None] | None = None) -> None:
        self.copied = 0
        self.left: list[str] = []
        self._source = source
        self._target = target
        self._told = told

    def submissions(self) -> Iterator[str]:
        """Yield the paths of the submissions that wait; note what else is in the inbox, which no run could log."""
        self.left.clear()
        for listed in self._source.private.list(INBOX):
            try:
                parse_name(listed.path.removeprefix(INBOX))
            except Malformed:
                self.left.append(listed.path)
            else:
                yield listed.path

    def copy_private(self) -> None:
        """Copy what the next run needs of the private part."""
        for prefix in PRIVATE:
            if prefix == INBOX:
                self._copy(self._source.private, self._target.private, self.submissions())
            else:
                below = prefix if prefix.endswith("/") else ""
                paths = (listed.path for listed in self._source.private.list(below))
                self._copy(
                    self._source.private, self._target.private, (path for path in paths if path.startswith(prefix))
                )

    def copy_lasting(self) -> None:
        """Copy the public objects that never change, and are not there yet."""
        if self._target.public.url == self._source.public.url:
            return
        there = {listed.path for listed in self._target.public.list("")}
        paths = (listed.path for listed in self._source.public.list("") if _is_lasting(listed.path))
        self._copy(self._source.public, self._target.public, (path for path in paths if path not in there))

    def copy_public(self) -> None:
        """Copy all of the public part, the checkpoint last."""
        if self._target.public.url == self._source.public.url:
            return
        listed = [each.path for each in self._source.public.list("")]
        changing = [path for path in listed if not _is_lasting(path) and not path.startswith(PROBES)]
        contents = {path: self._source.public.read(path).data for path in changing}
        self.copy_lasting()
        self._target.public.barrier()
        for path in sorted(contents, key=lambda path: path == CHECKPOINT):
            replace_object(self._target.public, path, contents[path])
        self._count(len(contents))

    def _copy(self, source: Store, target: Store, paths: Iterator[str]) -> None:
        """Copy objects, create-only. One that is gone by now is left out."""
        waiting: dict[str, bytes] = {}
        held = 0
        for path, data in in_parallel(lambda path: (path, _data(source, path)), paths, source.parallel):
            if data is None:
                continue
            waiting[path] = data
            held += len(data)
            if len(waiting) >= _OBJECTS or held >= _BYTES:
                target.create(waiting)
                self._count(len(waiting))
                waiting, held = {}, 0
        target.create(waiting)
        self._count(len(waiting))

    def _count(self, objects: int) -> None:
        self.copied += objects
        if self._told is not None:
            self._told(objects)


def replace_object(store: Store, path: str, data: bytes) -> None:
    """Let an object that may change hold these bytes. Raises Conflict if somebody else changes it at this moment."""
    before = None
    with suppress(NotFound):
        before = store.read(path)
    if before is None or before.data != data:
        store.swap(path, data, before.version if before else None)


def _data(store: Store, path: str) -> bytes | None:
    try:
        return store.read(path).data
    except NotFound:
        return None


def _is_lasting(path: str) -> bool:
    return headers_of(path)["Cache-Control"] == IMMUTABLE
