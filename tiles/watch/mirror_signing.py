"""The mirror's cosignature (https://c2sp.org/tlog-mirror): it says that all of a tree is stored here, and lasts.

A mirror remembers nothing but what it publishes: the checkpoint with its cosignature is its state. So a signature is
made only for a tree that extends the published one, and leaves this process only by the compare-and-swap that replaces
exactly that one. A signature whose swap did not happen was shown to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tiles.errors import ProofError, Refused, SignatureError, UsageError
from tiles.notes.checkpoint import SignedCheckpoint, with_signatures
from tiles.notes.cosignature import Cosignature
from tiles.notes.keys import SIGNS_CHECKPOINT, SigningKey
from tiles.notes.note import MAX_SIGNATURES
from tiles.tree.merkle import Hash
from tiles.tree.proof import verify_consistency
from tiles.watch.cosigner import Cosigner


class MirrorSigner:
    """Signs what a mirror publishes.

    verifier   the key that verifies what it signs
    key   of the mirror: a cosigner's, of the types 0x04 and 0x06
    now   POSIX seconds

    Raises UsageError for a key that does not cosign.
    """

    def __init__(self, key: SigningKey, now: Callable[[], float]) -> None:
        if key.verifier.type not in SIGNS_CHECKPOINT:
            raise UsageError(
                f"{key.verifier} signs notes, and a mirror cosigns",
                hint="its key has the signature type 0x04 or 0x06 (tlog-cosignature)",
            )
        self.verifier = key.verifier
        self._cosigner = Cosigner([key], now)

    def own(self, signed: SignedCheckpoint) -> Cosignature | None:
        """Return the mirror's own cosignature of a checkpoint, the latest one; None if there is none.

        Raises SignatureError for a line that claims to be one and is not.
        """
        return max(self._cosigner.own(signed), key=lambda each: each.timestamp, default=None)

    def sign(self, signed: SignedCheckpoint, since: SignedCheckpoint | None, proof: Sequence[Hash]) -> SignedCheckpoint:
        """Return a log's checkpoint with the mirror's cosignature, to be published instead of `since`.

        The caller has stored all of the tree, and it lasts.
        since   what the mirror publishes now; None: nothing
        proof   the consistency proof from that tree to this one

        Times never go back: if the clock does, the last time is used again.
        Raises Refused unless the tree extends that of `since`; SignatureError as `own` does.
        """
        last = 0
        if since is not None:
            if since.origin != signed.origin:
                raise Refused(f"the mirror publishes {since.origin}, and this is {signed.origin}; nothing was signed")
            try:
                verify_consistency(since.tree, signed.tree, proof)
            except (ProofError, UsageError) as error:  # UsageError: a smaller tree
                raise Refused(
                    f"the tree of {signed.tree} does not extend the one of {since.tree} that the mirror publishes: "
                    f"{error.message}; nothing was signed"
                ) from error
            own = self.own(since)
            last = own.timestamp if own else 0
        lines = self._cosigner.lines(signed.checkpoint, self._cosigner.time_after(last))
        others = [each for each in signed.note.signatures if not each.claims(self.verifier)]
        if len(others) >= MAX_SIGNATURES:
            raise SignatureError(f"the checkpoint has {len(others)} signatures, and leaves no room for the mirror's")
        return with_signatures(signed.checkpoint, [*others, *lines])
