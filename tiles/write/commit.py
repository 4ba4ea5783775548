"""Staging a batch and committing it: steps 4 and 5 of the commit (docs/data-flow.md).

The swap of the head is the one point at which acceptance and order are decided. Everything here is about being sure
whether it happened.
"""

from __future__ import annotations

from contextlib import suppress

from tiles.errors import AccessError, Conflict, OutcomeUnknown
from tiles.inbox.admission import Admission
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import Policy
from tiles.records.head import Head
from tiles.records.paths import HEAD, policy_path, staged_path
from tiles.records.staged_batch import Batch, digest
from tiles.retry import OTHER_WRITERS, Clock, attempts
from tiles.store import Store
from tiles.tree.merkle import TreeHead
from tiles.write.load import Loader, State
from tiles.write.own_tree import OwnTree

_UNKNOWN = "run again with the same entries: they are not added twice while they wait to be published"


class Committer:
    """Commits batches to one log."""

    def __init__(self, private: Store, loader: Loader, tree: OwnTree, clock: Clock) -> None:
        self._private = private
        self._loader = loader
        self._tree = tree
        self._clock = clock
        self._last = ""  # the nonce of the last head this run tried to write

    def new_nonce(self) -> str:
        """Return 32 hex digits that no head has had."""
        self._last = f"{self._clock.rng.getrandbits(128):032x}"
        return self._last

    def is_own(self, head: Head) -> bool:
        """Whether a head is the last one this run tried to write: nobody else is about to finish that."""
        return head.nonce == self._last

    def stage(self, batch: Batch) -> str:
        """Make a batch last where a head can name it; return its digest."""
        data = batch.data
        name = digest(data)
        self._private.create({staged_path(batch.size, name): data})
        self._private.barrier()
        return name

    def begin(self, verifier: VerifierKey, policy: Policy, admission: Admission) -> None:
        """Commit to the empty tree: whoever's head is there first decides key, origin and policies."""
        head = Head(verifier.name, (verifier.vkey,), policy.sha256, admission.sha256, nonce=self.new_nonce())
        self._private.create({policy_path(each.sha256): each.data for each in (policy, admission)})
        self._private.barrier()
        for _ in attempts(self._clock, OTHER_WRITERS):
            try:
                self._private.swap(HEAD, head.data, None)
            except OutcomeUnknown:
                continue  # a Conflict will say that it was done
            except Conflict:
                pass  # loading compares whoever's head it is now with ours
            return
        raise OutcomeUnknown(f"{self._private.url}: no answer says whether the log was begun", hint="run init again")

    def freeze(self, state: State) -> None:
        """Commit to it that nothing can be added any more, unless another writer was first, or there is no answer."""
        with suppress(Conflict, OutcomeUnknown):
            self._private.swap(HEAD, state.head.closed(self.new_nonce()).data, state.version)

    def commit(self, state: State, tree: TreeHead, batch: Batch, name: str) -> Head | None:
        """Return the new head if it is in place; None if another writer was first. The one point of decision.

        batch, name   what was staged, and its digest
        """
        head = state.head.extended(tree, name, self.new_nonce())
        unsure = False
        for _ in attempts(self._clock, OTHER_WRITERS):
            try:
                self._private.swap(HEAD, head.data, state.version)
            except Conflict:
                if not unsure:
                    return None
            except OutcomeUnknown:
                unsure = True
            else:
                return head
            if (ours := self._is_ours(state, head, batch)) is not None:
                return head if ours else None
        raise OutcomeUnknown(f"{self._private.url}: no answer says whether the batch was committed", hint=_UNKNOWN)

    def _is_ours(self, state: State, head: Head, batch: Batch) -> bool | None:
        """Whether `head` was committed, after an answer that did not say so; None if nothing has changed yet."""
        try:
            now, version, _ = self._loader.read_head()
            if now.nonce == head.nonce:
                self._private.barrier()  # it is there; whether it lasts was part of what is unknown
                return True
            if version == state.version:
                return None
            if batch.took or batch.refused:
                return False  # whoever is further on has settled these submissions, or left them for the next look
            # ours if and only if the tree that was published since is built on our tree
            return now.tree.size > head.tree.size and self._tree.is_published(head.tree)
        except AccessError as error:
            raise OutcomeUnknown(f"it is not known whether the batch was committed: {error}", hint=_UNKNOWN) from error
