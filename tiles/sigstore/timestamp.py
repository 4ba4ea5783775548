"""Signed timestamps (https://www.rfc-editor.org/rfc/rfc3161) over a signature: that it existed at a time.

The format, the signature and the path to the authority's root are `rfc3161-client`'s, which is in the extra `sigstore`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256, sha384, sha512
from typing import TYPE_CHECKING, Any

from tiles.errors import Malformed, UsageError, VerificationError
from tiles.sigstore.certificate import load_certificate, load_chain
from tiles.sigstore.trusted_root import Authority

if TYPE_CHECKING:
    from cryptography import x509

MAX_TIMESTAMP_SIZE = 16 * 1024  # bytes
MAX_TIMESTAMPS = 32  # of one signature; as many as sigstore-go and sigstore-python take

_WHAT = "signed timestamp"
# hashes of what is timestamped (RFC 3161 section 2.4.1, "messageImprint"), by their object identifiers
_HASHES = {
    "2.16.840.1.101.3.4.2.1": sha256,
    "2.16.840.1.101.3.4.2.2": sha384,
    "2.16.840.1.101.3.4.2.3": sha512,
}
_REASON = 200  # characters of what the library says
_VERIFY_ERROR = re.compile(r'data: "Verify error: ?([^"]+)"')
_OPENSSL_REASON = re.compile(r'reason: "([^"]+)"')


@dataclass(frozen=True, slots=True)
class VerifiedTime:
    """A time at which a signature existed, by somebody whom the trusted root names.

    at   in UTC, without fractions of a second, which `rfc3161-client` leaves out
    by   the authority's address, or the log's origin
    """

    at: datetime
    by: str


def verify_timestamps(
    timestamps: Sequence[bytes], signature: bytes, authorities: Sequence[Authority]
) -> tuple[VerifiedTime, ...]:
    """Return the times of all timestamps over a signature that one of these authorities has made: at least one.

    timestamps    bytes of TimeStampResp. Others' say nothing, and are left out: who signs may ask several authorities
    authorities   of the trusted root
    Raises VerificationError that says why, if none is left, or one comes twice; Malformed.
    """
    if len(timestamps) > MAX_TIMESTAMPS:
        raise Malformed(_WHAT, f"{len(timestamps)} of them, {MAX_TIMESTAMPS} are the most")
    if len(set(timestamps)) != len(timestamps):
        raise VerificationError("the same signed timestamp comes twice")
    verified, reasons = [], []
    for number, timestamp in enumerate(timestamps, 1):
        found = _judge(timestamp, signature, authorities)
        if isinstance(found, VerifiedTime):
            verified.append(found)
        else:
            reasons.append(f"number {number}: {found}" if len(timestamps) > 1 else found)
    if not verified:
        raise VerificationError(
            f"no signed timestamp by an authority that is trusted: {'; '.join(reasons) or 'there is none'}",
            hint="" if authorities else "add timestampAuthorities to the trusted root",
        )
    return tuple(verified)


def parse_timestamp(timestamp: bytes) -> Any:
    """Return a TimeStampResp as `rfc3161-client` has it, which verifies nothing.

    Raises Malformed; UsageError if that package is not installed.
    """
    try:
        from rfc3161_client import decode_timestamp_response
    except ImportError:
        raise UsageError(
            "to verify signed timestamps, rfc3161-client is needed", hint="pip install 'tiletree[sigstore]'"
        ) from None
    if len(timestamp) > MAX_TIMESTAMP_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_TIMESTAMP_SIZE} bytes", len(timestamp))
    try:
        parsed = decode_timestamp_response(bytes(timestamp))
        status = parsed.status
        at = parsed.tst_info.gen_time if status == 0 else None
        embedded = parsed.signed_data.certificates if status == 0 else ()
    except (ValueError, TypeError, OverflowError) as error:
        raise Malformed(_WHAT, str(error)[:_REASON]) from None
    if at is None:
        raise Malformed(_WHAT, "the authority did not grant it (PKIStatus)", status)
    for each in embedded:  # the library reads them later, and raises errors of many kinds
        load_certificate(each, "certificate of a signed timestamp")
    return parsed


def check_imprint(timestamp: bytes, signature: bytes) -> None:
    """Raise VerificationError unless a timestamp is over this signature; by whom it is, is not looked at.

    Raises what `parse_timestamp` raises.
    """
    imprint = parse_timestamp(timestamp).tst_info.message_imprint
    hash_ = _HASHES.get(imprint.hash_algorithm.dotted_string)
    if hash_ is None or hash_(signature).digest() != imprint.message:
        raise VerificationError(
            "the timestamp is of something else than the signature in the bundle",
            hint="a timestamp is over the bytes of the signature, and not over the file: "
            "`openssl ts -query -data SIGNATURE -sha256 -cert` asks for it",
        )


def _judge(timestamp: bytes, signature: bytes, authorities: Sequence[Authority]) -> VerifiedTime | str:
    """Return the time, or why it is none. Raises Malformed."""
    parsed = parse_timestamp(timestamp)
    at = parsed.tst_info.gen_time.astimezone(UTC)
    reasons = []
    for authority in authorities:
        name = authority.called
        if reason := _refusal(parsed, signature, authority):
            reasons.append(f"{name}: {reason}")
        elif not authority.period.holds(at):
            reasons.append(f"{name} was not trusted at its time, {at:%Y-%m-%d %H:%M:%S} UTC")
        else:
            return VerifiedTime(at, name)
    return "; ".join(reasons) or "the trusted root has no timestamp authority"


def _refusal(parsed: Any, signature: bytes, authority: Authority) -> str:
    """Return why a timestamp is not by this authority, or "".

    Its certificate is the one of the trusted root that is no authority's; where the root has none, the one inside the
    timestamp, by whichever authority of the root has issued it. OpenSSL, below the library, takes a certificate's last
    second for over.
    """
    from cryptography.x509 import DuplicateExtension
    from rfc3161_client import VerificationError as Refusal
    from rfc3161_client import VerifierBuilder

    try:
        *lower, root = load_chain(authority)
    except Malformed as error:
        return error.message
    signers = [each for each in lower if not _is_authority(each)]
    builder = VerifierBuilder(
        tsa_certificate=signers[0] if signers else None,
        intermediates=[each for each in lower if each not in signers],
        roots=[root],
    )
    try:
        builder.build().verify_message(parsed, signature)
    except (Refusal, ValueError, TypeError, OverflowError, DuplicateExtension) as error:
        return _plain(str(error))
    return ""


def _plain(text: str) -> str:
    """Return what OpenSSL says, without where in its sources."""
    found = _VERIFY_ERROR.search(text) or _OPENSSL_REASON.search(text)
    return (found[1] if found else text)[:_REASON]


def _is_authority(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
