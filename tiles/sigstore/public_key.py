"""Keys that sign artifacts, as Rekor v2 takes them (https://github.com/sigstore/rekor-tiles, algorithmregistry.go).

Which hash a signature is over follows from the key alone (`DETAILS`), so that nobody can choose a weaker one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from tiles.errors import Malformed, SignatureError, UsageError
from tiles.notes.encoding import base64_or_none, encode_base64

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
_LABEL = "PUBLIC KEY"  # RFC 7468 section 13
_PEM = re.compile(rb"\s*-----BEGIN ([A-Z ]{1,40})-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----\s*", re.ASCII)
_CURVES = {
    "secp256r1": "PKIX_ECDSA_P256_SHA_256",
    "secp384r1": "PKIX_ECDSA_P384_SHA_384",
    "secp521r1": "PKIX_ECDSA_P521_SHA_512",
}
_HASHES: dict[str, type[HashAlgorithm]] = {"SHA2_256": SHA256, "SHA2_384": SHA384, "SHA2_512": SHA512}
# the object identifier in a SubjectPublicKeyInfo (RFC 5280 section 4.1) → why keys of that kind are refused, or ""
_CERTIFIED = ("1.2.840.10045.2.1", "1.2.840.113549.1.1.1")  # those that are taken, as certificates name them
_LENGTH = rb"(?:[\x00-\x7f]|\x81.|\x82..)"
_KINDS = {
    bytes.fromhex("07 2a8648ce3d0201"): "",  # id-ecPublicKey, RFC 5480
    bytes.fromhex("09 2a864886f70d010101"): "",  # rsaEncryption, RFC 3279
    bytes.fromhex("09 2a864886f70d01010a"): "RSA-PSS, which Rekor does not take",  # RFC 4055
    bytes.fromhex("03 2b6570"): "Ed25519, which signs no digest, and Rekor logs digests",  # RFC 8410
}
_KIND = re.compile(rb"\x30%b\x30%b\x06(%b)" % (_LENGTH, _LENGTH, b"|".join(map(re.escape, _KINDS))), re.DOTALL)


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
        return "\n".join([f"-----BEGIN {_LABEL}-----", *lines, f"-----END {_LABEL}-----", ""]).encode()


def parse_public_key(data: bytes) -> PublicKey:
    """Return the key in a PEM file or a DER SubjectPublicKeyInfo.

    Raises Malformed for anything else, and for keys that do not sign artifacts in Sigstore, saying why.
    """
    if len(data) > MAX_KEY_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_KEY_SIZE} bytes", len(data))
    spki = bytes(data)
    if spki.lstrip().startswith(b"-----BEGIN "):
        label, spki = read_pem(spki, _WHAT)
        if label.endswith("PRIVATE KEY"):
            raise Malformed(_WHAT, "a private key; what verifies is its public half")
        if label != _LABEL:
            raise Malformed(_WHAT, f"PEM of something else than a {_LABEL}", label)
    kind = _KIND.match(spki)
    if kind is None:  # the library warns about some others, on standard error
        raise Malformed(_WHAT, "not the public key of any known kind, in PEM or DER")
    if refused := _KINDS[kind[1]]:
        raise Malformed(_WHAT, f"{refused}; sign with ECDSA P-256, which every client verifies")
    try:
        key = load_der_public_key(spki)
        canonical = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        raise Malformed(_WHAT, "not the public key of any known kind, in PEM or DER") from None
    if spki != canonical:
        raise Malformed(_WHAT, "not the canonical encoding of its key")
    return PublicKey(spki, _details_of(key))


def read_pem(text: bytes, what: str) -> tuple[str, bytes]:
    """Return label and content of a PEM text that has one (RFC 7468). Raises Malformed. what: for the message."""
    match = _PEM.fullmatch(text)
    der = base64_or_none(re.sub(r"[\r\n]", "", match[2].decode("ascii"))) if match else None
    if not match or not der:
        raise Malformed(what, "not one PEM text")
    return match[1].decode("ascii"), der


def certificate_key(der: bytes) -> PublicKey:
    """Return the key of an X.509 certificate, of which nothing is verified. Raises Malformed as `parse_public_key`."""
    from tiles.sigstore.certificate import load_certificate  # slow to import, and rarely needed

    loaded = load_certificate(der)
    kind = loaded.public_key_algorithm_oid.dotted_string
    if kind not in _CERTIFIED:
        raise Malformed(_WHAT, f"of a certificate, of the kind {kind}, which Rekor does not take")
    try:
        spki = loaded.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Malformed(_WHAT, "of a certificate, and not in its format") from None
    return parse_public_key(spki)


def verify_digest(key: PublicKey, digest: bytes, signature: bytes, algorithm: str = "") -> None:
    """Verify a signature over what has this digest.

    algorithm   of the digest; "": the key's own. Entries of Rekor v1 have others
    Raises SignatureError if it is wrong; UsageError for a digest of another size.
    """
    algorithm = algorithm or key.algorithm
    check_digest(digest, algorithm)
    hashed = prehashed(algorithm)
    public = load_der_public_key(key.spki)
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, digest, ec.ECDSA(hashed))
        elif isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, digest, padding.PKCS1v15(), hashed)
    except InvalidSignature:
        raise SignatureError(f"wrong signature by the key {key.hint.hex()}") from None


def check_digest(digest: bytes, algorithm: str) -> None:
    """Raise UsageError for what is too long or too short to be a digest of that algorithm."""
    if DIGEST_SIZES.get(algorithm) != len(digest):
        raise UsageError(f"{len(digest)} bytes are no digest of {algorithm}")


def prehashed(algorithm: str) -> Prehashed:
    """Return what tells `cryptography` that a digest is signed. algorithm: of the digest"""
    return Prehashed(_HASHES[algorithm]())


def _details_of(key: object) -> str:
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPublicKey):
        details = f"PKIX_RSA_PKCS1V15_{key.key_size}_SHA256"
        if details in DETAILS:
            return details
        raise Malformed(_WHAT, f"RSA of {key.key_size} bits; Rekor takes 2048, 3072 and 4096")
    raise Malformed(_WHAT, "on a curve that Rekor does not take: P-256, P-384 and P-521 are taken")
