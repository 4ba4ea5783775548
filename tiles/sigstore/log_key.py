"""The key of a log as trusted roots have it (https://github.com/sigstore/protobuf-specs, sigstore_trustroot.proto,
`TransparencyLogInstance`).
"""

from __future__ import annotations

from tiles.notes.keys import VerifierKey
from tiles.sigstore.logged import log_spki
from tiles.sigstore.origin import base_url
from tiles.sigstore.public_key import PublicKey
from tiles.sigstore.trusted_root import Period, TrustedLog


def trusted_log(key: VerifierKey, period: Period) -> TrustedLog:
    """Return a log, by its key, as a trusted root has it. Raises UsageError for a key that is no log's."""
    spki, details = log_spki(key)
    return TrustedLog(base_url(key.name), spki, details, key.log_id, period)


def log_key_pem(log: TrustedLog) -> bytes:
    """Return the key of a log as PEM, as OpenSSL and cosign read it."""
    return PublicKey(log.key, log.key_details).pem
