"""Signatures by public keys, an algorithm each: what `tiles.notes.keys` verifies with.

The algorithms are those of the package `cryptography`, which is imported when it is first needed. Ed25519 is verified
by the native part where that is installed, and by `tiles.notes.ed25519` where neither is (decisions 12 and 13). What
needs another algorithm raises ModuleNotFoundError without `cryptography`.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from tiles.errors import SignatureError, UsageError
from tiles.native import Ed25519Key, compiled

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_CT_CURVES = ("secp256r1",)
_KEYS = 64  # that are kept; whoever verifies has few, and uses them again and again
_RSA_BITS = range(2048, 8193)  # RFC 6962, 2.1.4: "a key of at least 2048 bits"


def verify_ed25519(public: bytes, message: bytes, signature: bytes) -> None:
    """Verify an Ed25519 signature. Raises SignatureError.

    RFC 8032 5.1.7 without the cofactor, R compared as bytes, any encoding of a key, also of small order: so do OpenSSL
    and BoringSSL, and therefore Node.js and Chromium; and the native part, in a third of OpenSSL's time.
    """
    if compiled is not None:
        key = _compiled_key(public)
        if key is None or not key.has_signed(message, signature):
            raise SignatureError("wrong Ed25519 signature")
        return
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        from tiles.notes import ed25519

        ed25519.verify(public, message, signature)
        return
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        raise SignatureError("wrong Ed25519 signature") from None


@lru_cache(maxsize=_KEYS)
def _compiled_key(public: bytes) -> Ed25519Key | None:
    """Return the key that the native part has made of these bytes; None if they are no key."""
    with suppress(ValueError):
        return compiled.Ed25519Key(public) if compiled else None
    return None


def verify_mldsa44(public: bytes, message: bytes, signature: bytes) -> None:
    """Verify an ML-DSA-44 signature, whose context is empty. Raises SignatureError."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        raise SignatureError("wrong ML-DSA-44 signature") from None


def verify_by_spki(spki: bytes, message: bytes, signature: bytes, *, of_ct: bool) -> None:
    """Verify a signature by the key in `spki`, over SHA-256 whatever the curve. Raises SignatureError, UsageError.

    The signature is an ASN.1 one, as in the implementation that signed-note refers to for ECDSA; or one of PKCS#1 v1.5.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256

    key = load_spki(spki, of_ct=of_ct)
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(signature, message, PKCS1v15(), SHA256())
        else:
            key.verify(signature, message, ECDSA(SHA256()))
    except InvalidSignature:
        raise SignatureError("wrong signature") from None


def load_spki(spki: bytes, *, of_ct: bool) -> EllipticCurvePublicKey | RSAPublicKey:
    """Return the key in `spki`. Raises UsageError unless it is one that logs sign with, in its canonical encoding.

    of_ct   a log of certificates: P-256 or RSA (RFC 6962, 2.1.4); other logs: one of three curves
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError("not a DER SubjectPublicKeyInfo") from None
    if isinstance(key, RSAPublicKey):
        known = of_ct and key.key_size in _RSA_BITS
    else:
        known = isinstance(key, EllipticCurvePublicKey) and key.curve.name in (_CT_CURVES if of_ct else _CURVES)
    if not known or not isinstance(key, EllipticCurvePublicKey | RSAPublicKey):
        allowed = "P-256, nor an RSA key of 2048 to 8192 bits" if of_ct else "P-256, P-384 or P-521"
        raise UsageError(f"not an ECDSA key on NIST {allowed}")
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
        raise UsageError("not the canonical encoding of its key")
    return key
