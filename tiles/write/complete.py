"""From a staged batch to its end: commit, write, sign, cosign, publish, tidy.

Steps 5 to 10 of the commit (docs/data-flow.md), in the run that has staged the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tiles.errors import TilesError, Unfinished
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.records.head import Head
from tiles.records.staged_batch import Batch
from tiles.tree.plan import Plan
from tiles.write.cosign import Overtaken
from tiles.write.publish import Published
from tiles.write.recover import Recoverer, Steps, Undone
from tiles.write.state import State


@dataclass(frozen=True, slots=True)
class Done:
    """A batch that is committed.

    signed   the published checkpoint
    left     the log as this run has left it, all of it published and tidy; None if this cannot be told
    """

    signed: SignedCheckpoint
    left: State | None = None


class Completer:
    """Takes staged batches of one log to their end."""

    def __init__(self, steps: Steps, recoverer: Recoverer) -> None:
        self._steps = steps
        self._recoverer = recoverer

    def commit(
        self,
        state: State,
        planned: Plan | None,
        batch: Batch,
        name: str,
        then: Callable[[Plan], None] | None = None,
        *,
        publish: bool = True,
    ) -> Done | None:
        """Commit and publish a staged batch; None if another writer was first.

        planned   None for a batch without entries: the tree stays, and is published already
        then      called once it is committed
        """
        head = self._steps.committer.commit(state, planned.tree if planned else state.head.tree, batch, name)
        if head is None:
            return None
        if then is not None and planned is not None:
            then(planned)
        return self._complete(state, head, batch, planned) if publish else Done(state.checkpoint)

    def _complete(self, state: State, head: Head, batch: Batch, planned: Plan | None) -> Done:
        published = None if planned else Published(state.checkpoint)
        try:
            try:
                published = published or self._publish(state, planned, head)
            except Overtaken:  # our tree is published then: writers commit on top of published trees only
                self._recoverer.check_overtaken(head.tree)
                published = Published(self._steps.loader.load().checkpoint)
            is_kept = published.left is not None
            self._steps.tidier.tidy(state, head, batch, published.signed, is_kept=is_kept)
        except Undone:
            raise
        except TilesError as error:
            raise Unfinished(
                f"the entries are committed, the run could not finish: {error.message}",
                first_index=batch.base,
                count=batch.count,
                already=batch.already,
                published=published is not None,
                hint="; ".join(filter(None, ["do not add them again: the next run finishes this one", error.hint])),
            ) from error
        if planned is not None:
            self._steps.tree.grew(planned)
        self._recoverer.finished(head)
        return Done(published.signed, self._left(published, head))

    def _publish(self, state: State, planned: Plan | None, head: Head) -> Published:
        return self._steps.publisher.publish(state, planned, head.tree, self._steps.tidier.keep)

    def _left(self, published: Published, head: Head) -> State | None:
        version = self._steps.committer.landed
        if published.left is None or version is None:
            return None
        return replace(published.left, head=head, version=version)
