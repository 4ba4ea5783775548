"""Timestamps as an authority makes them (https://www.rfc-editor.org/rfc/rfc3161), at any time, with any fault.

`openssl ts` takes the clock's time and costs a process and five files for each. `tests/sigstore/test_timestamp.py`
lets it verify one that was made here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

INTEGER, OCTETS, OID, UTF8, SEQUENCE, SET, TIME = 0x02, 0x04, 0x06, 0x0C, 0x30, 0x31, 0x18
_HASHES = {"sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3",
           "sha1": "1.3.14.3.2.26"}  # fmt: skip
_SIGNED_DATA, _TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE_V2, _ECDSA_SHA256 = "1.2.840.113549.1.9.16.2.47", "1.2.840.10045.4.3.2"


def der(tag: int, *contents: bytes) -> bytes:
    """Return a DER value with this tag."""
    content = b"".join(contents)
    size = len(content)
    length = bytes([size]) if size < 128 else b""
    if not length:
        digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
        length = bytes([0x80 | len(digits)]) + digits
    return bytes([tag]) + length + content


def integer(value: int) -> bytes:
    """Return a DER INTEGER, value ≥ 0."""
    return der(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    """Return a DER OBJECT IDENTIFIER."""
    first, second, *others = map(int, dotted.split("."))
    content = b""
    for number in (first * 40 + second, *others):
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(number & 0x7F | 0x80)
        content += bytes(reversed(digits))
    return der(OID, content)


def _set(tag: int, *members: bytes) -> bytes:
    return der(tag, *sorted(members))  # X.690 11.6


@dataclass(frozen=True)
class Timestamp:
    """What a timestamp says, and what may be wrong with it.

    hash       of the data
    embed      certificates inside, as the requester asked for them
    status     PKIStatus; 0 is granted
    imprint    the digest that is signed, instead of the data's
    accuracy   seconds, if the authority says how exact it is
    claimed    whose name and serial number the signature goes by, and whose hash stands in signingCertificateV2
    """

    at: datetime
    hash: str = "sha256"
    embed: Sequence[x509.Certificate] = ()
    status: int = 0
    imprint: bytes | None = None
    accuracy: int | None = None
    claimed: x509.Certificate | None = None
    serial: int = 1
    nonce: int | None = None

    def info(self, data: bytes) -> bytes:
        """Return the TSTInfo (2.4.2)."""
        digest = self.imprint if self.imprint is not None else hashlib.new(self.hash, data).digest()
        fraction = f".{self.at.microsecond:06}".rstrip("0") if self.at.microsecond else ""
        return der(
            SEQUENCE,
            integer(1),
            oid("1.3.6.1.4.1.57264.2"),
            der(SEQUENCE, der(SEQUENCE, oid(_HASHES[self.hash])), der(OCTETS, digest)),
            integer(self.serial),
            der(TIME, f"{self.at:%Y%m%d%H%M%S}{fraction}Z".encode()),
            b"" if self.accuracy is None else der(SEQUENCE, integer(self.accuracy)),
            b"" if self.nonce is None else integer(self.nonce),
        )

    def response(self, data: bytes, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> bytes:
        """Return the TimeStampResp: status, and the signed TSTInfo."""
        status = der(SEQUENCE, integer(self.status))
        return der(SEQUENCE, status, b"" if self.status > 1 else self._token(self.info(data), certificate, key))

    def _token(self, info: bytes, certificate: x509.Certificate, key: Any) -> bytes:
        claimed = self.claimed or certificate
        sha256 = der(SEQUENCE, oid(_HASHES["sha256"]))

        def attribute(name: str, value: bytes) -> bytes:
            return der(SEQUENCE, oid(name), der(SET, value))

        named = der(SEQUENCE, der(OCTETS, hashlib.sha256(claimed.public_bytes(Encoding.DER)).digest()))  # ESSCertIDv2
        attributes = [
            attribute(_CONTENT_TYPE, oid(_TST_INFO)),
            attribute(_MESSAGE_DIGEST, der(OCTETS, hashlib.sha256(info).digest())),
            attribute(_SIGNING_CERTIFICATE_V2, der(SEQUENCE, der(SEQUENCE, named))),
        ]
        signer = der(
            SEQUENCE,
            integer(1),
            der(SEQUENCE, claimed.issuer.public_bytes(), integer(claimed.serial_number)),
            sha256,
            _set(0xA0, *attributes),
            der(SEQUENCE, oid(_ECDSA_SHA256)),
            der(OCTETS, key.sign(_set(SET, *attributes), ec.ECDSA(hashes.SHA256()))),
        )
        embedded = [each.public_bytes(Encoding.DER) for each in self.embed]
        signed = der(
            SEQUENCE,
            integer(3),
            _set(SET, sha256),
            der(SEQUENCE, oid(_TST_INFO), der(0xA0, der(OCTETS, info))),
            _set(0xA0, *embedded) if embedded else b"",
            _set(SET, signer),
        )
        return der(SEQUENCE, oid(_SIGNED_DATA), der(0xA0, signed))

    def changed(self, **values: Any) -> Timestamp:
        """Return another one, with these values."""
        return replace(self, **values)
