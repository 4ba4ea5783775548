"""Loading a log for writing, and finishing what was committed and not published: steps 1 and 2 of the commit.

docs/data-flow.md, "The commit". Recovery is the normal path: every run begins with it, and most find nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable

from tiles.errors import AccessError, NotFound, Refused
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.records.head import Head
from tiles.records.staged_batch import Batch, open_batch
from tiles.retry import ATTEMPTS, Backoff
from tiles.store import Store
from tiles.tree.edge import EMPTY_EDGE, Edge, edge_objects, parse_edge
from tiles.tree.merkle import TreeHead
from tiles.tree.plan import plan
from tiles.write.commit import Committer
from tiles.write.load import Guard, State
from tiles.write.publish import Overtaken, Releaser


class Undone(Refused):
    """What was committed is not in the log: the commit was undone from outside."""


class Settler:
    """Brings one log to rest: all that is committed is published and tidy.

    edge      the right edge of the tree of the last commit, as far as it is known
    durable   the nonce of the head up to which all is known to last
    """

    def __init__(
        self,
        public: Store,
        private: Store,
        guard: Guard,
        committer: Committer,
        releaser: Releaser,
        backoff: Backoff,
        now: Callable[[], float],
    ) -> None:
        self._public = public
        self._private = private
        self._guard = guard
        self._committer = committer
        self._releaser = releaser
        self._backoff = backoff
        self._now = now
        self.edge = EMPTY_EDGE
        self.durable = ""

    def settle(self) -> tuple[State, list[Batch]]:
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
                if state.head.nonce != self.durable:
                    self._make_last()
                if batch is not None or state.head.batch is None:
                    self._releaser.tidy(state, state.head, batch, published(state))
                self.durable = state.head.nonce
                return state, finished
        raise AccessError(f"{self._private.url}: the head did not come to rest in {ATTEMPTS} attempts")

    def _look(self) -> tuple[State, Batch | None]:
        """Return the log as it is, and the batch that is staged for its head; refuse where it cannot be continued."""
        state = self._guard.load()
        self._releaser.check_anchor(state)
        # what this run has tidied needs no second look
        return state, None if state.head.nonce == self.durable else self._staged(state.head)

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
            planned = plan(self.right_edge(published(state).tree), batch.entries())
            if planned.tree != state.head.tree:
                raise Refused(
                    f"the staged batch leads to {planned.tree}, and the head commits to {state.head.tree}",
                    hint="the private part was changed from outside; nothing was signed",
                )
        try:
            signed = self._releaser.release(state, planned, state.head.tree)
        except Overtaken:
            self.check_overtaken(state.head.tree)
            return
        self._releaser.tidy(state, state.head, batch, signed)

    def right_edge(self, tree: TreeHead) -> Edge:
        """Return the right edge of a published tree, verified to recompute to its root."""
        if self.edge.tree != tree:
            contents = {tile: self._releaser.read_tile(tile) for tile in edge_objects(tree.size)}
            self.edge = parse_edge(tree, contents)
        return self.edge

    def check_overtaken(self, tree: TreeHead) -> None:
        """Raise Refused unless the tree that others have published meanwhile is built on the committed one."""
        if not self._committer.is_published(tree):
            raise Undone(
                f"the tree of {tree} was committed, and is not in what was signed since",
                hint="the head was put back, and another batch committed instead; restore it, or add the entries again",
            )

    def _make_last(self) -> None:
        """What others wrote is to last before anything is built on it."""
        self._private.barrier()
        self._public.barrier()


def published(state: State) -> SignedCheckpoint:
    """Return the published checkpoint. Raises Refused in a log whose first one is not published yet."""
    if state.published is None:
        raise Refused(f"the log {state.head.origin} has no published checkpoint yet")
    return state.published
