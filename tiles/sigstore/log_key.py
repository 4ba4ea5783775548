"""The key of a log as Sigstore's formats have it: a SubjectPublicKeyInfo, and the 32 bytes that name it in entries
(https://github.com/sigstore/protobuf-specs, sigstore_trustroot.proto, `TransparencyLogInstance.log_id`; the bytes are
those of https://c2sp.org/signed-note, "Signatures", of which a note has the first 4).
"""

from __future__ import annotations

from tiles.errors import Malformed, UsageError
from tiles.notes.keys import SignatureType, VerifierKey
from tiles.sigstore.origin import base_url
from tiles.sigstore.public_key import PublicKey, parse_public_key
from tiles.sigstore.trusted_root import Period, TrustedLog

# RFC 8410 section 4: SEQUENCE { SEQUENCE { OID 1.3.101.112 } BIT STRING } around the 32 bytes of the key
_ED25519 = bytes.fromhex("302a300506032b6570032100")


def trusted_log(key: VerifierKey, period: Period) -> TrustedLog:
    """Return a log, by its key, as a trusted root has it.

    Raises UsageError for a key of a kind that no client of Sigstore has for a log.
    """
    if key.type == SignatureType.ED25519:
        spki, details = _ED25519 + key.public, "PKIX_ED25519"
    elif key.type == SignatureType.ECDSA:
        spki, details = key.public, _details(key)
    else:
        raise UsageError(f"the key {key} is of type {key.type.name}, and no client of Sigstore takes such a log")
    return TrustedLog(base_url(key.name), spki, details, key.log_id, period)


def log_key_pem(log: TrustedLog) -> bytes:
    """Return the key of a log as PEM, as OpenSSL and cosign read it."""
    return PublicKey(log.key, log.key_details).pem


def _details(key: VerifierKey) -> str:
    try:
        return parse_public_key(key.public).details
    except Malformed as error:  # checked by VerifierKey already
        raise UsageError(error.message) from None
