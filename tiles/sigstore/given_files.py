"""What an operator gives for a trusted root, besides a log: certificates and the keys of certificate logs, in PEM
(RFC 7468).
"""

from __future__ import annotations

import re
from datetime import datetime

from tiles.errors import Malformed
from tiles.sigstore.certificate import load_certificate
from tiles.sigstore.public_key import parse_public_key, read_pem
from tiles.sigstore.trusted_root import MAX_CERTIFICATES, Authority, Period, TrustedLog

MAX_FILE_SIZE = 256 * 1024  # bytes

_WHAT = "certificate chain"
# what stands between them is remarks (section 5.2)
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def parse_authority(data: bytes) -> Authority:
    """Return the authority whose certificates are in a file: from the lowest, which issues or signs, to the root.

    Clients trust it from the day on which the lowest certificate begins. Raises Malformed for what is no such chain.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # slow to import, and seldom needed
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    if len(data) > MAX_FILE_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_FILE_SIZE} bytes", len(data))
    blocks = _BLOCK.findall(data)
    if not 1 <= len(blocks) <= MAX_CERTIFICATES:
        raise Malformed(_WHAT, f"not 1 to {MAX_CERTIFICATES} certificates in PEM", len(blocks))
    chain = [load_certificate(read_pem(block, _WHAT)[1], _WHAT) for block in blocks]
    for number, (lower, upper) in enumerate(zip(chain, [*chain[1:], chain[-1]], strict=True), 1):
        try:
            lower.verify_directly_issued_by(upper)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            by = "the next one" if number < len(chain) else "itself, so the root is missing"
            raise Malformed(
                _WHAT, f"certificate {number} is not issued by {by}: the order is from the lowest to the root"
            ) from None
    try:
        subject = chain[-1].subject
    except ValueError:
        raise Malformed(_WHAT, "the root's name cannot be read") from None
    names = [subject.get_attributes_for_oid(oid) for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)]
    organization, common_name = (str(found[0].value) if found else "" for found in names)
    certificates = tuple(one.public_bytes(Encoding.DER) for one in chain)
    # a name that is empty takes the other one: sigstore-python demands both
    return Authority(
        certificates,
        "",
        organization or common_name,
        common_name or organization,
        Period(chain[0].not_valid_before_utc),
    )


def parse_ct_log(data: bytes, base_url: str, start: datetime) -> TrustedLog:
    """Return the certificate log whose key is in a file. Raises Malformed.

    base_url   names it
    start      since when it is trusted
    """
    key = parse_public_key(data)
    # RFC 6962 section 3.2: "LogID: the SHA-256 hash of the log's public key"
    return TrustedLog(base_url, key.spki, key.details, key.hint, Period(start))
