"""A signer with a memory of its own, and trees for it to sign."""

from __future__ import annotations

from tests.support.reference import full_tree
from tests.support.world import ORIGIN, recording_key
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.signing.anchor import AnchorMemory
from tiles.signing.signer import Signer
from tiles.store.memory import MemoryStore
from tiles.tree.merkle import TreeHead

TREE = full_tree(70)


class Case:
    """A signer with a fresh memory, and all that its key has signed."""

    def __init__(self) -> None:
        self.store = MemoryStore("anchor")
        self.key = recording_key()
        self.signer = Signer(self.key, self.store)

    def sign(self, old: int, new: int) -> SignedCheckpoint:
        """Sign the tree of size `new`, which extends the one of size `old`."""
        return self.signer.sign(TREE.head(new), TREE.head(old), TREE.proof(old, new) if old else [])

    def remembered(self) -> TreeHead | None:
        """Return what is in the memory."""
        return AnchorMemory(ORIGIN, self.store).recall()[0]
