"""Certificates, read for the keys of entries: what the rules say, and nothing else."""

from __future__ import annotations

import datetime
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.certificate_texts import BAD, FULCIO, GOOD, damaged
from tests.support.sampling import quickly
from tests.support.sigstore_authority import authority
from tiles.errors import Malformed
from tiles.sigstore.certificate import COMPARED, parse_certificate
from tiles.sigstore.der import CertificateClaims, read_certificate

TEXT = re.compile("[!-~]{1,1024}")
SPKI = Encoding.DER, PublicFormat.SubjectPublicKeyInfo


def test_what_a_certificate_says() -> None:
    """Identities in order, the issuer, and the key as it stands there."""
    for data, (identities, issuer) in GOOD.items():
        found = read_certificate(data)
        assert (list(found.identities), found.issuer) == (identities, issuer), data.hex()
        assert found.spki[0] == 0x30
        assert found.spki in data


@pytest.mark.parametrize("data", BAD, ids=lambda data: data.hex()[-40:])
def test_no_certificate(data: bytes) -> None:
    """One broken rule is enough."""
    with pytest.raises(Malformed, match="certificate: not a certificate in DER"):
        read_certificate(data)


def test_a_real_one() -> None:
    """A certificate that a library makes is read as that library reads it."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an authority")])
    identities = ("dev@example.com", "https://example.com/org")
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    names = [x509.RFC822Name(identities[0]), x509.DNSName("example.com"), x509.UniformResourceIdentifier(identities[1])]
    issuer = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(minutes=10))
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
        .add_extension(x509.UnrecognizedExtension(issuer, b"\x0c\x06issuer"), critical=False)
        .sign(key, SHA256())
    ).public_bytes(Encoding.DER)
    assert FULCIO + b"\x08" in made
    assert read_certificate(made) == CertificateClaims(key.public_key().public_bytes(*SPKI), identities, "issuer")


@pytest.mark.parametrize("count", quickly([1000, 100_000], [1000]))
def test_whatever_the_bytes_are(count: int) -> None:
    """A damaged certificate is one, or none: no other error."""
    read = 0
    for data in damaged(count):
        try:
            read_certificate(data)
            read += 1
        except Malformed:
            pass
    assert count // 10 < read < count


@pytest.mark.parametrize("count", quickly([300, 20_000], [300]))
def test_what_is_verified_is_found(count: int) -> None:
    """A certificate that could be verified is read, with the same identities and issuer: nobody hides from a search."""
    made = authority()
    seeds = (made.leaf().der, made.leaf("dev@example.com", "https://example.com/a").der, made.leaf(issuer_v1="").der)
    seen = 0
    for data in damaged(count, seeds):
        try:
            verified = parse_certificate(data)
        except Malformed:
            continue
        seen += 1
        found = read_certificate(data)
        identities = [each.value for each in verified.identities if each.kind in COMPARED]
        assert [text for text in identities if TEXT.fullmatch(text)] == list(found.identities)
        assert (verified.issuer if TEXT.fullmatch(verified.issuer) else None) == found.issuer
    assert seen > count // 10
