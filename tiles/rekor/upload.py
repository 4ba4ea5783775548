"""The bundle of a signature that somebody else has made. Nothing is logged here: `staple` does, after checking it."""

from __future__ import annotations

from dataclasses import dataclass

from tiles.errors import Malformed
from tiles.notes.encoding import base64_or_none
from tiles.rekor.sign import hint_of
from tiles.sigstore.bundle import Bundle, MessageSignature
from tiles.sigstore.public_key import PublicKey, certificate_key, parse_public_key, read_pem

MAX_SIGNATURE_SIZE = 16 * 1024  # bytes of a file

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who has signed: a key, and the certificate it is in, DER; b"" where there is none."""

    key: PublicKey
    certificate: bytes = b""


def parse_signer(data: bytes) -> Signer:
    """Return the key (PEM or DER) or the certificate (PEM) in a file. Raises Malformed.

    So `rekor-cli upload --pki-format x509` takes them.
    """
    if data.lstrip().startswith(_CERTIFICATE):
        _, certificate = read_pem(data, "certificate")
        return Signer(certificate_key(certificate), certificate)
    return Signer(parse_public_key(data))


def parse_signature(data: bytes) -> bytes:
    """Return the signature in a file: its bytes, or base64, as `cosign sign-blob` prints it. Raises Malformed."""
    if not 0 < len(data) <= MAX_SIGNATURE_SIZE:
        raise Malformed("signature", f"not 1 to {MAX_SIGNATURE_SIZE} bytes", len(data))
    text = data.decode("latin-1").strip()
    return base64_or_none(text) or data


def uploaded(digest: bytes, signature: bytes, signer: Signer) -> Bundle:
    """Return the bundle, without an entry, of a signature over the artifact that has this digest."""
    certificates = (signer.certificate,) if signer.certificate else ()
    hint = "" if certificates else hint_of(signer.key)
    return Bundle(MessageSignature(signer.key.algorithm, digest, signature), certificates, hint)
