"""Files of keys, as people have them: one key is found by one value."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.support.certificate_texts import PARTS, certificate
from tiles.errors import Malformed
from tiles.sigstore.key_hint import key_hint

PRIVATE = ec.derive_private_key(7, ec.SECP256R1())
SPKI = PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
CERTIFICATE = certificate(parts=(*PARTS[:5], SPKI))


def pem(label: str, data: bytes) -> bytes:
    """Return bytes as PEM, in lines as others break them."""
    text = b64encode(data).decode()
    return f"a comment\n-----BEGIN {label}-----\r\n{text[:40]}\r\n{text[40:]}\n-----END {label}-----\n".encode()


@pytest.mark.parametrize(
    "data",
    [SPKI, CERTIFICATE, pem("PUBLIC KEY", SPKI), pem("CERTIFICATE", CERTIFICATE), pem("CERTIFICATE", CERTIFICATE) * 2],
    ids=["DER", "certificate", "PEM", "certificate as PEM", "a chain"],
)
def test_a_key(data: bytes) -> None:
    """Whatever file it is in."""
    assert key_hint(data) == sha256(SPKI).digest()


def test_a_key_that_signs_no_artifact() -> None:
    """It can be looked for all the same."""
    spki = (
        ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    assert key_hint(spki) == sha256(spki).digest()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a text",
        SPKI + b"\0",
        pem("CERTIFICATE", SPKI),
        pem("CERTIFICATE", b""),
        pem("PUBLIC KEY", CERTIFICATE),
        PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        bytes(20_000),
    ],
)
def test_no_key(data: bytes) -> None:
    """It is said; nothing of a private key is shown."""
    with pytest.raises(Malformed, match=r"(key|certificate): ") as raised:
        key_hint(data)
    assert b64encode(PRIVATE.private_numbers().private_value.to_bytes(32, "big")).decode() not in str(raised.value)
