"""The inbox: submissions that wait → what the next batch takes, and what it refuses.

    decided/ → listing → (tiles.inbox.selection: what to read) → reading, several at a time → (what to take) → Taken

Everyone who may create below `inbox/` can write what is read here. This module changes and deletes nothing: a batch
names what it takes and refuses, and the commit of that batch decides it.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from functools import partial

from tiles.errors import AccessError, NotFound
from tiles.inbox.admission import Admission
from tiles.inbox.clearing import TROUBLE, listed_within
from tiles.inbox.naming import listed_digest
from tiles.inbox.selection import Ask, Found, Limits, Selection, Taken
from tiles.inbox.selection import Backlog as Backlog
from tiles.inbox.turns import Row, Waiting
from tiles.parallel import INBOX_READS, Pool
from tiles.records.paths import DECIDED, INBOX, decided_digest
from tiles.store import Listed, Store, Unlistable
from tiles.store.paths import is_path

USUAL = Limits()

LONGEST_OF_ALL = 300.0  # seconds after which no further submitter's folder is listed by itself
MOST_FOLDERS = 1 << 14  # folders that are listed by themselves
MOST_UNDELETABLE = 1 << 16  # of one submitter: as long as so many stay, nothing more of it is taken


class _Listing:
    """What a listing shows.

    decided       digests of the names that are recorded as decided; their objects are left out
    undeletable   how many of those are there, by submitter
    broken        submitters some of whose objects could not be listed
    """

    def __init__(self, waiting: Waiting, decided: set[str]) -> None:
        self.waiting = waiting
        self.undeletable: Counter[str] = Counter()
        self.broken: list[str] = []
        self._decided = decided

    def add_all(self, found: Iterable[Listed]) -> None:
        for listed in found:
            row = Row(listed.modified, listed.path[len(INBOX) :], listed.size)
            if self._decided and listed_digest(row.name) in self._decided:
                self.undeletable[row.submitter] += 1
            elif self.undeletable[row.submitter] < MOST_UNDELETABLE:
                self.waiting.add(row)


class Inbox:
    """Looks into the inbox of one log.

    private     the log's private part
    admission   the policy that the head names
    parallel    objects to read at a time; 1 starts no threads, and is the default where reads wait for a disk at most
    clock       seconds since any fixed moment; it bounds how long is listed, and decides nothing else
    """

    def __init__(
        self,
        private: Store,
        admission: Admission,
        limits: Limits = USUAL,
        *,
        parallel: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._private = private
        self._admission = admission
        self._limits = limits
        self._parallel = parallel or min(INBOX_READS, private.parallel)

    def take(self, size: int, now: float, blocked: Collection[str] | None = ()) -> Taken:
        """Return what the next batch takes and refuses; `entries` and `refused` may both be empty.

        size      of the tree that the batch will be put on
        now       seconds since the epoch
        blocked   paths at which no payload can be published; a submission with such a payload goes on waiting. None: so
                  does any with a payload
        Raises AccessError if neither the inbox nor the folders in it can be listed, or the records of what is decided.
        A folder that cannot be listed is its submitter's trouble. Objects that vanish meanwhile are left out silently,
        and those that cannot be read go on waiting.

        The caller has seen that no staged batch is left. What a batch could not delete was recorded before it went, so
        the records are read now, and then the inbox is listed, in this order: between the two an object may be deleted
        and its record removed, but none that is listed has a record that was not read.
        """
        listing = self._list(f"{size} {now!r}")
        selection = Selection(listing.waiting, self._admission, self._limits, blocked)
        with Pool(self._parallel) as pool:
            under_way: deque[tuple[Ask, Future[Found]]] = deque()
            while True:
                while len(under_way) < self._parallel and (ask := selection.ask()) is not None:
                    under_way.append((ask, pool.start(partial(self._look, ask))))
                if not under_way:
                    break
                ask, future = under_way.popleft()
                selection.answer(ask, future.result())
        return selection.finish(size, now, listing.undeletable.total(), tuple(listing.broken))

    def backlog(self, size: int, now: float) -> Backlog:
        """Return what waits; nothing is read but the listing. size, now: as for `take`, which raises the same."""
        listing = self._list(f"{size} {now!r}")
        selection = Selection(listing.waiting, self._admission, self._limits)
        return selection.finish(size, now, listing.undeletable.total(), tuple(listing.broken)).backlog

    def _list(self, seed: str) -> _Listing:
        """List the inbox; each submitter's folder by itself, if the whole cannot be listed within the bounds."""
        decided = {path for each in self._private.list(DECIDED) if (path := decided_digest(each.path))}
        whole = _Listing(Waiting(seed, self._limits.objects), decided)
        try:
            whole.add_all(listed_within(self._private, INBOX, self._clock))
        except TROUBLE:
            pass
        else:
            return whole
        # somebody's name or folder stops the listing of the whole inbox, or there is too much of it
        apart = _Listing(Waiting(seed, self._limits.objects), decided)
        deadline = self._clock() + LONGEST_OF_ALL
        for folder in self._submitters(apart.waiting):
            try:
                if is_path(INBOX + folder) and self._clock() <= deadline:
                    apart.add_all(listed_within(self._private, f"{INBOX}{folder}/", self._clock))
                    continue
            except TROUBLE:
                pass
            apart.broken.append(folder)
        return apart

    def _submitters(self, waiting: Waiting) -> Sequence[str]:
        try:
            found = self._private.folders(INBOX)
        except Unlistable:
            # the name that stops this listing is in no submitter's folder
            if not self._admission.submitters:
                raise
            found = self._admission.submitters
        # drawn anew for every batch: if there is not enough time for all, it is not always the same ones that wait
        return sorted(found, key=waiting.draw)[:MOST_FOLDERS]

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
