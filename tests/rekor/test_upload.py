"""Signatures that others have made, in the forms in which they come."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from tests.support.rekor_log import MemoryLog, artifact_key
from tests.support.sigstore_authority import IDENTITY, authority
from tiles.errors import Malformed, SignatureError
from tiles.rekor.staple import entry_for, staple
from tiles.rekor.upload import MAX_SIGNATURE_SIZE, parse_signature, parse_signer, uploaded
from tiles.sigstore.hashedrekord import check_hashedrekord

KEY = artifact_key()
DATA = b"what is released"
DIGEST = sha256(DATA).digest()
SIGNATURE = KEY.sign_digest(DIGEST)


@pytest.mark.parametrize(
    "data", [SIGNATURE, b64encode(SIGNATURE), b64encode(SIGNATURE) + b"\n"], ids=["bytes", "base64", "line"]
)
@pytest.mark.parametrize("key", [KEY.public.pem, KEY.public.spki], ids=["PEM", "DER"])
def test_a_key(data: bytes, key: bytes) -> None:
    """The same entry comes of every form, and it is what `sign` would have logged."""
    signer = parse_signer(key)
    bundle = uploaded(DIGEST, parse_signature(data), signer)
    entry = check_hashedrekord(entry_for(bundle, signer.key))
    assert (entry.digest, entry.signature, entry.raw) == (DIGEST, SIGNATURE, KEY.public.spki)


def test_a_certificate() -> None:
    """A certificate is logged as it is, and the bundle holds it."""
    leaf = authority().leaf(IDENTITY)
    pem = load_der_x509_certificate(leaf.der).public_bytes(Encoding.PEM)
    signer = parse_signer(b"\n" + pem)
    bundle = uploaded(DIGEST, leaf.key.sign(DATA, ec.ECDSA(SHA256())), signer)
    assert bundle.certificates == (leaf.der,)
    assert check_hashedrekord(entry_for(bundle)).raw == leaf.der


def test_a_wrong_signature_is_not_logged() -> None:
    """It is one over something else."""
    log = MemoryLog()
    bundle = uploaded(sha256(b"else").digest(), SIGNATURE, parse_signer(KEY.public.pem))
    with pytest.raises(SignatureError):
        staple(log.open(), [bundle], [KEY.public])
    assert log.entries() == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n",
        KEY.pem,
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
    ],
)
def test_what_is_no_signer(data: bytes) -> None:
    """Neither is a private key, which is shown nowhere."""
    with pytest.raises(Malformed) as caught:
        parse_signer(data)
    assert b"".join(KEY.pem.splitlines()[1:-1]).decode()[:20] not in str(caught.value)


@pytest.mark.parametrize("data", [b"", bytes(MAX_SIGNATURE_SIZE + 1)])
def test_what_is_no_signature(data: bytes) -> None:
    """Nothing, or too much."""
    with pytest.raises(Malformed, match="malformed signature"):
        parse_signature(data)
