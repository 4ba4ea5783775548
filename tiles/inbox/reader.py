"""The inbox: submissions that wait → what the next batch takes, and what it refuses.

    listing → (tiles.inbox.selection: what to read) → reading, several at a time → (what to take) → Taken

Everyone who may create below `inbox/` can write what is read here. This module changes and deletes nothing: a batch
names what it takes and refuses, and the commit of that batch decides it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial

from tiles.errors import AccessError, NotFound
from tiles.inbox.admission import Admission
from tiles.inbox.selection import Ask, Found, Limits, Selection, Taken
from tiles.inbox.selection import Backlog as Backlog
from tiles.inbox.turns import Row, Waiting
from tiles.parallel import INBOX_READS, Pool
from tiles.records.paths import INBOX
from tiles.store import Store, Unlistable
from tiles.store.paths import is_path

USUAL = Limits()

_BATCHABLE = re.compile(r"[!-~]{1,512}", re.ASCII)  # names a batch can hold, in bounded space


class Inbox:
    """Looks into the inbox of one log.

    private     the log's private part
    admission   the policy that the head names
    parallel    objects to read at a time; 1 starts no threads, and is the default where reads wait for a disk at most
    """

    def __init__(
        self, private: Store, admission: Admission, limits: Limits = USUAL, *, parallel: int | None = None
    ) -> None:
        self._private = private
        self._admission = admission
        self._limits = limits
        self._parallel = parallel or min(INBOX_READS, private.parallel)

    def take(self, size: int, now: float) -> Taken:
        """Return what the next batch takes and refuses; `entries` and `refused` may both be empty.

        size   of the tree that the batch will be put on
        now    seconds since the epoch
        Raises AccessError if the inbox cannot be listed. Objects that vanish meanwhile are left out silently, and
        those that cannot be read go on waiting.
        """
        waiting, ignored, unlistable = self._list(f"{size} {now!r}")
        selection = Selection(waiting, self._admission, self._limits)
        with Pool(self._parallel) as pool:
            under_way: deque[tuple[Ask, Future[Found]]] = deque()
            while True:
                while len(under_way) < self._parallel and (ask := selection.ask()) is not None:
                    under_way.append((ask, pool.start(partial(self._look, ask))))
                if not under_way:
                    break
                ask, future = under_way.popleft()
                selection.answer(ask, future.result())
        return selection.finish(size, now, ignored, unlistable)

    def _list(self, seed: str) -> tuple[Waiting, int, tuple[str, ...]]:
        """Return what waits, how many objects were ignored, and where the listing broke off."""
        try:
            waiting = Waiting(seed, self._limits.objects)
            return waiting, self._add(INBOX, waiting), ()
        except Unlistable:
            pass
        # a name that one submitter gave stops the listing of the whole inbox: list each submitter's folder by itself
        waiting, ignored, broken = Waiting(seed, self._limits.objects), 0, []
        for folder in self._submitters():
            try:
                if is_path(INBOX + folder):
                    ignored += self._add(f"{INBOX}{folder}/", waiting)
                    continue
            except Unlistable:
                pass
            broken.append(folder)
        return waiting, ignored, tuple(broken)

    def _submitters(self) -> Sequence[str]:
        try:
            return self._private.folders(INBOX)
        except Unlistable:
            # the name that stops this listing is in no submitter's folder
            if self._admission.submitters:
                return self._admission.submitters
            raise

    def _add(self, prefix: str, waiting: Waiting) -> int:
        ignored = 0
        for listed in self._private.list(prefix):
            name = listed.path[len(INBOX) :]
            if _BATCHABLE.fullmatch(name):
                waiting.add(Row(listed.modified, name, listed.size))
            else:
                ignored += 1
        return ignored

    def _look(self, ask: Ask) -> Found:
        # An object that is refused unread must still exist under its name: a listing may show a name that cannot be
        # deleted, and every batch would refuse it again. An object that has grown since the listing is not read.
        limit = 0 if ask.reason is not None else ask.row.size
        try:
            return self._private.read(INBOX + ask.row.name, limit).data
        except NotFound:
            return None
        except AccessError as error:
            return error
