"""Loading a log for writing, and finishing what was committed and not published: steps 1 and 2 of the commit.

docs/data-flow.md, "The commit". Recovery is the normal path: every run begins with it, and most find nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from tiles.errors import AccessError, LogError, NotFound, Refused, Unfinished, explained
from tiles.notes.cosigned import shortfall
from tiles.records.head import Head
from tiles.records.staged_batch import Batch, open_batch
from tiles.retry import ATTEMPTS, Clock, among_writers
from tiles.signing.anchor import OPEN
from tiles.signing.signer import Signer
from tiles.tree.merkle import TreeHead
from tiles.tree.plan import plan
from tiles.write.commit import Committer
from tiles.write.cosign import BelowQuorum, Cosigned, Overtaken, Witnessing
from tiles.write.load import Expected, Loader
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts
from tiles.write.publish import Publisher
from tiles.write.results import Made
from tiles.write.state import State
from tiles.write.tidy import Tidier


class Undone(Refused):
    """What was committed is not in the log: the commit was undone from outside."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of the commit, each by itself."""

    tree: OwnTree
    loader: Loader
    committer: Committer
    publisher: Publisher
    tidier: Tidier

    @classmethod
    def of(cls, parts: Parts, signer: Signer, expected: Expected, clock: Clock, how: Witnessing) -> Steps:
        """Return the steps of a run that writes to one log."""
        tree = OwnTree(parts.public, *signer.keys.held)
        loader = Loader(parts.private, tree, signer.memory, expected, signer.keys.use)
        committer = Committer(parts, loader, tree, clock)
        publisher = Publisher(parts, signer, tree, clock, how)
        return cls(tree, loader, committer, publisher, Tidier(parts, clock.now))


class Recoverer:
    """Brings one log to rest: all that is committed is published and tidy."""

    def __init__(self, parts: Parts, steps: Steps, clock: Clock) -> None:
        self._parts = parts
        self._steps = steps
        self._clock = clock
        self._finished: list[tuple[int, int]] = []  # batches of earlier runs that this one has published
        self._durable = ""  # the nonce of the last head whose commit is known to last and to be tidied up

    def made(self) -> Made:
        """Return what was published here since this was asked last."""
        publisher = self._steps.publisher
        made, self._finished = Made(publisher.checkpoints, tuple(self._finished)), []
        publisher.checkpoints = 0
        return made

    def settle(self) -> tuple[State, list[Batch]]:
        """Return a state in which all is published and tidy, and the batches that had to be published for that."""
        finished: list[Batch] = []
        is_asked = False  # for what is published below the quorum
        for _ in among_writers(self._clock):
            state, batch = self._look()
            if not state.is_published and state.head.batch is not None and batch is None:
                self._check_not_lost(state)
            elif not state.is_published and self._is_left_behind(state):
                self._make_last()
                self._recover(state, batch)
                finished += [batch] if batch else []
                state, batch = self._look()
            if state.is_published and not state.is_signed_by_all:
                self._sign_again(state)
                state, batch = self._look()
            if state.is_published and state.is_signed_by_all:
                if state.head.nonce != self._durable:
                    self._make_last()
                if batch is not None or state.head.batch is None:
                    self._steps.tidier.tidy(state, state.head, batch, state.checkpoint)
                if state.head.frozen and state.anchor.state == OPEN:
                    self._steps.publisher.freeze(state)
                self._durable = state.head.nonce
                if state.policy.needs_witnesses and not is_asked and shortfall(state.checkpoint, state.policy):
                    is_asked = True
                    with suppress(Overtaken):
                        self._steps.publisher.refresh(state, self._steps.tidier.keep, everyone=False)
                    continue
                return state, finished
        raise AccessError(f"{self._parts.private.url}: the head did not come to rest in {ATTEMPTS} attempts")

    def refresh(self) -> Cosigned:
        """Publish what is committed, and then the lines that its witnesses have, or will make, beyond those there."""
        for _ in among_writers(self._clock):
            state, _ = self.settle()
            with suppress(Overtaken):
                return self._steps.publisher.refresh(state, self._steps.tidier.keep)
        raise AccessError(f"{self._parts.public.url}: other writers were further on {ATTEMPTS} times")

    def _sign_again(self, state: State) -> None:
        """Publish a tree that is published with the signatures of all keys of the head.

        A key was added, and the run that did so may have died; or somebody has taken a signature off the checkpoint.
        The head may not last yet. If it is lost, the checkpoint has a signature more than the head asks for.
        """
        with suppress(Overtaken):  # then a larger tree is committed, and published with all of them
            self._steps.publisher.publish(state, None, state.head.tree, self._steps.tidier.keep)

    def check_published(self) -> None:
        """Raise Unfinished if something is committed that is not published."""
        state = self._steps.loader.load()
        if not state.is_published:
            head = state.head
            raise Unfinished(
                f"the tree of size {head.tree.size} is committed, and not published yet",
                first_index=head.base,
                count=head.tree.size - head.base,
                published=False,
                hint="publish it first: `tiletree sequence --only publish`",
            )

    def _look(self) -> tuple[State, Batch | None]:
        """Return the log's state, and the batch that is staged for its head. Raises Refused if it cannot go on."""
        state = self._steps.loader.load()
        # after this run has tidied up, no batch is staged for the head
        return state, None if state.head.nonce == self._durable else self._staged(state.head)

    def _is_left_behind(self, state: State) -> bool:
        """Whether to publish what is committed: the writer of a head that is seconds old may still be doing so."""
        patience = self._parts.private.patience
        # a date in the future comes from another clock, so it is no reason to wait
        return self._steps.committer.is_own(state.head) or not 0 <= self._clock.now() - state.modified < patience

    def _staged(self, head: Head) -> Batch | None:
        if head.staged_path is None or head.batch is None:
            return None
        try:
            data = self._parts.private.read(head.staged_path).data
        except NotFound:
            return None
        return open_batch(data, head.tree.size, head.batch)

    def _check_not_lost(self, before: State) -> None:
        """Raise Refused if the batch of a head is gone before its tree is published.

        The heads are compared, not their versions: a store may read an object and an older version of it together.
        """
        state = self._steps.loader.load()
        if state.head == before.head and not state.is_published:
            raise Refused(
                f"the committed batch is lost: {before.head.staged_path} is not in {self._parts.private.url}, "
                f"and the tree of size {before.head.tree.size} is not published",
                hint=explained(
                    "a-committed-batch-is-gone",
                    f"restore it from a copy of the private part; the tree of size {before.head.base} is intact",
                ),
            )

    def _recover(self, state: State, batch: Batch | None) -> None:
        """Finish a commit by the same steps as `append`, once the plan is known to be the committed one."""
        planned, before = None, self._steps.publisher.checkpoints
        if batch is not None:
            planned = plan(self._steps.tree.right_edge(state.checkpoint.tree), batch.entries())
            if planned.tree != state.head.tree:
                raise Refused(
                    f"the staged batch leads to {planned.tree}, and the head commits to {state.head.tree}",
                    hint=explained(
                        "something-was-put-back", "the private part was changed from outside; nothing was signed"
                    ),
                )
        try:
            published = self._steps.publisher.publish(state, planned, state.head.tree, self._steps.tidier.keep)
        except Overtaken:
            self.check_overtaken(state.head.tree)
            return
        except BelowQuorum as error:
            error.head, error.batch = state.head, batch
            raise
        if batch is not None and self._steps.publisher.checkpoints > before:
            self._finished.append((batch.base, batch.count))
        self._steps.tidier.tidy(state, state.head, batch, published.signed, is_kept=published.left is not None)

    def finished(self, head: Head) -> None:
        """Take note that this run has published and tidied what this head commits to."""
        self._durable = head.nonce

    def check_overtaken(self, tree: TreeHead) -> None:
        """Raise Refused unless the tree that others have published meanwhile is built on the committed one."""
        if not self._steps.tree.is_published(tree):
            raise Undone(
                f"the tree of {tree} was committed, and is not in what was signed since",
                hint=explained(
                    "something-was-put-back",
                    "the head was put back, and another batch committed instead; restore it, or add the entries again",
                ),
            )

    def _make_last(self) -> None:
        """Make what others wrote last before anything is built on it."""
        self._parts.private.barrier()
        self._parts.public.barrier()


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what is wrong with a log into a refusal to write to it; the cause keeps the evidence."""
    try:
        yield
    except LogError as error:
        hint = error.hint or "nothing was written; find out who changed it before going on"
        raise Refused(error.message, hint=hint) from error
