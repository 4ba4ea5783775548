"""Staging a batch and committing it: steps 4 and 5 of the commit (docs/data-flow.md).

The swap of the head is the one point at which acceptance and order are decided. If its answer is lost, this module
finds out whether the swap happened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from tiles.errors import AccessError, Conflict, OutcomeUnknown
from tiles.inbox.admission import Admission
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import Policy
from tiles.records.head import Head
from tiles.records.paths import HEAD, policy_path, staged_path
from tiles.records.staged_batch import Batch, digest
from tiles.retry import Clock, among_writers
from tiles.store import Store, Version
from tiles.store.drafts import forget_drafts, stage
from tiles.tree.merkle import TreeHead
from tiles.tree.plan import Plan
from tiles.write.load import Loader
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts
from tiles.write.state import State

_UNKNOWN = "run again with the same entries: they are not added twice while they wait to be published"


class Committer:
    """Commits batches to one log."""

    def __init__(self, parts: Parts, loader: Loader, tree: OwnTree, clock: Clock) -> None:
        self._public, self._private = parts.public, parts.private
        self._loader = loader
        self._tree = tree
        self._clock = clock
        self._last = ""  # the nonce of the last head this run tried to write
        self._drafted: tuple[Head, TreeHead, str, Head] | None = None  # of what was staged last: on what, and its head
        self.landed: Version | None = None  # the version of the head that this run committed last, where it is known

    def new_nonce(self) -> str:
        """Return 32 hex digits that no head has had."""
        self._last = self._clock.random_id()
        return self._last

    def is_own(self, head: Head) -> bool:
        """Whether a head is the last one that this run tried to write: then no other run is about to finish it."""
        return head.nonce == self._last

    def stage(
        self, batch: Batch, pieces: Sequence[bytes] = (), *, on: State | None = None, planned: Plan | None = None
    ) -> str:
        """Store a batch, so that it lasts, at the path by which a head can name it; return its digest.

        pieces        its entries, where it does not hold them itself
        on, planned   of a batch that is committed next: the state that it is committed on, and its plan, if it has one

        What such a batch is going to be is prepared with it, as far as it lies on the same file system: the head, the
        tiles and the anchor. One sync makes all these contents last, and nobody sees them: each gets its name at its
        step, as it would if it were written then. A run that dies leaves temporary files.
        """
        data = batch.with_entries(pieces) if pieces else batch.data
        name = digest(data)
        drafts, beside = dict[str, bytes](), list[tuple[Store, Mapping[str, bytes]]]()
        if on is not None:
            tree = planned.tree if planned else on.head.tree
            head = on.head.extended(tree, name, self.new_nonce())
            self._drafted = on.head, tree, name, head
            drafts[HEAD] = head.data
            if planned is not None:
                beside = [(self._public, planned.objects), self._loader.memory.ahead(replace(on.anchor, tree=tree))]
        stage(self._private, {staged_path(batch.size, name): data}, drafts, beside)
        return name

    def begin(self, keys: Sequence[VerifierKey], policy: Policy, admission: Admission, anchor: str) -> None:
        """Commit to the empty tree. If another run's head is there first, that one decides key, anchor and policies.

        keys     of the log, those that sign texts first
        anchor   the identity of the log's anchor, which is there
        """
        vkeys = tuple(key.vkey for key in keys)
        head = Head(keys[0].name, vkeys, policy.sha256, admission.sha256, anchor, self.new_nonce())
        self._private.create({policy_path(each.sha256): each.data for each in (policy, admission)})
        self._private.barrier()
        for _ in among_writers(self._clock):
            try:
                self._private.swap(HEAD, head.data, None)
            except OutcomeUnknown:
                continue  # if it was done, the next try raises Conflict
            except Conflict:
                pass  # a head is there, ours or another's: loading compares it with what is expected
            return
        raise OutcomeUnknown(f"{self._private.url}: no answer says whether the log was begun", hint="run init again")

    def freeze(self, state: State) -> None:
        """Swap in a head after which nothing can be added. The caller has to load it to know whether that was done."""
        with suppress(Conflict, OutcomeUnknown):
            self._private.swap(HEAD, state.head.closed(self.new_nonce()).data, state.version)

    def admit(self, state: State, admission: Admission) -> None:
        """Swap in a head that names another admission policy. The caller has to load it to know whether that was done.

        A run that dies before the swap leaves a policy that no head names, and the log admits what it admitted.
        """
        self._private.create({policy_path(admission.sha256): admission.data})
        self._private.barrier()
        with suppress(Conflict, OutcomeUnknown):
            self._private.swap(HEAD, state.head.admitting(admission.sha256, self.new_nonce()).data, state.version)

    def rekey(self, state: State, vkeys: Sequence[str], policy: Policy, batch: Batch) -> None:
        """Swap in a head that names other keys. The caller has to load it to know whether that was done.

        policy   the publishing policy for them
        batch    the statement that says so

        A run that dies before the swap leaves a policy and a batch that no head names, and the keys are what they were.
        """
        self._private.create({policy_path(policy.sha256): policy.data})
        name = self.stage(batch)
        head = state.head.rekeyed(tuple(vkeys), policy.sha256, name, self.new_nonce())
        with suppress(Conflict, OutcomeUnknown):
            self._private.swap(HEAD, head.data, state.version)

    def commit(self, state: State, tree: TreeHead, batch: Batch, name: str) -> Head | None:
        """Commit a batch by swapping the head. Return the new head; None if another writer was first.

        batch, name   what was staged, and its digest
        """
        head = self._commit(state, tree, batch, name)
        if head is None:  # what was prepared is of a tree that is not committed
            forget_drafts([self._public, self._loader.memory.store])
        return head

    def _commit(self, state: State, tree: TreeHead, batch: Batch, name: str) -> Head | None:
        drafted, self._drafted = self._drafted, None
        if drafted is not None and drafted[:3] == (state.head, tree, name):
            head = drafted[3]
        else:
            head = state.head.extended(tree, name, self.new_nonce())
        unsure, self.landed = False, None
        for _ in among_writers(self._clock):
            try:
                self.landed = self._private.swap(HEAD, head.data, state.version)
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
            now = self._loader.read_head()[0]
            if now.nonce == head.nonce:
                self._private.barrier()  # our head is there, but without an answer it may not last yet
                return True
            if now == state.head:
                return None
            if batch.took or batch.refused:
                return False  # another writer has emptied the inbox of these submissions, or left them there for us
            # our batch was committed if and only if what was committed since is built on our tree, which was published
            # for that; it may be as large as ours, where it only refuses submissions, or closes the log
            return now.base >= head.tree.size and self._tree.is_published(head.tree)
        except AccessError as error:
            raise OutcomeUnknown(f"it is not known whether the batch was committed: {error}", hint=_UNKNOWN) from error
