"""Which of some keys have signed a checkpoint (https://c2sp.org/tlog-checkpoint, "Signatures")."""

from __future__ import annotations

from tiles.errors import SignatureError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.cosignature import Cosignature, verify_cosignature
from tiles.notes.keys import SIGNS_TEXT, SignatureType, VerifierKey
from tiles.notes.note import claimed
from tiles.notes.tree_head_signature import verify_tree_head


def verified_signatures(
    signed: SignedCheckpoint, keys: list[VerifierKey]
) -> list[tuple[VerifierKey, Cosignature | None]]:
    """Return the keys that signed, in the order of the note, each with its cosignature if its type makes one.

    Raises SignatureError if a signature by one of them is wrong.
    """
    found: list[tuple[VerifierKey, Cosignature | None]] = []
    for signature, key in claimed(signed.note, keys):
        try:
            if key.type in SIGNS_TEXT:
                key.verify(signed.note.text, signature.signature)
                found.append((key, None))
            elif key.type == SignatureType.RFC6962:
                verify_tree_head(signed.checkpoint, signature, key)
                found.append((key, None))
            else:
                found.append((key, verify_cosignature(signed.checkpoint, signature, key)))
        except SignatureError as error:
            raise SignatureError(error.message, evidence={"note": signed.data}) from None
    return found
