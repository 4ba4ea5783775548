"""The keys of a witness or a mirror, and the time of what they sign (https://c2sp.org/tlog-cosignature).

What is to be signed is for whoever has these to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tiles.errors import UsageError
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint
from tiles.notes.cosignature import Cosignature, cosign, verify_cosignature
from tiles.notes.keys import SigningKey, VerifierKey
from tiles.notes.note import Signature, claimed


class Cosigner:
    """Cosigns with all of its keys.

    keys   at least one, of types that cosign
    now    POSIX seconds
    Raises UsageError for the same public key twice ("multiple Ed25519 cosigners … MUST use distinct public keys").
    """

    def __init__(self, keys: Sequence[SigningKey], now: Callable[[], float]) -> None:
        self._keys = tuple(keys)
        if len({key.verifier.public for key in keys}) < len(self._keys):
            raise UsageError("a cosigner has each key once, and under one name")
        self._now = now

    @property
    def verifiers(self) -> list[VerifierKey]:
        """The keys that verify what it signs."""
        return [key.verifier for key in self._keys]

    def own(self, signed: SignedCheckpoint) -> list[Cosignature]:
        """Return its own cosignatures of a checkpoint. Raises SignatureError if one that claims to be is wrong."""
        return [verify_cosignature(signed.checkpoint, line, key) for line, key in claimed(signed.note, self.verifiers)]

    def time_after(self, last: int) -> int:
        """Return the time of a new cosignature, which is never earlier than the last one, and never 0."""
        return max(int(self._now()), last, 1)

    def lines(self, checkpoint: Checkpoint, time: int) -> tuple[Signature, ...]:
        """Return a cosignature by each key."""
        return tuple(cosign(checkpoint, key, time) for key in self._keys)
