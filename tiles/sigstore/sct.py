"""Signed certificate timestamps inside certificates (https://www.rfc-editor.org/rfc/rfc6962#section-3.2): a log of
certificates promises that the certificate can be found in it, so that whoever monitors that log hears of misuse.

The list's encoding (TLS, RFC 6962 section 3.3) is parsed by `cryptography`, which refuses what is left over and other
versions; a certificate whose list is not in its format is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from tiles.errors import Malformed, SignatureError, VerificationError
from tiles.sigstore.certificate import Certificate
from tiles.sigstore.trusted_root import TrustedLog

if TYPE_CHECKING:
    from cryptography import x509

MAX_SCTS = 16  # of one certificate
MIN_RSA_BITS = 2048  # RFC 6962, 2.1.4

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_CERTIFICATE_TIMESTAMP, _PRECERT_ENTRY = b"\0", b"\0\1"  # SignatureType, LogEntryType


@dataclass(frozen=True, slots=True)
class VerifiedSct:
    """A promise that was verified.

    log   base URL of the log of certificates
    at    when it promised, in UTC
    """

    log: str
    at: datetime


def verify_scts(
    certificate: Certificate, issuer: x509.Certificate, logs: Sequence[TrustedLog]
) -> tuple[VerifiedSct, ...]:
    """Return the promises in a certificate by logs that are trusted: at least one.

    issuer   the certificate of whoever issued it, from a path that was verified
    logs     of the trusted root (`ctlogs`); promises of others say nothing, and are left out, and so are those from
             outside of the log's period
    Raises SignatureError if a promise in the name of a trusted log is not by it; VerificationError if none is left.
    """
    from cryptography import x509

    try:
        extension = certificate.loaded.extensions.get_extension_for_class(
            x509.PrecertificateSignedCertificateTimestamps
        )
        scts = list(extension.value)
        times = [each.timestamp.replace(tzinfo=UTC) for each in scts]
    except x509.ExtensionNotFound:
        raise VerificationError(
            "the certificate has no signed certificate timestamp (SCT): it is in no log of certificates",
            hint="it has to be issued by an authority that logs what it issues, as Fulcio does",
        ) from None
    except ValueError as error:
        raise Malformed("signed certificate timestamp", str(error)) from None
    if len(scts) > MAX_SCTS:
        raise Malformed("signed certificate timestamps", f"{len(scts)}, {MAX_SCTS} are the most")
    known = _known(logs)
    verified, left_out = [], []
    for sct, at in zip(scts, times, strict=True):
        candidates = known.get(sct.log_id, [])
        if not candidates:
            left_out.append(f"one by the log {sct.log_id.hex()}, which the trusted root does not have")
            continue
        trusted = [log for log, _ in candidates if log.period.holds(at)]
        if not trusted:
            log = candidates[0][0]
            left_out.append(f"one by {log.base_url} of {at:%Y-%m-%d %H:%M:%S} UTC, when that log was not trusted")
            continue
        _verify(sct, candidates[0][1], _signed(sct, at, certificate, issuer), trusted[0])
        verified.append(VerifiedSct(trusted[0].base_url, at))
    if not verified:
        found = "; ".join(left_out) or "its list is empty"
        raise VerificationError(
            f"the certificate has no signed certificate timestamp by a log that is trusted: {found}",
            hint="" if logs else "add ctlogs to the trusted root",
        )
    return tuple(verified)


def _known(logs: Sequence[TrustedLog]) -> dict[bytes, list[tuple[TrustedLog, Any]]]:
    """Return the logs whose keys can be used, by log ID: SHA-256 of the key (RFC 6962, 3.2), whatever the root says."""
    known: dict[bytes, list[tuple[TrustedLog, Any]]] = {}
    for log in logs:
        try:
            key = load_der_public_key(log.key)
        except (ValueError, UnsupportedAlgorithm):
            continue  # of a kind that is newer than this library: its promises are left out
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        known.setdefault(sha256(spki).digest(), []).append((log, key))
    return known


def _signed(sct: Any, at: datetime, certificate: Certificate, issuer: x509.Certificate) -> bytes:
    """Return what was signed: digitally-signed struct of RFC 6962, 3.2, for a PreCert."""
    spki = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    precertificate = certificate.loaded.tbs_precertificate_bytes
    return b"".join(
        (
            sct.version.value.to_bytes(1, "big"),
            _CERTIFICATE_TIMESTAMP,
            ((at - _EPOCH) // _MILLISECOND).to_bytes(8, "big"),
            _PRECERT_ENTRY,
            sha256(spki).digest(),  # issuer_key_hash
            len(precertificate).to_bytes(3, "big") + precertificate,
            len(sct.extension_bytes).to_bytes(2, "big") + sct.extension_bytes,
        )
    )


def _verify(sct: Any, key: Any, signed: bytes, log: TrustedLog) -> None:
    """Raise SignatureError unless the signature is by the key: ECDSA or RSA, over SHA-256 (RFC 6962, 2.1.4)."""
    from cryptography.x509.certificate_transparency import SignatureAlgorithm

    algorithm = sct.signature_algorithm
    try:
        if not isinstance(sct.signature_hash_algorithm, SHA256):
            raise InvalidSignature
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm == SignatureAlgorithm.ECDSA:
            key.verify(sct.signature, signed, ec.ECDSA(SHA256()))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm == SignatureAlgorithm.RSA and key.key_size >= MIN_RSA_BITS:
            key.verify(sct.signature, signed, padding.PKCS1v15(), SHA256())
        else:
            raise InvalidSignature
    except InvalidSignature:
        raise SignatureError(
            f"the certificate's signed certificate timestamp (SCT) is not by {log.base_url}, whose name it has"
        ) from None
