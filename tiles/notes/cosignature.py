"""Cosignatures (https://c2sp.org/tlog-cosignature): timestamped statements about a tree.

There are two kinds. Both are note signatures that hold a big-endian 64-bit POSIX timestamp and the raw signature.
Ed25519 (0x04) signs the checkpoint's whole text; ML-DSA-44 (0x06) signs a structure of cosigner, time, origin, size
and root, without the extension lines. A log may sign its own checkpoints with either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tiles.errors import Malformed, SignatureError, UsageError
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint, parse_checkpoint, sign_checkpoint, with_signatures
from tiles.notes.encoding import decode_decimal
from tiles.notes.keys import SIGNS_CHECKPOINT, SignatureType, SigningKey, VerifierKey
from tiles.notes.note import Signature

MAX_TIMESTAMP = 2**63 - 1  # seconds since the epoch; "Format": "It MUST NOT exceed 2^63 - 1"
MAX_ORIGIN = 255  # bytes; "ML-DSA-44 signed message": opaque log_origin<1..2^8-1>

_WHAT = "message of an Ed25519 cosignature"
_HEADER, _TIME = b"cosignature/v1", b"time "
_TIMESTAMP_SIZE = 8  # bytes
_RAW_SIZE = {SignatureType.COSIGNATURE: 64, SignatureType.MLDSA44: 2420}  # bytes


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A verified cosignature.

    timestamp   0 ≤ t ≤ MAX_TIMESTAMP, POSIX seconds, by the cosigner's clock; 0 from an ML-DSA-44 cosigner says
                nothing about the time, nor that this was the largest tree it had seen
    """

    key: VerifierKey
    timestamp: int


def verify_cosignature(checkpoint: Checkpoint, signature: Signature, key: VerifierKey) -> Cosignature:
    """Return the cosignature that `key` made over the checkpoint, verified.

    Raises SignatureError if the line is not by this key, or wrong; UsageError if the key is not of a cosigning type.
    """
    _check_type(key)
    if not signature.claims(key):
        raise _wrong(checkpoint, signature, f"the signature line is not by {key}")
    timestamp = int.from_bytes(signature.signature[:_TIMESTAMP_SIZE], "big")
    raw = signature.signature[_TIMESTAMP_SIZE:]
    if len(raw) != _RAW_SIZE[key.type]:
        raise _wrong(checkpoint, signature, f"wrong signature by {key}: {len(signature.signature)} bytes")
    if timestamp > MAX_TIMESTAMP:
        raise _wrong(checkpoint, signature, f"wrong signature by {key}: timestamp above {MAX_TIMESTAMP}")
    try:
        key.verify(_message(checkpoint, key, timestamp), raw)
    except (SignatureError, UsageError) as error:  # UsageError: the origin is too long, so nobody can have signed it
        raise _wrong(checkpoint, signature, error.message) from None
    return Cosignature(key, timestamp)


def cosign(checkpoint: Checkpoint, key: SigningKey, timestamp: int) -> Signature:
    """Return the signature line of `key` over the checkpoint at a time, 0 ≤ timestamp ≤ MAX_TIMESTAMP (POSIX seconds).

    A cosignature states that this tree extends every tree that the key signed before for this origin: check that first.
    Raises UsageError if the key is not of a cosigning type, the time out of range, or the origin too long to be signed.
    """
    _check_type(key.verifier)
    if not 0 <= timestamp <= MAX_TIMESTAMP:
        raise UsageError(f"a timestamp is between 0 and {MAX_TIMESTAMP}, not {timestamp}")
    raw = key.sign(_message(checkpoint, key.verifier, timestamp))
    return Signature(key.verifier.name, key.verifier.key_id, timestamp.to_bytes(_TIMESTAMP_SIZE, "big") + raw)


def sign_by_all(checkpoint: Checkpoint, keys: Iterable[SigningKey]) -> SignedCheckpoint:
    """Return the checkpoint, signed by all keys of its log, in this order.

    An ML-DSA-44 key signs at the time 0, so that one tree is signed in the same words at all times ("These
    two values MAY be zero"). Raises UsageError as `sign_checkpoint` does, and for a COSIGNATURE key: that one would
    have to know the time.
    """
    signatures: list[Signature] = []
    for key in keys:
        if key.verifier.type == SignatureType.MLDSA44 and key.verifier.name == checkpoint.origin:
            signatures.append(cosign(checkpoint, key, 0))
        else:
            signatures.extend(sign_checkpoint(checkpoint, key).note.signatures)
    return with_signatures(checkpoint, signatures)


def parse_ed25519_message(message: bytes) -> tuple[Checkpoint, int]:
    """Return what is stated by the message of an Ed25519 cosignature ("Ed25519 signed message"): checkpoint and time.

    Raises Malformed for anything else. By this a key that signs cosignatures only tells what it is given.
    """
    header, time, text = (*message.split(b"\n", 2), b"", b"")[:3]
    if header != _HEADER or not time.startswith(_TIME):
        raise Malformed(_WHAT, "does not begin with its header and a time", message)
    timestamp = decode_decimal(time.removeprefix(_TIME).decode("ascii", "replace"), f"{_WHAT}, time")
    if timestamp > MAX_TIMESTAMP:
        raise Malformed(_WHAT, f"time above {MAX_TIMESTAMP}", timestamp)
    return parse_checkpoint(text), timestamp  # both are in canonical form, or malformed


def _ed25519_message(checkpoint: Checkpoint, timestamp: int) -> bytes:
    return b"%s\n%s%d\n%s" % (_HEADER, _TIME, timestamp, checkpoint.text)


def _message(checkpoint: Checkpoint, key: VerifierKey, timestamp: int) -> bytes:
    if key.type == SignatureType.COSIGNATURE:  # "Ed25519 signed message"
        return _ed25519_message(checkpoint, timestamp)
    # "ML-DSA-44 signed message": struct cosigned_message; of a checkpoint, start is zero and end is the size
    origin = checkpoint.origin.encode()
    if len(origin) > MAX_ORIGIN:
        raise UsageError(f"ML-DSA-44 signs origins of at most {MAX_ORIGIN} bytes, this one has {len(origin)}")
    return b"".join(
        (
            b"subtree/v1\n\0",
            _opaque(key.name.encode()),
            timestamp.to_bytes(8, "big"),
            _opaque(origin),
            (0).to_bytes(8, "big"),
            checkpoint.tree.size.to_bytes(8, "big"),
            checkpoint.tree.root,
        )
    )


def _opaque(data: bytes) -> bytes:
    """Return opaque<1..2^8-1> (RFC 8446 section 3.4): a length byte, and the data."""
    return bytes([len(data)]) + data


def _check_type(key: VerifierKey) -> None:
    if key.type not in SIGNS_CHECKPOINT:
        raise UsageError(f"{key} signs the text of notes, it does not cosign")


def _wrong(checkpoint: Checkpoint, signature: Signature, message: str) -> SignatureError:
    return SignatureError(message, evidence={"checkpoint": checkpoint.text, "signature": signature.line.encode()})
