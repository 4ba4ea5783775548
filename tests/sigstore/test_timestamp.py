"""Signed timestamps: by an authority of the trusted root, in its period, over this signature."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.sigstore_authority import (
    DAY,
    T0,
    Signed,
    authority,
    certificate_authority,
    issue,
    name_of,
    stranger,
    timestamp_leaf,
    usage,
)
from tests.support.timestamping import Timestamp
from tiles.errors import Malformed, TilesError, UsageError, VerificationError
from tiles.sigstore.timestamp import MAX_TIMESTAMPS, VerifiedTime, parse_timestamp, verify_timestamps
from tiles.sigstore.trusted_root import Authority, Period

WHO = authority()
AT = T0 + timedelta(minutes=1)
SIGNATURE = b"a signature"
SECOND = timedelta(seconds=1)
OWN = Authority((WHO.tsa.der, WHO.tsa_root.der), "https://tsa.example.com")
ROOT_ONLY = Authority((WHO.tsa_root.der,), "https://tsa.example.com")
OTHER = Authority((stranger().tsa.der, stranger().tsa_root.der), "https://other.example.com")
FOUND = VerifiedTime(AT, "https://tsa.example.com")


def made(by: Signed = WHO.tsa, data: bytes = SIGNATURE, at: datetime = AT, **values: object) -> bytes:
    """Return a timestamp."""
    return Timestamp(at).changed(**values).response(data, by.certificate, by.key)


def times(*timestamps: bytes, trusted: tuple[Authority, ...] = (OWN,)) -> tuple[VerifiedTime, ...]:
    """Return the times over the signature."""
    return verify_timestamps(timestamps, SIGNATURE, trusted)


ACCEPTED: dict[str, tuple[bytes, Authority]] = {
    "without a certificate": (made(), OWN),
    "with its certificate": (made(embed=[WHO.tsa.certificate]), OWN),
    "with certificate and root": (made(embed=[WHO.tsa.certificate, WHO.tsa_root.certificate]), OWN),
    "with its certificate, which the root has not": (made(embed=[WHO.tsa.certificate]), ROOT_ONLY),
    "over SHA-384": (made(hash="sha384"), OWN),
    "over SHA-512": (made(hash="sha512"), OWN),
    "with accuracy and nonce": (made(accuracy=1, nonce=2**60), OWN),
}


@pytest.mark.parametrize(("timestamp", "trusted"), ACCEPTED.values(), ids=ACCEPTED)
def test_timestamps(timestamp: bytes, trusted: Authority) -> None:
    """With and without the certificate inside, and by either hash."""
    assert times(timestamp, trusted=(OTHER, trusted)) == (FOUND,)


def test_fractions_of_a_second() -> None:
    """A time may have them; they do not count."""
    assert times(made(at=AT + timedelta(milliseconds=250))) == (FOUND,)


def test_periods() -> None:
    """Both ends of the trusted root's period are included."""
    for period in (Period(AT, AT), Period(AT), Period(end=AT)):
        assert times(made(), trusted=(replace(OWN, period=period),)) == (FOUND,)
    for period in (Period(AT + SECOND), Period(end=AT - SECOND)):
        with pytest.raises(
            VerificationError, match=r"tsa\.example\.com was not trusted at its time, 2026-06-01 12:01:00"
        ):
            times(made(), trusted=(replace(OWN, period=period),))


def test_authorities_that_are_over() -> None:
    """Their certificates have to be valid at the time of the timestamp, and at no other."""
    root = certificate_authority("tsa root", begin=T0 - 9 * DAY, end=T0 + DAY)
    leaf = timestamp_leaf(root, begin=T0 - DAY, end=AT + SECOND)
    trusted = Authority((leaf.der, root.der), "https://tsa.example.com")
    assert times(made(leaf), trusted=(trusted,)) == (FOUND,)
    with pytest.raises(VerificationError, match=r"certificate has expired$"):
        times(made(leaf, at=AT + SECOND), trusted=(trusted,))


def test_longer_paths() -> None:
    """An intermediate is in the trusted root; the authority's own certificate is there or in the timestamp."""
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    issues = [(x509.BasicConstraints(True, 0), True), (usage(key_cert_sign=True), True), (purposes, False)]
    between = issue(name_of("between"), WHO.tsa_root, issues)
    leaf = timestamp_leaf(between)
    whole = Authority((leaf.der, between.der, WHO.tsa_root.der), "https://tsa.example.com")
    assert times(made(leaf), trusted=(whole,)) == (FOUND,)
    without = Authority((between.der, WHO.tsa_root.der), "https://tsa.example.com")
    assert times(made(leaf, embed=[leaf.certificate]), trusted=(without,)) == (FOUND,)
    with pytest.raises(VerificationError):
        times(made(leaf), trusted=(without,))
    other = timestamp_leaf(between)  # by the same intermediate, and not the one that the trusted root has
    with pytest.raises(VerificationError):
        times(made(other, embed=[other.certificate]), trusted=(whole,))


def test_several() -> None:
    """All that are by trusted authorities count; those of others are left out; the same one twice is a trick."""
    later = made(at=AT + SECOND)
    assert times(made(stranger().tsa), made(), later) == (FOUND, replace(FOUND, at=AT + SECOND))
    with pytest.raises(VerificationError, match="comes twice"):
        times(later, later)
    with pytest.raises(Malformed, match=f"33 of them, {MAX_TIMESTAMPS} are the most"):
        times(*(bytes([n]) for n in range(33)))
    with pytest.raises(VerificationError, match=r"number 1: .*; number 2: "):
        times(made(stranger().tsa), made(data=b"x"))


SIGNER = WHO.leaf()  # which is no timestamp authority
REFUSED: dict[str, tuple[bytes, type[TilesError], str]] = {
    "over something else": (made(data=b"another signature"), VerificationError, "Mismatch between messages"),
    "by a stranger": (made(stranger().tsa), VerificationError, "tsa.example.com: signer certificate not found"),
    "by a stranger, with certificates": (
        made(stranger().tsa, embed=[stranger().tsa.certificate, stranger().tsa_root.certificate]),
        VerificationError,
        "tsa.example.com: self.signed certificate in certificate chain",
    ),
    "by a stranger, in the name of ours": (
        made(stranger().tsa, claimed=WHO.tsa.certificate),
        VerificationError,
        "signature",
    ),
    "over SHA-1": (made(hash="sha1"), VerificationError, "Unsupported hash"),
    "not granted": (made(status=2), Malformed, r"did not grant it \(PKIStatus\): 2"),
    "granted with changes": (made(status=1), Malformed, "did not grant it"),
    "with a certificate of version 35": (
        made(embed=[WHO.tsa.certificate]).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x22", 1),
        Malformed,
        "malformed certificate of a signed timestamp: not an X.509 certificate of version 3",
    ),
    "too long": (bytes(20_000), Malformed, "more than 16384 bytes: 20000"),
    "something else": (b"x", Malformed, "malformed signed timestamp"),
    "cut short": (made()[:-1], Malformed, "malformed signed timestamp"),
    "one byte more": (made() + b"\0", Malformed, "malformed signed timestamp"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    """An error that says why."""
    timestamp, kind, reason = REFUSED[case]
    with pytest.raises(kind, match=reason):
        times(timestamp)


def test_certificates_that_are_not_for_timestamps() -> None:
    """One inside, issued by a trusted authority, has to be for timestamps alone."""
    code = WHO.leaf(by=WHO.tsa_root, begin=T0 - DAY, lifetime=9 * DAY)
    with pytest.raises(VerificationError):
        times(made(code, embed=[code.certificate]), trusted=(ROOT_ONLY,))


def test_no_timestamp_and_no_authority() -> None:
    """Each is said."""
    with pytest.raises(VerificationError, match="no signed timestamp by an authority that is trusted: there is none"):
        times()
    with pytest.raises(VerificationError, match="the trusted root has no timestamp authority") as caught:
        times(made(), trusted=())
    assert caught.value.hint == "add timestampAuthorities to the trusted root"
    odd = Authority((b"of a newer kind",), "https://odd")
    assert times(made(), trusted=(odd, OWN)) == (FOUND,)
    with pytest.raises(VerificationError, match="https://odd: malformed certificate of the trusted root"):
        times(made(), trusted=(odd,))


def test_every_byte_changed() -> None:
    """Each change is refused, or is of what is not signed (versions, the name of the algorithm) and changes nothing."""
    timestamp = made()
    same = 0
    for at in range(len(timestamp)):
        changed = bytearray(timestamp)
        changed[at] ^= 1 << at % 8
        try:
            assert times(bytes(changed)) == (FOUND,)
            same += 1
        except (Malformed, VerificationError):
            pass
    assert same < 30


def test_the_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever lacks it is told what to install."""
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    with pytest.raises(UsageError) as caught:
        parse_timestamp(made())
    assert caught.value.hint == "pip install 'tiletree[sigstore]'"


@pytest.mark.skipif(not shutil.which("openssl"), reason="NOT TESTED against OpenSSL: it is not installed")
def test_openssl_agrees(tmp_path: Path) -> None:
    """What the tests make is a timestamp for others as well, and OpenSSL's are for us."""
    (tmp_path / "data").write_bytes(SIGNATURE)
    (tmp_path / "good.tsr").write_bytes(made(embed=[WHO.tsa.certificate]))
    (tmp_path / "root.pem").write_bytes(WHO.tsa_root.certificate.public_bytes(Encoding.PEM))
    at = str(int(AT.timestamp()))
    command = ["openssl", "ts", "-verify", "-data", "data", "-in", "good.tsr", "-CAfile", "root.pem", "-attime", at]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "Verification: OK" in done.stdout + done.stderr
