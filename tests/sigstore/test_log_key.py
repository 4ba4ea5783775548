"""The key of a log in Sigstore's formats."""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from tiles.errors import UsageError
from tiles.notes.keys import SignatureType, VerifierKey, ecdsa_key, parse_vkey, signing_key
from tiles.sigstore.log_key import log_key_pem, trusted_log
from tiles.sigstore.trusted_root import Period

SINCE = Period(datetime(2026, 5, 1, tzinfo=UTC))

# Sigstore's own log, as its trusted root has it: key, log id, and what the vkey is
VKEY = "log2025-1.rekor.sigstore.dev+cf119915+AbfK5adZJxsI323FwGD2AJJ9F4i89cfDuLdGJBIYntuO"
SPKI = "MCowBQYDK2VwAyEAt8rlp1knGwjfbcXAYPYAkn0XiLz1x8O4t0YkEhie244="
LOG_ID = "zxGZFVvd0FEmjR8WrFwMdcAJ9vtaY/QXf44Y1wUeP6A="


def test_the_public_log_of_sigstore() -> None:
    """From the vkey follows what the instance's own trusted root says."""
    log = trusted_log(parse_vkey(VKEY), SINCE)
    assert b64encode(log.key).decode() == SPKI
    assert b64encode(log.log_id).decode() == LOG_ID
    assert (log.base_url, log.key_details) == ("https://log2025-1.rekor.sigstore.dev", "PKIX_ED25519")
    pem = load_pem_public_key(log_key_pem(log))
    assert pem.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == b64decode(SPKI)


def test_an_ecdsa_key() -> None:
    """It is named by its SPKI alone, as Rekor v1 does."""
    spki = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    key = ecdsa_key("log.example.com", spki.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    log = trusted_log(key, SINCE)
    assert (log.key, log.key_details) == (key.public, "PKIX_ECDSA_P256_SHA_256")
    assert log.log_id[:4] == key.key_id
    assert len(log.log_id) == 32


@pytest.mark.parametrize("type_", [SignatureType.COSIGNATURE, SignatureType.MLDSA44])
def test_keys_that_no_client_has_for_a_log(type_: SignatureType) -> None:
    """They sign no notes alone."""
    key: VerifierKey = signing_key("log.example.com", bytes(32), type_).verifier
    with pytest.raises(UsageError, match="signs no notes"):
        trusted_log(key, SINCE)
