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
from tiles.merkle import TreeHead, fold_right
from tiles.policy import Policy, policy_for
from tiles.proof import root_nodes
from tiles.release import Overtaken, Releaser
from tiles.signer import Signer
from tiles.staging import Batch, digest, open_batch
from tiles.store import Store

MAX_BATCH = 1 << 20  # entries of one commit

_UNKNOWN = "run again with the same entries: they are not added twice while they wait to be published"


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
        self._rng = rng or random.SystemRandom()
        self._backoff = Backoff(sleep, self._rng)
        self._releaser = Releaser(public, private, signer, self._guard, self._backoff, now)
        self._edge = EMPTY_EDGE
        self._durable = ""  # the nonce of the head up to which all is known to last
        self._mine = ""  # the nonce of the last head this run tried to write: nobody else is finishing that

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
                batch, name = self._stage(planned)
                if (head := self._commit(state, planned.tree, name)) is not None:
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
            nonce=self._new_nonce(),
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
            state = self._guard.load()
            batch = self._staged(state.head)
            if state.is_published:
                if state.head.nonce != self._durable:
                    self._make_last()
                if batch is not None or state.head.batch is None:
                    self._releaser.tidy(state, state.head, batch, _published(state))
                self._durable = state.head.nonce
                return state, finished
            if state.head.batch is not None and batch is None:
                self._check_not_lost(state)
            elif self._is_left_behind(state):
                self._make_last()
                self._recover(state, batch)
                finished += [batch] if batch else []
        raise AccessError(f"{self._private.url}: the head did not come to rest in {ATTEMPTS} attempts")

    def _is_left_behind(self, state: State) -> bool:
        """Whether to help with what is committed and not published: a head seconds old is its writer's to finish."""
        patience = self._private.patience
        # a head from the future is one of another clock, and not waited for
        return state.head.nonce == self._mine or not 0 <= self._now() - state.modified < patience

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

    # 4, 5: stage, commit

    def _stage(self, planned: Plan) -> tuple[Batch, str]:
        batch = Batch(planned.base, planned.count, planned.body)
        data = batch.data
        name = digest(data)
        self._private.create({f"staging/{batch.size}-{name}": data})
        self._private.barrier()
        return batch, name

    def _commit(self, state: State, tree: TreeHead, batch: str) -> Head | None:
        """Return the new head if it is in place; None if another writer was first. The one point of decision."""
        head = state.head.extended(tree, batch, self._new_nonce())
        unsure = False
        for _ in self._backoff.attempts():
            try:
                self._private.swap(HEAD, head.data, state.version)
            except Conflict:
                if not unsure:
                    return None
            except OutcomeUnknown:
                unsure = True
            else:
                return head
            if (ours := self._is_ours(state, head)) is not None:
                return head if ours else None
        raise OutcomeUnknown(f"{self._private.url}: no answer says whether the batch was committed", hint=_UNKNOWN)

    def _is_ours(self, state: State, head: Head) -> bool | None:
        """Whether `head` was committed, after an answer that did not say so; None if nothing has changed yet."""
        try:
            now, version, _ = self._guard.read_head()
            if now.nonce == head.nonce:
                self._private.barrier()  # it is there; whether it lasts was part of what is unknown
                return True
            if version == state.version:
                return None
            # ours if and only if the tree that was published since is built on our tree
            return now.tree.size > head.tree.size and self._is_published(head.tree)
        except AccessError as error:
            raise OutcomeUnknown(f"it is not known whether the batch was committed: {error}", hint=_UNKNOWN) from error

    def _is_published(self, tree: TreeHead) -> bool:
        published = self._guard.read_checkpoint()[0]
        if published is None or published.tree.size < tree.size:
            return False
        nodes = root_nodes(tree.size)
        reader = self._releaser.reader(published.tree, nodes, None)
        return fold_right([reader.hash(node) for node in nodes]) == tree.root

    def _check_overtaken(self, tree: TreeHead) -> None:
        """Raise Refused unless the tree that others have published meanwhile is built on the committed one."""
        if not self._is_published(tree):
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
                hint=error.hint or "do not add them again: the next run finishes this one",
            ) from error
        self._edge = planned.edge
        self._durable = head.nonce
        return Appended(batch.base, batch.count, signed)

    def _make_last(self) -> None:
        """What others wrote is to last before anything is built on it."""
        self._private.barrier()
        self._public.barrier()

    def _new_nonce(self) -> str:
        self._mine = f"{self._rng.getrandbits(128):032x}"
        return self._mine


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
