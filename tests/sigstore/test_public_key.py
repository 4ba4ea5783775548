"""Keys that sign artifacts: which are taken, what each signs, and why others are refused."""

from __future__ import annotations

from base64 import encodebytes
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.key_texts import COMPRESSED
from tests.support.signed_bundles import HASHES, public, signed, signer
from tiles.errors import Malformed, SignatureError, UsageError
from tiles.sigstore.public_key import DETAILS, parse_public_key, verify_digest

FORMAT = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def spki(key: Any) -> bytes:
    """Return a public key as DER."""
    return bytes(key.public_key().public_bytes(*FORMAT))


def pem(der: bytes, label: str = "PUBLIC KEY") -> bytes:
    """Return DER as PEM."""
    return b"-----BEGIN %s-----\n%s-----END %s-----\n" % (label.encode(), encodebytes(der), label.encode())


CURVES = {
    ec.SECP256R1: "PKIX_ECDSA_P256_SHA_256",
    ec.SECP384R1: "PKIX_ECDSA_P384_SHA_384",
    ec.SECP521R1: "PKIX_ECDSA_P521_SHA_512",
}


@pytest.mark.parametrize(("curve", "details"), CURVES.items(), ids=CURVES.values())
def test_curves(curve: type[ec.EllipticCurve], details: str) -> None:
    """Each curve has its details and its hash; PEM and DER are the same key; a wrong signature is refused."""
    private = signer(5, curve)
    key = public(private)
    assert key.details == details
    assert key.hint == sha256(key.spki).digest()
    assert parse_public_key(key.pem) == parse_public_key(key.pem.replace(b"\n", b"\r\n")) == key
    algorithm, digest, signature = signed(private, b"message")
    assert algorithm == key.algorithm == DETAILS[details]
    verify_digest(key, digest, signature)
    with pytest.raises(SignatureError, match=f"wrong signature by the key {key.hint.hex()}"):
        verify_digest(key, HASHES[algorithm](b"another").digest(), signature)
    with pytest.raises(SignatureError):
        verify_digest(public(signer(6, curve)), digest, signature)
    with pytest.raises(UsageError, match="are no digest of SHA2_"):
        verify_digest(key, digest[:-1], signature)


def test_rsa() -> None:
    """RSA with PKCS#1 v1.5; the same key used with PSS does not verify."""
    private = rsa.generate_private_key(65537, 2048)
    key = parse_public_key(spki(private))
    assert (key.details, key.algorithm) == ("PKIX_RSA_PKCS1V15_2048_SHA256", "SHA2_256")
    digest = sha256(b"message").digest()
    verify_digest(key, digest, private.sign(digest, padding.PKCS1v15(), Prehashed(SHA256())))
    pss = padding.PSS(padding.MGF1(SHA256()), 32)
    with pytest.raises(SignatureError):
        verify_digest(key, digest, private.sign(digest, pss, Prehashed(SHA256())))


P256 = spki(signer())
RSA = rsa.RSAPublicNumbers(65537, (1 << 2047) + 1).public_key().public_bytes(*FORMAT)
# RFC 4055 section 1.2: the same key, for PSS only, and without parameters
PSS = (
    b"\x30\x82"
    + (len(RSA) - 6).to_bytes(2, "big")
    + RSA[4:].replace(bytes.fromhex("300d06092a864886f70d0101010500"), bytes.fromhex("300b06092a864886f70d01010a"))
)
REFUSED: dict[str, tuple[bytes, str]] = {
    "Ed25519": (spki(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))), "Ed25519, which signs no digest"),
    "RSA-PSS": (PSS, "RSA-PSS, which Rekor does not take"),
    "RSA-PSS in PEM": (pem(PSS), "RSA-PSS, which Rekor does not take"),
    "RSA of 1024 bits": (
        rsa.RSAPublicNumbers(65537, (1 << 1023) + 1).public_key().public_bytes(*FORMAT),
        "RSA of 1024 bits; Rekor takes 2048, 3072 and 4096",
    ),
    "secp256k1": (spki(ec.derive_private_key(3, ec.SECP256K1())), "on a curve that Rekor does not take"),
    "a certificate": (pem(P256, "CERTIFICATE"), "PEM of something else than a PUBLIC KEY: 'CERTIFICATE'"),
    "two in one file": (2 * pem(P256), "not one PEM text"),
    "text around it": (b"key:\n" + pem(P256), "not the public key of any known kind"),
    "trailing byte": (P256 + b"\0", "not the public key"),
    "a compressed point": (COMPRESSED, "not the canonical encoding of its key"),
    "cut": (P256[:-1], "not the public key of any known kind"),
    "nothing": (b"", "not the public key of any known kind"),
    "PEM of nothing": (pem(b""), "not one PEM text"),
    "too long": (bytes(17_000), "more than 16384 bytes"),
    "a point": (
        signer().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        "not the public key",
    ),
}


@pytest.mark.parametrize(("data", "problem"), REFUSED.values(), ids=REFUSED)
def test_refused(data: bytes, problem: str) -> None:
    """Malformed, which says why."""
    with pytest.raises(Malformed, match=problem):
        parse_public_key(data)
