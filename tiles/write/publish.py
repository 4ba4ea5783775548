"""From a committed tree to its published checkpoint: write, sign, cosign, publish.

Steps 6 to 9 of the commit (docs/data-flow.md). The run that committed a tree takes them, or a later run if it died.
Each step finds what was done already and does the rest, with the same bytes.
"""

from __future__ import annotations

from contextlib import suppress

from tiles.errors import AccessError, Conflict, OutcomeUnknown, Refused
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.retry import Clock, among_writers
from tiles.signing.signer import Signer
from tiles.store import Store
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import EMPTY_TREE, TreeHead
from tiles.tree.plan import Plan
from tiles.write.cosign import cosign
from tiles.write.load import State
from tiles.write.own_tree import OwnTree


class Overtaken(Exception):
    """The anchor is larger than the tree at hand: another writer has published that tree, and committed another."""


class Publisher:
    """Takes committed trees of one log to publication."""

    def __init__(self, public: Store, signer: Signer, tree: OwnTree, clock: Clock) -> None:
        self._public = public
        self._signer = signer
        self._tree = tree
        self._clock = clock

    def publish(self, state: State, planned: Plan | None, tree: TreeHead) -> SignedCheckpoint:
        """Take a committed tree from its plan (None: it has no new entries) to its published checkpoint."""
        if planned is not None:
            self._write(planned)
        signed = cosign(self._sign(tree, planned, state.anchor), state.policy)
        self._swap(signed, state)
        return signed

    def _write(self, planned: Plan) -> None:
        self._public.create(planned.objects)
        self._public.barrier()

    def _sign(self, tree: TreeHead, planned: Plan | None, anchor: TreeHead | None) -> SignedCheckpoint:
        """Sign a committed tree. anchor: the tree head that the anchor held when the log was loaded."""
        for attempt in among_writers(self._clock):
            if attempt:
                anchor = self._signer.memory.recall()[0]
            since = anchor or EMPTY_TREE
            if since.size > tree.size:
                raise Overtaken
            proof = self._tree.prove(since, tree, planned)
            with suppress(Conflict, OutcomeUnknown):  # then the anchor is read again, and decides
                return self._signer.sign(tree, since, proof)
        raise AccessError(f"{self._signer.memory.store.url}: the anchor kept moving")

    def _swap(self, signed: SignedCheckpoint, state: State) -> None:
        version = state.published_version
        for _ in among_writers(self._clock):
            try:
                self._public.swap(CHECKPOINT, signed.data, version)
            except (Conflict, OutcomeUnknown):
                found, version = self._tree.read_checkpoint()
                if found is None or found.tree.size < signed.tree.size:
                    continue
                if found.tree.size == signed.tree.size and found.tree != signed.tree:
                    raise Refused(f"the published tree is {found.tree}, the committed one {signed.tree}") from None
                return
            else:
                return
        raise AccessError(f"{self._public.url}/{CHECKPOINT} kept changing")
