"""The write path: entries → plan → stage → commit → tiles → sign → checkpoint.

One run takes the steps of docs/data-flow.md ("The commit"), each a method below and named like its step. Any run may
die between any two store operations; the next one finishes its work by the same methods, with the same bytes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tiles.admission import OPEN, Admission
from tiles.backoff import ATTEMPTS, Backoff
from tiles.batch import Plan, plan
from tiles.bundle import check_entry_sizes
from tiles.checkpoint import SignedCheckpoint
from tiles.commit import Committer
from tiles.errors import AccessError, LogError, NotFound, Refused, TilesError, Unfinished, UsageError
from tiles.guard import Guard, State
from tiles.head import Head
from tiles.inbox import Inbox
from tiles.policy import Policy, policy_for
from tiles.release import Overtaken, Releaser
from tiles.selection import Backlog, Limits
from tiles.settle import Settler, Undone, published
from tiles.signer import Signer
from tiles.staging import Batch
from tiles.store import Store

MAX_BATCH = 1 << 20  # entries of one commit


@dataclass(frozen=True, slots=True)
class Appended:
    """Entries that are in the log, published: [first_index, first_index + count) of the tree of `checkpoint`.

    retries   how often another writer was first
    """

    first_index: int
    count: int
    checkpoint: SignedCheckpoint = field(repr=False)
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Sequenced:
    """What one batch from the inbox decided: [first_index, first_index + count) are the entries it logged.

    took      the submissions they are from, in order; refused, those refused, each with the reason
    backlog   what waits on
    retries   how often another writer was first
    """

    first_index: int
    count: int
    took: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    backlog: Backlog
    checkpoint: SignedCheckpoint = field(repr=False)
    retries: int = 0


class Sequencer:
    """Appends to one log. Needs write permission on both its parts, and its signer.

    policy, admission   refuse unless these are the log's policies, for publishing and for submissions; None accepts
                        the log's own
    now      seconds since the epoch
    sleep    waits for that many seconds
    """

    def __init__(
        self,
        public: Store,
        private: Store,
        signer: Signer,
        *,
        policy: Policy | None = None,
        admission: Admission | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._public = public
        self._private = private
        self._signer = signer
        self._policy = policy
        self._admission = admission
        self._guard = Guard(public, private, signer.verifier, signer.memory, policy, admission)
        self._now = now
        rng = rng or random.SystemRandom()
        self._backoff = Backoff(sleep, rng)
        self._releaser = Releaser(public, private, signer, self._guard, self._backoff, now)
        self._committer = Committer(private, self._guard, self._releaser, self._backoff, rng)
        self._settler = Settler(public, private, self._guard, self._committer, self._releaser, self._backoff, now)

    def create(self) -> SignedCheckpoint:
        """Begin the log, or finish beginning it, and return its published checkpoint.

        Raises Refused if something else is here, or if the key has signed before.
        """
        with _refusing():
            try:
                self._guard.read_head()
            except NotFound:
                self._begin()
            return published(self._settler.settle()[0])

    def check_new(self) -> None:
        """Raise Refused unless `create` would begin a new log here; writes nothing."""
        with _refusing():
            self._guard.check_untouched()

    def append(self, entries: Sequence[bytes]) -> Appended:
        """Append entries, in order, as one batch, publish it, and say where they are.

        Entries are 0 to 65,535 bytes each. Raises UsageError for anything else, Refused for a log that cannot be
        written soundly, AccessError if storage fails before the commit and Unfinished after it.
        """
        if not 1 <= len(entries) <= MAX_BATCH:
            raise UsageError(f"a batch has 1 to {MAX_BATCH} entries, not {len(entries)}")
        check_entry_sizes(entries)
        with _refusing():
            for tries in self._backoff.attempts():
                state, finished = self._settler.settle()
                for batch in finished:
                    if batch.count == len(entries) and not batch.took and batch.entries() == list(entries):
                        return Appended(batch.base, batch.count, published(state), tries)
                planned = self._plan(state, entries)
                batch = Batch(planned.base, planned.count, planned.body)
                if (done := self._commit(state, planned, batch)) is not None:
                    return Appended(batch.base, batch.count, done, tries)
        raise AccessError(f"{self._private.url}: other writers were first {ATTEMPTS} times; nothing was added")

    def sequence(self, limits: Limits | None = None) -> Sequenced:
        """Decide what waits in the inbox, as one batch: log it or refuse it, publish, and say what was done.

        Raises as `append` does; what is not decided stays in the inbox.
        """
        with _refusing():
            for tries in self._backoff.attempts():
                state, _ = self._settler.settle()
                taken = Inbox(self._private, state.admission, limits or Limits()).take(
                    state.head.tree.size, self._now()
                )
                size = state.head.tree.size
                if not taken.took and not taken.refused:
                    return Sequenced(size, 0, (), (), taken.backlog, published(state), tries)
                planned = self._plan(state, taken.entries) if taken.entries else None
                body = planned.body if planned else b""
                batch = Batch(size, len(taken.entries), body, taken.took, taken.refused)
                if (done := self._commit(state, planned, batch)) is not None:
                    return Sequenced(size, batch.count, batch.took, batch.refused, taken.backlog, done, tries)
        raise AccessError(f"{self._private.url}: other writers were first {ATTEMPTS} times; the inbox is as it was")

    def finish(self) -> SignedCheckpoint:
        """Publish what is committed, if anything is left to do, and return the published checkpoint."""
        with _refusing():
            return published(self._settler.settle()[0])

    def freeze(self) -> SignedCheckpoint:
        """Close the log for ever, and return its last checkpoint: nothing can be added any more."""
        with _refusing():
            for _ in self._backoff.attempts():
                state, _ = self._settler.settle()
                if state.head.frozen:
                    return published(state)
                self._committer.freeze(state)
        raise AccessError(f"{self._private.url}: other writers were first {ATTEMPTS} times; the log is not frozen")

    def _begin(self) -> None:
        try:
            self._guard.check_untouched()
        except Refused:
            with suppress(NotFound):
                self._guard.read_head()
                return  # another run has begun it meanwhile; loading compares its head with ours
            raise
        verifier = self._signer.verifier
        self._committer.begin(verifier, self._policy or policy_for(verifier), self._admission or OPEN)

    # 3 to 10: plan, stage, commit, write, sign, cosign, publish, tidy

    def _plan(self, state: State, entries: Sequence[bytes]) -> Plan:
        return plan(self._settler.right_edge(state.head.tree), entries)

    def _commit(self, state: State, planned: Plan | None, batch: Batch) -> SignedCheckpoint | None:
        """Stage, commit and publish a batch; return the checkpoint, None if another writer was first.

        planned   None for a batch without entries: the tree stays, and is published already
        """
        if state.head.frozen:
            raise Refused(f"the log {state.head.origin} is frozen at size {state.head.tree.size}")
        tree = planned.tree if planned else state.head.tree
        name = self._committer.stage(batch)
        head = self._committer.commit(state, tree, batch, name)
        return None if head is None else self._complete(state, head, batch, planned)

    def _complete(self, state: State, head: Head, batch: Batch, planned: Plan | None) -> SignedCheckpoint:
        signed = None if planned else published(state)
        try:
            try:
                signed = signed or self._releaser.release(state, planned, head.tree)
            except Overtaken:  # then ours is published: nothing is committed on top of a tree that is not
                self._settler.check_overtaken(head.tree)
                signed = published(self._guard.load())
            self._releaser.tidy(state, head, batch, signed)
        except Undone:
            raise
        except TilesError as error:
            raise Unfinished(
                f"the entries are committed, the run could not finish: {error.message}",
                first_index=batch.base,
                count=batch.count,
                published=signed is not None,
                hint="; ".join(filter(None, ["do not add them again: the next run finishes this one", error.hint])),
            ) from error
        if planned is not None:
            self._settler.edge = planned.edge
        self._settler.durable = head.nonce
        return signed


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn what is wrong with a log into a refusal to write to it; the cause keeps the evidence."""
    try:
        yield
    except LogError as error:
        raise Refused(error.message, hint="nothing was written; find out who changed it before going on") from error
