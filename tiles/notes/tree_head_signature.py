"""Tree heads of certificate logs, signed in a note (https://c2sp.org/static-ct-api, "Checkpoints"; RFC 6962, 3.5).

    uint64 timestamp                                    milliseconds since 1970
    0x04, 0x03 or 0x01                                  SHA-256; ECDSA or RSA
    opaque signature<0..2^16-1>

What is signed is the timestamp, the tree size and the root: not the origin, and no extension lines.
"""

from __future__ import annotations

from tiles.errors import SignatureError
from tiles.notes.checkpoint import Checkpoint
from tiles.notes.keys import SignatureType, VerifierKey
from tiles.notes.note import Signature

_HEAD_SIZE = 8 + 2 + 2  # bytes before the signature
_SHA256 = 4  # RFC 5246, 7.4.1.4.1: HashAlgorithm
_RSA, _ECDSA = 1, 3  # SignatureAlgorithm


def verify_tree_head(checkpoint: Checkpoint, signature: Signature, key: VerifierKey) -> int:
    """Return the time, in milliseconds since 1970, at which a log says that it signed this tree head.

    The key's name has to be the origin: "The key name of the signature line MUST match the checkpoint origin line". No
    signature of this type is over an origin, so nothing else would tie the two together.
    Raises SignatureError.
    """
    if key.type != SignatureType.RFC6962:
        raise SignatureError(f"{key} does not sign tree heads of RFC 6962")
    if key.name != checkpoint.origin:
        raise SignatureError(f"a tree head by {key} is under the origin {checkpoint.origin!r}, which is not its name")
    if checkpoint.extensions:  # "A checkpoint signed with this algorithm MUST NOT include any extension lines"
        raise SignatureError(f"extension lines are in a checkpoint by {key}, which signs none")
    found = split(signature.signature)
    if found is None:
        raise SignatureError(f"malformed signature by {key}: it is no timestamped signature of RFC 6962")
    timestamp, algorithm, raw = found
    if algorithm != (_ECDSA if _is_ecdsa(key) else _RSA):
        raise SignatureError(f"wrong signature by {key}: it says that it is made by another kind of key")
    key.verify(signed_bytes(checkpoint, timestamp), raw)
    return timestamp


def split(data: bytes) -> tuple[int, int, bytes] | None:
    """Return timestamp, signature algorithm and signature in an RFC6962NoteSignature; None if it is none."""
    size = int.from_bytes(data[_HEAD_SIZE - 2 : _HEAD_SIZE], "big")
    if len(data) != _HEAD_SIZE + size or not size or data[8] != _SHA256 or data[9] not in (_RSA, _ECDSA):
        return None
    return int.from_bytes(data[:8], "big"), data[9], data[_HEAD_SIZE:]


def signed_bytes(checkpoint: Checkpoint, timestamp: int) -> bytes:
    """Return what is signed: a TreeHeadSignature of version v1 and type tree_hash."""
    tree = checkpoint.tree
    return b"\x00\x01" + timestamp.to_bytes(8, "big") + tree.size.to_bytes(8, "big") + tree.root


def _is_ecdsa(key: VerifierKey) -> bool:
    from cryptography.hazmat.primitives.asymmetric import ec  # slow, and few logs have such a key
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    return isinstance(load_der_public_key(key.public), ec.EllipticCurvePublicKey)
