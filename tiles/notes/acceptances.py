"""What policies have accepted, for who verifies many proofs: many are of one checkpoint, whose signatures cost most.

A value of this lives as long as one call, or one batch of proofs. What it holds follows from exact bytes and from a
policy alone, so that it can be neither old nor of somebody else.
"""

from __future__ import annotations

from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.policy import Accepted, Policy

MOST = 16  # checkpoints that are kept, each of at most MAX_NOTE_SIZE bytes: proofs of one run come one after the other


class Acceptances:
    """Accepts checkpoints as `Policy.accept` does, and the same one by the same policy only once."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, Policy], Accepted] = {}

    def accept(self, policy: Policy, signed: SignedCheckpoint) -> Accepted:
        """Return the checkpoint, accepted. Raises as `Policy.accept` does, and then keeps nothing."""
        key = signed.data, policy
        if (known := self._known.get(key)) is None:
            known = policy.accept(signed)
            while len(self._known) >= MOST:
                del self._known[next(iter(self._known))]
            self._known[key] = known
        return known
