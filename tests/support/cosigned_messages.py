"""What the signatures of a witness are over, from the specification."""

from __future__ import annotations

from tiles.notes.checkpoint import Checkpoint
from tiles.tree.merkle import TreeHead


def ed25519_message(timestamp: int, checkpoint: Checkpoint) -> bytes:
    """Return the message of tlog-cosignature, "Ed25519 signed message"."""
    return b"cosignature/v1\ntime %d\n" % timestamp + checkpoint.text


def ml_dsa_message(name: bytes, timestamp: int, origin: bytes, tree: TreeHead) -> bytes:
    """Return the message of tlog-cosignature, "ML-DSA-44 signed message"."""
    message = b"subtree/v1\n\x00"
    message += len(name).to_bytes(1, "big") + name
    message += timestamp.to_bytes(8, "big")
    message += len(origin).to_bytes(1, "big") + origin
    message += b"\0\0\0\0\0\0\0\0" + tree.size.to_bytes(8, "big")
    return message + tree.root
