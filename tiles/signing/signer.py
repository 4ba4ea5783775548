"""The signer: check what it remembers, move its memory, sign. In this order, and nothing else is ever signed.

It remembers one tree head per log, the *anchor*, in a store of its own, by compare-and-swap. A checkpoint is signed
only if its tree extends the anchor's, shown by a consistency proof, and only after the anchor holds that tree:

- dies before the swap: nothing happened;
- dies after it: the next run proves the same tree consistent with itself and signs the same text;
- storage put back to an older copy: the tree no longer extends the anchor, and nothing is signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tiles.errors import Conflict, Malformed, NotFound, ProofError, Refused, UsageError
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint, sign_checkpoint
from tiles.notes.encoding import encode_base64
from tiles.notes.keys import SigningKey, VerifierKey
from tiles.records.fields import MAX_RECORD_SIZE, format_record, parse_record, parse_tree
from tiles.records.paths import ANCHOR
from tiles.store import Store, Version
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead
from tiles.tree.proof import verify_consistency

TITLE = "tiletree-anchor/v1"
_NAMES = ("origin", "size", "root")


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the signer remembers: the largest tree of `origin` that it ever agreed to sign."""

    origin: str
    tree: TreeHead

    @property
    def data(self) -> bytes:
        """The record, as it is stored."""
        values = (self.origin, str(self.tree.size), encode_base64(self.tree.root))
        return format_record(TITLE, list(zip(_NAMES, values, strict=True)))


def parse_anchor(data: bytes) -> Anchor:
    """Return the anchor that `Anchor.data` made the bytes of. Raises Malformed for anything else."""
    origin, size, root = parse_record(TITLE, data, _NAMES)
    anchor = Anchor(origin, parse_tree(TITLE, size, root))
    if anchor.data != data:
        raise Malformed(TITLE, "not in canonical form", data)
    return anchor


class Memory:
    """The anchor of one log, in the store that keeps it."""

    def __init__(self, origin: str, store: Store) -> None:
        self.origin = origin
        self.store = store

    def recall(self) -> tuple[TreeHead | None, Version | None]:
        """Return the anchor's tree and its version; a pair of None if nothing was ever signed with this memory.

        Raises Refused if the anchor is another log's.
        """
        try:
            stored = self.store.read(ANCHOR, MAX_RECORD_SIZE)
        except NotFound:
            return None, None
        anchor = parse_anchor(stored.data)
        if anchor.origin != self.origin:
            raise Refused(
                f"the anchor at {self.store.url} is of the log {anchor.origin}, not of {self.origin}",
                hint="give each log an anchor of its own",
            )
        return anchor.tree, stored.version

    def move(self, tree: TreeHead, version: Version | None) -> None:
        """Replace what was recalled at `version`. It lasts on return. Raises Conflict if it is not that any more."""
        self.store.swap(ANCHOR, Anchor(self.origin, tree).data, version)


class Signer:
    """Signs checkpoints of one log. The key's name is the log's origin."""

    def __init__(self, key: SigningKey, store: Store) -> None:
        self._key = key
        self.memory = Memory(key.name, store)

    @property
    def verifier(self) -> VerifierKey:
        """The key that verifies what it signs."""
        return self._key.verifier

    def sign(self, tree: TreeHead, since: TreeHead, proof: Sequence[Hash]) -> SignedCheckpoint:
        """Return the signed checkpoint of `tree`, which `proof` shows to extend `since`, what is remembered.

        Raises Conflict if something else is remembered by now, Refused if the tree does not extend it.
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
            self.memory.store.barrier()  # it is there, and may not last yet: whoever moved it may have died right after
        else:
            self.memory.move(tree, version)
        return sign_checkpoint(Checkpoint(self.memory.origin, tree), self._key)
