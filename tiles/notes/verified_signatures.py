"""Which of some keys have signed a checkpoint (https://c2sp.org/tlog-checkpoint, "Signatures")."""

from __future__ import annotations

from tiles.errors import SignatureError
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint
from tiles.notes.cosignature import Cosignature, verify_cosignature
from tiles.notes.keys import SIGNS_TEXT, SignatureType, VerifierKey
from tiles.notes.note import Signature, claimed


def verified_signatures(
    signed: SignedCheckpoint, keys: list[VerifierKey]
) -> list[tuple[VerifierKey, Cosignature | None]]:
    """Return the keys that signed, in the order of the note, each with its cosignature if its type makes one.

    Raises SignatureError if a signature by one of them is wrong.
    """
    found: list[tuple[VerifierKey, Cosignature | None]] = []
    for signature, key in claimed(signed.note, keys):
        try:
            found.append((key, verify_line(signed.checkpoint, signature, key)))
        except SignatureError as error:
            raise SignatureError(error.message, evidence={"note": signed.data}) from None
    return found


def verify_line(checkpoint: Checkpoint, line: Signature, key: VerifierKey) -> Cosignature | None:
    """Verify one signature of a checkpoint as its key's type demands; return the cosignature, if that makes one.

    Raises SignatureError.
    """
    if key.type in SIGNS_TEXT:
        key.verify(checkpoint.text, line.signature)
        return None
    if key.type == SignatureType.RFC6962:
        from tiles.notes.tree_head_signature import verify_tree_head  # slow to import, and for few logs

        verify_tree_head(checkpoint, line, key)
        return None
    return verify_cosignature(checkpoint, line, key)
