"""Certificates and precertificates of an authority of our own, to be submitted to logs of certificates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = timedelta(days=30)
_SIGNS_PRECERTIFICATES = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.4")  # RFC 6962, 3.1


@dataclass(frozen=True)
class Submission:
    """What is submitted as one.

    chain        certificates, DER, the submitted one first, the root not among them
    is_precert   whether the first is a precertificate
    name         the domain that it is for
    logged       what a log has of it (RFC 6962, 3.2): the certificate, or the TBSCertificate of a precertificate,
                 without the poison and under the issuer of the certificate that is to be
    """

    chain: tuple[bytes, ...]
    is_precert: bool
    name: str
    logged: bytes


class Authority:
    """A root, and below it an authority that issues, whose chains have one or two certificates of issuers."""

    def __init__(self) -> None:
        self._root_key, self._key, self._pre_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())  # one for all: keys take longest to make
        self._now = datetime.now(UTC).replace(microsecond=0)
        self.root = self._certificate("root", "root", self._root_key, self._root_key, issues=True)
        self.issuer = self._certificate("issuer", "root", self._key, self._root_key, issues=True)
        self._pre_issuer = self._certificate("precertificates", "issuer", self._pre_key, self._key, signs_pre=True)

    @property
    def root_pem(self) -> bytes:
        """The root, as a log reads which ones it accepts."""
        return self.root.public_bytes(Encoding.PEM)

    def submission(self, index: int) -> Submission:
        """Return one: each third is a precertificate, and each ninth one by a key for precertificates only."""
        name, serial = f"host-{index}.example.com", x509.random_serial_number()
        final = self._certificate(name, "issuer", self._leaf_key, self._key, serial=serial)
        tbs = final.tbs_certificate_bytes
        if index % 9 == 4:
            by = "precertificates"
            pre = self._certificate(name, by, self._leaf_key, self._pre_key, serial=serial, poisoned=True)
            return Submission(_chain(pre, self._pre_issuer, self.issuer), True, name, tbs)
        if index % 3 == 1:
            pre = self._certificate(name, "issuer", self._leaf_key, self._key, serial=serial, poisoned=True)
            return Submission(_chain(pre, self.issuer), True, name, tbs)
        return Submission(_chain(final, self.issuer), False, name, final.public_bytes(Encoding.DER))

    def _certificate(
        self,
        name: str,
        by: str,
        key: ec.EllipticCurvePrivateKey,
        signed_with: ec.EllipticCurvePrivateKey,
        *,
        serial: int | None = None,
        issues: bool = False,
        signs_pre: bool = False,
        poisoned: bool = False,
    ) -> x509.Certificate:
        subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, by))
        builder = (
            x509.CertificateBuilder(issuer, subject, key.public_key(), serial or x509.random_serial_number())
            .not_valid_before(self._now - timedelta(hours=1))
            .not_valid_after(self._now + VALID)
            .add_extension(x509.BasicConstraints(issues or signs_pre, None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_with.public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if signs_pre:
            builder = builder.add_extension(x509.ExtendedKeyUsage([_SIGNS_PRECERTIFICATES]), critical=False)
        if not issues and not signs_pre:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name), x509.DNSName(f"www.{name}")]), critical=False
            )
        if poisoned:
            builder = builder.add_extension(x509.PrecertPoison(), critical=True)
        return builder.sign(signed_with, SHA256())


def _chain(*certificates: x509.Certificate) -> tuple[bytes, ...]:
    return tuple(each.public_bytes(Encoding.DER) for each in certificates)
