"""What the next batch takes of the inbox, and what it refuses: the decision, without the reading. Pure.

    Waiting → Turns → Selection.ask → (somebody reads) → Selection.answer → Selection.finish → Taken

It goes by the listing, by what reading came to, and by the admission policy; the time that anything took is no part.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tiles.errors import AccessError, UsageError
from tiles.inbox.admission import Admission, NotAdmitted, admit, refusal_before_reading
from tiles.inbox.turns import Row, Turns, Waiting
from tiles.tree.layout import TILE_WIDTH

LEAST_CHARGE = 256  # bytes that any object is charged: a refusal takes room in the batch too

_UNREADABLE = 4  # objects of one submitter, after which the batch does without the rest of them
_FRUITLESS = 64  # reads that served nothing, after which the batch is what it is


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one batch takes. A submission that is larger than a batch is taken alone.

    entries    of the submissions it takes
    bytes      of the objects that are read for it
    objects    taken or refused
    align      take entries only up to a multiple of 256 of the log's size: spares the log partial tiles
    max_hold   seconds after which a submission no longer waits for that
    """

    entries: int = 65_536
    bytes: int = 64 << 20
    objects: int = 65_536
    align: bool = False
    max_hold: float = 3600.0

    def __post_init__(self) -> None:
        if min(self.entries, self.bytes, self.objects) < 1:
            raise UsageError("a batch takes at least one entry, one byte and one object")


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits beyond a batch.

    objects, bytes   how much
    oldest           seconds since the oldest of them was written; None if there is none
    ignored          objects below `inbox/` whose names cannot stand in a batch; they are never touched, and not counted
                     among `objects`
    unreadable       names of objects that could not be read, though they are there; they go on waiting
    unlistable       submitters, as far as they can be named, some of whose objects could not be listed
    """

    objects: int = 0
    bytes: int = 0
    oldest: float | None = None
    ignored: int = 0
    unreadable: tuple[str, ...] = ()
    unlistable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What one batch decides of the inbox.

    entries   of the submissions taken, in order
    took      their names, relative to `inbox/`
    refused   names of those refused, each with the reason
    backlog   what waits beyond that
    """

    entries: list[bytes] = field(repr=False)
    took: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    backlog: Backlog


@dataclass(frozen=True, slots=True)
class Ask:
    """An object to be read; or, if there is a reason to refuse it unread, to be seen to be there."""

    row: Row
    reason: str | None

    @property
    def bytes(self) -> int:
        """How much is read for it."""
        return self.row.size if self.reason is None else 0


Found = bytes | AccessError | None  # what reading came to; None: it is not there any more


@dataclass(slots=True)
class _Submission:
    row: Row
    entries: list[bytes]


class Selection:
    """Decides what a batch takes, without reading: `ask` says what to read, `answer` is told what came of it.

    Answers come in the order of the questions; as many questions as the caller likes may be open. The outcome follows
    from the listing and the answers alone, whatever time they took.

    What a submitter is charged for an object is the largest share of the batch it takes up, be it of its bytes, its
    entries or its objects, in bytes.
    """

    def __init__(self, waiting: Waiting, admission: Admission, limits: Limits) -> None:
        self._waiting = waiting
        self._turns = Turns(waiting)
        self._admission = admission
        self._limits = limits
        self._asked = 0  # questions that are open
        self._used = 0  # bytes of what was taken, refused once it was read, or asked for
        self._count = 0  # entries taken
        self._taken: list[_Submission] = []
        self._refused: dict[str, str] = {}
        self._decided: set[str] = set()  # names, the vanished among them
        self._seen: set[str] = set()
        self._closed: set[str] = set()
        self._full = False
        self._unreadable: list[str] = []
        self._failures: Counter[str] = Counter()
        self._fruitless = 0

    def ask(self) -> Ask | None:
        """Return what to read next. None: give the open answers first; if there are none, that was all."""
        while self._fruitless < _FRUITLESS and self._count < self._limits.entries:
            if len(self._taken) + len(self._refused) + self._asked >= self._limits.objects:
                break
            row = self._turns.peek()
            if row is None:
                return None
            ask = Ask(row, refusal_before_reading(row.name, row.size, self._admission))
            if self._used and self._used + ask.bytes > self._limits.bytes:
                if self._asked and not self._taken and not self._refused:
                    return None  # if nothing comes of those it may be all there is, and is taken alone
                self._full = True
                self._turns.close(row.submitter)  # what follows it is not to overtake it
                continue
            self._turns.serve(row, max(LEAST_CHARGE, ask.bytes, self._limits.bytes // self._limits.objects))
            if row.name in self._seen:
                continue  # listed twice
            self._seen.add(row.name)
            self._asked += 1
            self._used += ask.bytes
            return ask
        self._full = self._full or not self._asked
        return None

    def answer(self, ask: Ask, found: Found) -> None:
        """Take down what came of the oldest open question."""
        self._asked -= 1
        name = ask.row.name
        if found is None:
            self._decided.add(name)
            self._used -= ask.bytes
        elif ask.reason is not None:
            self._refuse(name, ask.reason)
        elif ask.row.submitter in self._closed:
            self._used -= ask.bytes
        elif isinstance(found, AccessError):
            self._pass_over(ask)
        else:
            try:
                entries = admit(name, found, self._admission)
            except NotAdmitted as refusal:
                self._refuse(name, refusal.message)
                return
            self._take(ask, entries)

    def finish(self, size: int, now: float, ignored: int = 0, unlistable: tuple[str, ...] = ()) -> Taken:
        """Return the outcome, once `ask` and the answers have come to an end.

        size, now             as for `Inbox.take`
        ignored, unlistable   for the backlog
        """
        taken = self._aligned(size, now) if self._limits.align else self._taken
        self._decided.update(submission.row.name for submission in taken)
        left = [row for queue in self._waiting.queues().values() for row in queue if row.name not in self._decided]
        oldest = min([self._waiting.oldest_left_out, *(row.modified for row in left)])
        gone = [row for queue in self._waiting.queues().values() for row in queue if row.name in self._decided]
        return Taken(
            [entry for submission in taken for entry in submission.entries],
            tuple(submission.row.name for submission in taken),
            tuple(self._refused.items()),
            Backlog(
                self._waiting.count - len(gone),
                self._waiting.bytes - sum(row.size for row in gone),
                max(0.0, now - oldest) if oldest < float("inf") else None,
                ignored,
                tuple(self._unreadable),
                unlistable,
            ),
        )

    def _refuse(self, name: str, reason: str) -> None:
        self._refused[name] = reason
        self._decided.add(name)

    def _take(self, ask: Ask, entries: list[bytes]) -> None:
        if self._count and self._count + len(entries) > self._limits.entries:
            self._full = True
            self._close(ask.row.submitter)
            self._used -= ask.bytes
            self._fruitless += 1
            return
        self._taken.append(_Submission(ask.row, entries))
        self._count += len(entries)
        share = len(entries) * (self._limits.bytes // self._limits.entries)
        self._turns.charge(ask.row.submitter, max(0, share - ask.bytes))

    def _pass_over(self, ask: Ask) -> None:
        submitter = ask.row.submitter
        self._used -= ask.bytes
        self._unreadable.append(ask.row.name)
        self._fruitless += 1
        self._failures[submitter] += 1
        if self._failures[submitter] == _UNREADABLE:
            self._close(submitter)

    def _close(self, submitter: str) -> None:
        """Take no more of a submitter, not even what was asked for already: it comes after what now waits."""
        self._turns.close(submitter)
        self._closed.add(submitter)

    def _aligned(self, size: int, now: float) -> list[_Submission]:
        """Return the longest beginning of what was taken that makes the log's size a multiple of 256.

        All of it, if otherwise one would be held for too long, or if the batch can get no fuller by waiting.
        """
        cut = 0
        for position, submission in enumerate(self._taken, 1):
            size += len(submission.entries)
            if size % TILE_WIDTH == 0:
                cut = position
        # a date in the future is one of another clock, and nothing waits for it
        held = [0 <= now - submission.row.modified < self._limits.max_hold for submission in self._taken[cut:]]
        return self._taken[:cut] if all(held) and (cut or not self._full) else self._taken
