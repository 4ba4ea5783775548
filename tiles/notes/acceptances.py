"""What was accepted, for who verifies many proofs: many are of one checkpoint, whose signatures cost most.

A value of this lives as long as one call, or one batch of proofs. What it holds follows from exact bytes and from whose
signatures are asked for, and from nothing else: it can be neither old nor of somebody else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.keys import VerifierKey
from tiles.notes.note import Note, Signature, verify_note
from tiles.notes.policy import Accepted, Policy

Result = TypeVar("Result")

MOST = 16  # texts that are kept, each of at most MAX_NOTE_SIZE bytes: proofs of one run come one after the other


class Acceptances:
    """Verifies checkpoints as `Policy.accept` and `verify_note` do, the same one for the same asker only once."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, Policy | VerifierKey], Any] = {}

    def accept(self, policy: Policy, signed: SignedCheckpoint) -> Accepted:
        """Return the checkpoint, accepted. Raises as `Policy.accept` does, and then keeps nothing."""
        return self._once((signed.data, policy), lambda: policy.accept(signed))

    def verify_note(self, note: Note, key: VerifierKey) -> tuple[Signature, ...]:
        """Return the signatures of a note by a key, verified. Raises as `verify_note` does, and then keeps nothing."""
        return self._once((note.data, key), lambda: verify_note(note, [key]))

    def _once(self, key: tuple[bytes, Policy | VerifierKey], verify: Callable[[], Result]) -> Result:
        if key not in self._known:
            found = verify()
            while len(self._known) >= MOST:
                del self._known[next(iter(self._known))]
            self._known[key] = found
        known: Result = self._known[key]
        return known
