"""ECDSA and RSA keys, each a DER SubjectPublicKeyInfo (RFC 5280, 4.1.2.7): which of them logs sign with.

`tiles.notes.keys` imports this for such a key only. What it needs takes as long to import as all else that verifies a
proof, and few logs have one.
"""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from tiles.errors import UsageError

_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_CT_CURVES = (ec.SECP256R1,)
_RSA_BITS = range(2048, 8193)  # RFC 6962, 2.1.4: "a key of at least 2048 bits"


def verify_by_spki(spki: bytes, message: bytes, signature: bytes, *, of_ct: bool) -> None:
    """Verify a signature over message. Raises InvalidSignature; UsageError as `load_spki` does."""
    key = load_spki(spki, of_ct=of_ct)
    # SHA-256 for every curve, ASN.1 signature: as in the implementation signed-note refers to for 0x02
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, message, PKCS1v15(), SHA256())
    else:
        key.verify(signature, message, ec.ECDSA(SHA256()))


def load_spki(spki: bytes, *, of_ct: bool) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    """Return the key in `spki`. Raises UsageError unless it is one that logs sign with, in its canonical encoding.

    of_ct   a log of certificates: P-256 or RSA (RFC 6962, 2.1.4); other logs: one of three curves
    """
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError("not a DER SubjectPublicKeyInfo") from None
    if isinstance(key, rsa.RSAPublicKey):
        known = of_ct and key.key_size in _RSA_BITS
    else:
        known = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CT_CURVES if of_ct else _CURVES)
    if not known or not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        allowed = "P-256, nor an RSA key of 2048 to 8192 bits" if of_ct else "P-256, P-384 or P-521"
        raise UsageError(f"not an ECDSA key on NIST {allowed}")
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
        raise UsageError("not the canonical encoding of its key")
    return key
