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

from tiles.backoff import ATTEMPTS, Backoff
from tiles.batch import EMPTY_EDGE, Edge, Plan, edge_objects, parse_edge, plan
from tiles.bundle import check_entry_sizes
from tiles.checkpoint import SignedCheckpoint
from tiles.commit import Committer
from tiles.errors import (
    AccessError,
    Conflict,
    LogError,
    NotFound,
    OutcomeUnknown,
    Refused,
    TilesError,
    Unfinished,
    UsageError,
)
from tiles.guard import ADMISSION, Guard, State
from tiles.head import HEAD, Head, policy_path
from tiles.merkle import TreeHead
from tiles.policy import Policy, policy_for
from tiles.release import Overtaken, Releaser
from tiles.signer import Signer
from tiles.staging import Batch, digest, open_batch
from tiles.store import Store

MAX_BATCH = 1 << 20  # entries of one commit


@dataclass(frozen=True, slots=True)
class Appended:
    """Entries that are in the log, published: [first_index, first_index + count) of the tree of `checkpoint`."""

    first_index: int
    count: int
    checkpoint: SignedCheckpoint = field(repr=False)


class _Undone(Refused):
    """What was committed is not in the log: the commit was undone from outside."""


class Sequencer:
    """Appends to one log. Needs write permission on both its parts, and its signer.

    policy   refuse unless this is the log's publishing policy; None accepts the log's own
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
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._public = public
        self._private = private
        self._signer = signer
        self._policy = policy
        self._guard = Guard(public, private, signer.verifier, signer.memory, policy)
        self._now = now
        rng = rng or random.SystemRandom()
        self._backoff = Backoff(sleep, rng)
        self._releaser = Releaser(public, private, signer, self._guard, self._backoff, now)
        self._committer = Committer(private, self._guard, self._releaser, self._backoff, rng)
        self._edge = EMPTY_EDGE
        self._durable = ""  # the nonce of the head up to which all is known to last

    def create(self) -> SignedCheckpoint:
        """Begin the log, or finish beginning it, and return its published checkpoint.

        Raises Refused if something else is here, or if the key has signed before.
        """
        with _refusing():
            try:
                self._guard.read_head()
            except NotFound:
                self._begin()
            return _published(self._settle()[0])

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
            for _ in self._backoff.attempts():
                state, finished = self._settle()
                for batch in finished:
                    if batch.count == len(entries) and batch.entries() == list(entries):
                        return Appended(batch.base, batch.count, _published(state))
                if state.head.frozen:
                    raise Refused(f"the log {state.head.origin} is frozen at size {state.head.tree.size}")
                planned = plan(self._right_edge(state.head.tree), entries)  # 3
                batch, name = self._committer.stage(planned)
                if (head := self._committer.commit(state, planned.tree, name)) is not None:
                    return self._complete(state, head, batch, planned)
        raise AccessError(f"{self._private.url}: other writers were first {ATTEMPTS} times; nothing was added")

    def finish(self) -> SignedCheckpoint:
        """Publish what is committed, if anything is left to do, and return the published checkpoint."""
        with _refusing():
            return _published(self._settle()[0])

    def _begin(self) -> None:
        try:
            self._guard.check_untouched()
        except Refused:
            with suppress(NotFound):
                self._guard.read_head()
                return  # another run has begun it meanwhile; loading compares its head with ours
            raise
        policy = self._policy or policy_for(self._signer.verifier)
        head = Head(
            self._signer.verifier.name,
            (self._signer.verifier.vkey,),
            policy.sha256,
            digest(ADMISSION),
            nonce=self._committer.new_nonce(),
        )
        self._private.create({policy_path(policy.sha256): policy.data, policy_path(digest(ADMISSION)): ADMISSION})
        self._private.barrier()
        for _ in self._backoff.attempts():
            try:
                self._private.swap(HEAD, head.data, None)
            except OutcomeUnknown:
                continue  # a Conflict will say that it was done
            except Conflict:
                pass  # whoever's head it is now decides; loading compares it with ours
            return

    # 1, 2: load, and finish what another run, or this one's forerunner, has committed

    def _settle(self) -> tuple[State, list[Batch]]:
        """Return a state in which all is published and tidy, and the batches that had to be published for that."""
        finished: list[Batch] = []
        for _ in self._backoff.attempts():
            state, batch = self._look()
            if not state.is_published and state.head.batch is not None and batch is None:
                self._check_not_lost(state)
            elif not state.is_published and self._is_left_behind(state):
                self._make_last()
                self._recover(state, batch)
                finished += [batch] if batch else []
                state, batch = self._look()
            if state.is_published:
                if state.head.nonce != self._durable:
                    self._make_last()
                if batch is not None or state.head.batch is None:
                    self._releaser.tidy(state, state.head, batch, _published(state))
                self._durable = state.head.nonce
                return state, finished
        raise AccessError(f"{self._private.url}: the head did not come to rest in {ATTEMPTS} attempts")

    def _look(self) -> tuple[State, Batch | None]:
        """Return the log as it is, and the batch that is staged for its head; refuse where it cannot be continued."""
        state = self._guard.load()
        self._releaser.check_anchor(state)
        return state, self._staged(state.head)

    def _is_left_behind(self, state: State) -> bool:
        """Whether to help with what is committed and not published: a head seconds old is its writer's to finish."""
        patience = self._private.patience
        # a head from the future is one of another clock, and not waited for
        return self._committer.is_own(state.head) or not 0 <= self._now() - state.modified < patience

    def _staged(self, head: Head) -> Batch | None:
        if head.staged_path is None or head.batch is None:
            return None
        try:
            data = self._private.read(head.staged_path).data
        except NotFound:
            return None
        return open_batch(data, head.tree.size, head.batch)

    def _check_not_lost(self, before: State) -> None:
        state = self._guard.load()
        if state.version == before.version and not state.is_published:
            raise Refused(
                f"the committed batch is lost: {before.head.staged_path} is not in {self._private.url}, "
                f"and the tree of size {before.head.tree.size} is not published",
                hint=f"restore it from a copy of the private part; the tree of size {before.head.base} is intact",
            )

    def _recover(self, state: State, batch: Batch | None) -> None:
        """Finish a commit: the very steps of `append` after it, once the plan is known to be the committed one."""
        planned = None
        if batch is not None:
            planned = plan(self._right_edge(_published(state).tree), batch.entries())
            if planned.tree != state.head.tree:
                raise Refused(
                    f"the staged batch leads to {planned.tree}, and the head commits to {state.head.tree}",
                    hint="the private part was changed from outside; nothing was signed",
                )
        try:
            signed = self._releaser.release(state, planned, state.head.tree)
        except Overtaken:
            self._check_overtaken(state.head.tree)
            return
        self._releaser.tidy(state, state.head, batch, signed)

    def _right_edge(self, tree: TreeHead) -> Edge:
        if self._edge.tree != tree:
            contents = {tile: self._releaser.read_tile(tile) for tile in edge_objects(tree.size)}
            self._edge = parse_edge(tree, contents)
        return self._edge

    def _check_overtaken(self, tree: TreeHead) -> None:
        """Raise Refused unless the tree that others have published meanwhile is built on the committed one."""
        if not self._committer.is_published(tree):
            raise _Undone(
                f"the tree of {tree} was committed, and is not in what was signed since",
                hint="the head was put back, and another batch committed instead; restore it, or add the entries again",
            )

    # 6 to 10: write, sign, cosign, publish, tidy

    def _complete(self, state: State, head: Head, batch: Batch, planned: Plan) -> Appended:
        signed = None
        try:
            try:
                signed = self._releaser.release(state, planned, head.tree)
            except Overtaken:  # then ours is published: nothing is committed on top of a tree that is not
                self._check_overtaken(head.tree)
                signed = _published(self._guard.load())
            self._releaser.tidy(state, head, batch, signed)
        except _Undone:
            raise
        except TilesError as error:
            raise Unfinished(
                f"the entries are committed, the run could not finish: {error.message}",
                first_index=batch.base,
                count=batch.count,
                published=signed is not None,
                hint="; ".join(filter(None, ["do not add them again: the next run finishes this one", error.hint])),
            ) from error
        self._edge = planned.edge
        self._durable = head.nonce
        return Appended(batch.base, batch.count, signed)

    def _make_last(self) -> None:
        """What others wrote is to last before anything is built on it."""
        self._private.barrier()
        self._public.barrier()


def _published(state: State) -> SignedCheckpoint:
    if state.published is None:
        raise Refused(f"the log {state.head.origin} has no published checkpoint yet")
    return state.published


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn what is wrong with a log into a refusal to write to it; the cause keeps the evidence."""
    try:
        yield
    except LogError as error:
        raise Refused(error.message, hint="nothing was written; find out who changed it before going on") from error
