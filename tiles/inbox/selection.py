"""What the next batch takes of the inbox, and what it refuses: the decision, without the reading. Pure.

    Waiting → Turns → Selection.ask → (somebody reads) → Selection.answer → Selection.finish → Taken

The decision follows from the listing, the results of reading and the admission policy, however long anything took.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from tiles.errors import AccessError, Refused, UsageError
from tiles.inbox.admission import Admission, Admitted, admit, refusal_before_reading
from tiles.inbox.naming import name_in_batch
from tiles.inbox.rules import NotAdmitted
from tiles.inbox.turns import Row, Turns, Waiting
from tiles.tree.layout import TILE_WIDTH

MEMORY_OF_A_RUN = 64 << 20  # bytes, besides a submission, which is held twice: docs/admission.md, "Payloads"

LEAST_CHARGE = 256  # bytes that every object is charged at least, because even a refusal takes room in the batch

_UNREADABLE = 4  # after so many objects of one submitter that are passed over the batch leaves out the rest of theirs
_FRUITLESS = 64  # after so many reads that added nothing the batch takes nothing more


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one batch takes. A submission that is larger than a batch is taken alone.

    entries    of the submissions it takes
    bytes      of the objects that are read for it
    objects    taken or refused
    align      end the batch where the log's size is a multiple of 256, which avoids partial tiles
    max_hold   seconds that a submission waits for that at most
    memory     bytes of memory that the run has; None if nobody says
    """

    entries: int = 65_536
    bytes: int = 64 << 20
    objects: int = 65_536
    align: bool = False
    max_hold: float = 3600.0
    memory: int | None = None

    def __post_init__(self) -> None:
        if min(self.entries, self.bytes, self.objects) < 1:
            raise UsageError("a batch takes at least one entry, one byte and one object")

    def check_memory(self, admission: Admission) -> None:
        """Raise Refused if the run has less memory than the largest submission takes that a policy admits.

        The platform would end the run while it reads that submission, and every later run at the same one.
        """
        needed = MEMORY_OF_A_RUN + 2 * admission.max_submission_bytes
        if self.memory is not None and self.memory < needed:
            raise Refused(
                f"the admission policy lets a submission have {admission.max_submission_bytes} bytes, for which a run "
                f"takes {-(-needed >> 20)} MiB of memory, and this one has {self.memory >> 20} MiB",
                hint="let the function have more memory, or the policy less max-submission-bytes (`tiletree admission "
                "LOG --set FILE`)",
            )


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits beyond a batch.

    objects, bytes   how much
    oldest           seconds since the oldest of them was written; None if there is none
    undeletable      objects that are decided and were not deleted so far; not counted among `objects`
    unreadable       names of objects that could not be read, though they are there; they go on waiting
    unlistable       submitters, as far as they can be named, some of whose objects could not be listed
    unpublished      paths of payloads that could not be published; the submissions that have them go on waiting
    """

    objects: int = 0
    bytes: int = 0
    oldest: float | None = None
    undeletable: int = 0
    unreadable: tuple[str, ...] = ()
    unlistable: tuple[str, ...] = ()
    unpublished: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What one batch decides of the inbox.

    entries   of the submissions taken, in order
    once      of each entry, whether it is to be left out if it is in the log already
    took      their names, relative to `inbox/`
    refused   names of those refused, as a batch has them, each with the reason
    backlog   what waits beyond that
    oldest    when the oldest of those taken was written, in POSIX seconds of the store's clock; None if none was taken
    payloads  of the submissions taken, by the paths at which they are published before the batch is committed
    """

    entries: list[bytes] = field(repr=False)
    once: list[bool] = field(repr=False)
    took: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    backlog: Backlog
    oldest: float | None = None
    payloads: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """An object to be read. With a reason to refuse it unread, it only has to be checked that it is there."""

    row: Row
    reason: str | None

    @property
    def bytes(self) -> int:
        """How much is read for it."""
        return self.row.size if self.reason is None else 0


Found = bytes | AccessError | None  # the result of reading; None: the object is not there any more


@dataclass(slots=True)
class _Submission:
    row: Row
    admitted: Admitted

    @property
    def entries(self) -> Sequence[bytes]:
        return self.admitted.entries


class Selection:
    """Decides what a batch takes, without reading: `ask` says what to read, `answer` is told what came of it.

    Answers come in the order of the questions; as many questions as the caller likes may be open. The outcome follows
    from the listing and the answers alone, whatever time they took.

    A submitter is charged for an object, in bytes, the largest of its shares of the batch's bytes, entries and objects.

    blocked   paths at which no payload can be published; None: none is published at all
    """

    def __init__(
        self, waiting: Waiting, admission: Admission, limits: Limits, blocked: Collection[str] | None = ()
    ) -> None:
        self._waiting = waiting
        self._blocked = blocked
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
        self._unpublished: set[str] = set()
        self._failures: Counter[str] = Counter()
        self._fruitless = 0

    def ask(self) -> Ask | None:
        """Return what to read next; None if open questions must be answered first, or, with none open, at the end."""
        while self._fruitless < _FRUITLESS and self._count < self._limits.entries:
            if len(self._taken) + len(self._refused) + self._asked >= self._limits.objects:
                break
            row = self._turns.peek()
            if row is None:
                return None
            ask = Ask(row, refusal_before_reading(row.name, row.size, self._admission))
            if self._used and self._used + ask.bytes > self._limits.bytes:
                if self._asked and not self._taken and not self._refused:
                    return None  # if none of the objects asked for is taken, this one is taken alone
                self._full = True
                self._turns.close(row.submitter)  # later objects of this submitter must not overtake this one
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
        """Record the answer to the oldest open question."""
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
            self._unreadable.append(name)
            self._pass_over(ask)
        else:
            try:
                admitted = admit(name, found, self._admission)
            except NotAdmitted as refusal:
                self._refuse(name, refusal.message)
                return
            paths = set(admitted.payloads)
            if unpublished := paths if self._blocked is None else paths.intersection(self._blocked):
                self._unpublished |= unpublished
                self._pass_over(ask)
            else:
                self._take(ask, admitted)

    def finish(self, size: int, now: float, undeletable: int = 0, unlistable: tuple[str, ...] = ()) -> Taken:
        """Return the outcome, once `ask` and the answers have come to an end.

        size, now                 as for `Inbox.take`
        undeletable, unlistable   for the backlog
        """
        taken = self._aligned(size, now) if self._limits.align else self._taken
        self._decided.update(submission.row.name for submission in taken)
        left = [row for queue in self._waiting.queues().values() for row in queue if row.name not in self._decided]
        oldest = min([self._waiting.oldest_left_out, *(row.modified for row in left)])
        gone = [row for queue in self._waiting.queues().values() for row in queue if row.name in self._decided]
        return Taken(
            [entry for submission in taken for entry in submission.entries],
            [submission.admitted.once for submission in taken for _ in submission.entries],
            tuple(submission.row.name for submission in taken),
            tuple(self._refused.items()),
            Backlog(
                self._waiting.count - len(gone),
                self._waiting.bytes - sum(row.size for row in gone),
                max(0.0, now - oldest) if oldest < float("inf") else None,
                undeletable,
                tuple(self._unreadable),
                unlistable,
                tuple(sorted(self._unpublished)),
            ),
            min((submission.row.modified for submission in taken), default=None),
            {path: data for submission in taken for path, data in submission.admitted.payloads.items()},
        )

    def _refuse(self, name: str, reason: str) -> None:
        self._refused[name_in_batch(name)] = reason
        self._decided.add(name)

    def _take(self, ask: Ask, admitted: Admitted) -> None:
        entries = admitted.entries
        if self._count and self._count + len(entries) > self._limits.entries:
            self._full = True
            self._close(ask.row.submitter)
            self._used -= ask.bytes
            self._fruitless += 1
            return
        self._taken.append(_Submission(ask.row, admitted))
        self._count += len(entries)
        share = len(entries) * (self._limits.bytes // self._limits.entries)
        self._turns.charge(ask.row.submitter, max(0, share - ask.bytes))

    def _pass_over(self, ask: Ask) -> None:
        submitter = ask.row.submitter
        self._used -= ask.bytes
        self._fruitless += 1
        self._failures[submitter] += 1
        if self._failures[submitter] == _UNREADABLE:
            self._close(submitter)

    def _close(self, submitter: str) -> None:
        """Take no more of a submitter, not even what was asked for already: it is later than what now has to wait."""
        self._turns.close(submitter)
        self._closed.add(submitter)

    def _aligned(self, size: int, now: float) -> list[_Submission]:
        """Return the longest beginning of what was taken that makes the log's size a multiple of 256.

        Return all of it if a submission would otherwise be held for too long, or if waiting cannot fill the batch.
        """
        cut = 0
        for position, submission in enumerate(self._taken, 1):
            size += len(submission.entries)
            if size % TILE_WIDTH == 0:
                cut = position
        # a date in the future comes from another clock, so it is no reason to wait
        held = [0 <= now - submission.row.modified < self._limits.max_hold for submission in self._taken[cut:]]
        return self._taken[:cut] if all(held) and (cut or not self._full) else self._taken
