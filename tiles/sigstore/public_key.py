"""Keys that sign artifacts, as Rekor v2 takes them (https://github.com/sigstore/rekor-tiles, algorithmregistry.go).

Which hash a signature is over follows from the key alone (`DETAILS`), so that nobody can choose a weaker one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from tiles.errors import Malformed, SignatureError, UsageError
from tiles.notes.encoding import encode_base64

MAX_KEY_SIZE = 16 * 1024  # bytes of a key file
DIGEST_SIZES = {"SHA2_256": 32, "SHA2_384": 48, "SHA2_512": 64}  # bytes, by the names of algorithms

# keyDetails → the algorithm of the digest that is signed
DETAILS = {
    "PKIX_RSA_PKCS1V15_2048_SHA256": "SHA2_256",
    "PKIX_RSA_PKCS1V15_3072_SHA256": "SHA2_256",
    "PKIX_RSA_PKCS1V15_4096_SHA256": "SHA2_256",
    "PKIX_ECDSA_P256_SHA_256": "SHA2_256",
    "PKIX_ECDSA_P384_SHA_384": "SHA2_384",
    "PKIX_ECDSA_P521_SHA_512": "SHA2_512",
}

_WHAT = "public key"
_CURVES = {
    "secp256r1": "PKIX_ECDSA_P256_SHA_256",
    "secp384r1": "PKIX_ECDSA_P384_SHA_384",
    "secp521r1": "PKIX_ECDSA_P521_SHA_512",
}
_HASHES: dict[str, type[HashAlgorithm]] = {"SHA2_256": SHA256, "SHA2_384": SHA384, "SHA2_512": SHA512}
_PSS = bytes.fromhex("06092a864886f70d01010a")  # the object identifier id-RSASSA-PSS, RFC 4055 section 3.1
_PEM = b"-----BEGIN "
_TRY = "sign with ECDSA P-256, which every client verifies"
_PSS_REFUSED = f"RSA-PSS, which Rekor does not take; {_TRY}"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that signs artifacts; make one with `parse_public_key`.

    spki      DER SubjectPublicKeyInfo, in its canonical encoding
    details   what Sigstore calls a signature by it: one of DETAILS
    """

    spki: bytes = field(repr=False)
    details: str

    @property
    def hint(self) -> bytes:
        """SHA-256 of the key: by it bundles name the key that they do not hold."""
        return sha256(self.spki).digest()

    @property
    def algorithm(self) -> str:
        """Of the digest that it signs, such as "SHA2_256"."""
        return DETAILS[self.details]

    @property
    def pem(self) -> bytes:
        """The key as PEM, as OpenSSL and cosign write it (RFC 7468 section 13)."""
        text = encode_base64(self.spki)
        lines = [text[at : at + 64] for at in range(0, len(text), 64)]
        return "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""]).encode()


def parse_public_key(data: bytes) -> PublicKey:
    """Return the key in a PEM file or a DER SubjectPublicKeyInfo.

    Raises Malformed for anything else, and for keys that do not sign artifacts in Sigstore, saying why.
    """
    if len(data) > MAX_KEY_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_KEY_SIZE} bytes", len(data))
    is_pem = data.lstrip().startswith(_PEM)
    try:
        key = load_pem_public_key(bytes(data)) if is_pem else load_der_public_key(bytes(data))
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        raise Malformed(_WHAT, "not the public key of any known kind, in PEM or DER") from None
    if isinstance(key, rsa.RSAPublicKey) and _PSS in (spki if is_pem else bytes(data))[:40]:
        raise Malformed(_WHAT, _PSS_REFUSED)
    if not is_pem and spki != data:
        raise Malformed(_WHAT, "not the canonical encoding of its key")
    return PublicKey(spki, _details_of(key))


def certificate_key(der: bytes) -> PublicKey:
    """Return the key of an X.509 certificate, of which nothing is verified. Raises Malformed as `parse_public_key`."""
    from cryptography.x509 import InvalidVersion, load_der_x509_certificate
    from cryptography.x509.oid import PublicKeyAlgorithmOID

    try:
        certificate = load_der_x509_certificate(der)
        is_pss = certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS
        spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidVersion):
        raise Malformed("certificate", "not an X.509 certificate in DER, with a key of any known kind") from None
    if is_pss:
        raise Malformed(_WHAT, _PSS_REFUSED)
    return parse_public_key(spki)


def verify_digest(key: PublicKey, digest: bytes, signature: bytes, algorithm: str = "") -> None:
    """Verify a signature over what has this digest.

    algorithm   of the digest; "": the key's own. Entries of Rekor v1 have others
    Raises SignatureError if it is wrong; UsageError for a digest of another size.
    """
    algorithm = algorithm or key.algorithm
    if DIGEST_SIZES.get(algorithm) != len(digest):
        raise UsageError(f"{len(digest)} bytes are no digest of {algorithm}")
    hashed = Prehashed(_HASHES[algorithm]())
    public = load_der_public_key(key.spki)
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, digest, ec.ECDSA(hashed))
        elif isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, digest, padding.PKCS1v15(), hashed)
    except InvalidSignature:
        raise SignatureError(f"wrong signature by the key {key.hint.hex()}") from None


def _details_of(key: object) -> str:
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPublicKey):
        details = f"PKIX_RSA_PKCS1V15_{key.key_size}_SHA256"
        if details in DETAILS:
            return details
        raise Malformed(_WHAT, f"RSA of {key.key_size} bits; Rekor takes 2048, 3072 and 4096")
    if isinstance(key, Ed25519PublicKey):
        raise Malformed(_WHAT, f"Ed25519, which signs no digest, and Rekor logs digests; {_TRY}")
    raise Malformed(_WHAT, f"of a kind that Rekor does not take; {_TRY}")
