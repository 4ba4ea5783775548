"""The signer: it checks a tree against its anchor, moves the anchor, and signs, always in this order.

It keeps one tree head per log, the *anchor*, in a store of its own, by compare-and-swap. A checkpoint is signed only
if a consistency proof shows that its tree extends the anchor's, and only after the anchor holds that tree:

- dies before the swap: nothing happened;
- dies after it: the next run proves the same tree consistent with itself and signs the same text;
- storage put back to an older copy: the tree no longer extends the anchor, and nothing is signed.
"""

from __future__ import annotations

from collections.abc import Sequence

from tiles.errors import Conflict, ProofError, Refused, UsageError
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint, sign_checkpoint
from tiles.notes.keys import SigningKey, VerifierKey, check_origin
from tiles.signing.anchor import AnchorMemory
from tiles.store import Store
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead
from tiles.tree.proof import verify_consistency


class Signer:
    """Signs checkpoints of one log. The key's name is the log's origin.

    Raises UsageError for a name that no log of ours can have: nothing was written then.
    """

    def __init__(self, key: SigningKey, store: Store) -> None:
        check_origin(key.verifier.name)
        self._key = key
        self.memory = AnchorMemory(key.verifier.name, store)

    @property
    def verifier(self) -> VerifierKey:
        """The key that verifies what it signs."""
        return self._key.verifier

    def sign(self, tree: TreeHead, since: TreeHead, proof: Sequence[Hash]) -> SignedCheckpoint:
        """Return the signed checkpoint of `tree`, which `proof` shows to extend `since`, the anchor's tree.

        Raises Conflict if the anchor is another by now, Refused if the tree does not extend it.
        """
        remembered, version = self.memory.recall()
        if (remembered or EMPTY_TREE) != since:
            raise Conflict(f"{self.memory.store.url}: the anchor has moved on from {since}")
        try:
            verify_consistency(since, tree, proof)
        except (ProofError, UsageError) as error:  # UsageError: a smaller tree
            raise Refused(
                f"the tree of {tree} does not extend the one of {since} that was signed before: {error.message}",
                hint="storage was changed or put back; nothing was signed",
            ) from error
        if remembered == tree:
            self.memory.store.barrier()  # the anchor may not last yet: the run that moved it may have died right after
        else:
            self.memory.move(tree, version)
        return sign_checkpoint(Checkpoint(self.memory.origin, tree), self._key)
