"""Promises of logs of certificates, inside a certificate."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.support.sigstore_authority import T0, Sct, authority, key_of, sct_list, spki_of, stranger
from tiles.errors import Malformed, SignatureError, TilesError, VerificationError
from tiles.sigstore.certificate import parse_certificate
from tiles.sigstore.sct import MAX_SCTS, VerifiedSct, verify_scts
from tiles.sigstore.trusted_root import Period, TrustedLog, parse_trusted_root

WHO = authority()
(LOG,) = parse_trusted_root(WHO.trusted_root_bytes()).ct_logs
FOUND = VerifiedSct("https://ct.example.com", T0)
INSTANT = timedelta(milliseconds=1)


def log_of(key: Any, url: str = "https://ct2.example.com", period: Period | None = None) -> TrustedLog:
    """Return a log of a trusted root."""
    return TrustedLog(url, spki_of(key), "", b"", period or Period())


def found_in(*scts: Sct, logs: tuple[TrustedLog, ...] = (LOG,), by: Any = None) -> tuple[VerifiedSct, ...]:
    """Return what the promises in a certificate of our authority say."""
    by = by or WHO.intermediate
    certificate = parse_certificate(WHO.leaf(scts=scts, by=by).der)
    return verify_scts(certificate, by.certificate, logs)


def test_promises() -> None:
    """One, one with extensions, which are signed too, one with a fraction of a second, several, by several logs."""
    odd = T0 + timedelta(milliseconds=123)
    other = log_of(stranger().ct_key)
    assert found_in(Sct()) == (FOUND,)
    assert found_in(Sct(extensions=b"\0\0\5abcde")) == (FOUND,)
    assert found_in(Sct(odd)) == (replace(FOUND, at=odd),)
    assert found_in(Sct(), Sct(key=stranger().ct_key), logs=(LOG, other)) == (FOUND, replace(FOUND, log=other.base_url))
    assert found_in(Sct(), by=WHO.root) == (FOUND,)
    p384 = key_of(ec.SECP384R1())
    assert len(found_in(Sct(key=p384), logs=(log_of(p384),))) == 1


def test_promises_of_others_are_left_out() -> None:
    """Who issues certificates may log them at logs that this verifier does not trust, or not at that time."""
    assert found_in(Sct(key=stranger().ct_key), Sct()) == (FOUND,)
    unreadable = TrustedLog("https://new.example.com", b"a key of a new kind", "NEW", b"")
    assert found_in(Sct(), logs=(unreadable, LOG)) == (FOUND,)
    early = replace(LOG, period=Period(end=T0 - INSTANT))
    assert found_in(Sct(), Sct(T0 - INSTANT), logs=(early,)) == (replace(FOUND, at=T0 - INSTANT),)


def test_periods() -> None:
    """Both ends are included; a key that has two periods is trusted in each."""
    for period in (Period(T0, T0), Period(T0), Period(end=T0)):
        assert found_in(Sct(), logs=(replace(LOG, period=period),)) == (FOUND,)
    for period in (Period(T0 + INSTANT), Period(end=T0 - INSTANT)):
        with pytest.raises(VerificationError, match=r"2026-06-01 12:00:00 UTC, when that log was not trusted"):
            found_in(Sct(), logs=(replace(LOG, period=period),))
    twice = (replace(LOG, period=Period(end=T0 - INSTANT)), replace(LOG, period=Period(T0)))
    assert found_in(Sct(), logs=twice) == (FOUND,)


WRONG: dict[str, tuple[tuple[Sct, ...], type[TilesError], str]] = {
    "none": ((), VerificationError, "has no signed certificate timestamp"),
    "by a log that is not trusted": (
        (Sct(key=stranger().ct_key),),
        VerificationError,
        "which the trusted root does not have",
    ),
    "of another algorithm": ((Sct(algorithm=b"\5\3"),), SignatureError, "is not by https://ct.example.com"),
    "of RSA, by an ECDSA key": ((Sct(algorithm=b"\4\1"),), SignatureError, "is not by https://ct.example.com"),
    "of another version": ((Sct(version=1),), Malformed, "not in its format"),
    "one wrong beside a right one": ((Sct(), Sct(algorithm=b"\5\3")), SignatureError, "is not by"),
    "too many": ((Sct(),) * (MAX_SCTS + 1), Malformed, f"17, {MAX_SCTS} are the most"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_refused(case: str) -> None:
    """An error that says why."""
    scts, kind, reason = WRONG[case]
    with pytest.raises(kind, match=reason):
        found_in(*scts)


def test_what_is_signed() -> None:
    """The promise is about this certificate, by this issuer: with another of either it is wrong."""
    certificate = parse_certificate(WHO.leaf().der)
    with pytest.raises(SignatureError):
        verify_scts(certificate, WHO.root.certificate, (LOG,))
    one = WHO.leaf(scts=())
    sct = Sct().encoded(one.certificate.tbs_certificate_bytes, spki_of(WHO.intermediate.key), WHO.ct_key, T0)
    moved = parse_certificate(WHO.leaf("other@example.com", scts=(), added=[(sct_list([sct]), False)]).der)
    with pytest.raises(SignatureError):
        verify_scts(moved, WHO.intermediate.certificate, (LOG,))


def test_the_list_is_parsed_strictly() -> None:
    """Nothing behind it, nothing missing, no promise of no length; an empty list is none."""
    good = Sct().encoded(b"x", spki_of(WHO.intermediate.key), WHO.ct_key, T0)
    for bad in ([good + b"\0"], [good[:-1]], [b""], [good[:33] + b"\xff" * 8 + good[41:]]):
        certificate = WHO.leaf(scts=(), added=[(sct_list(bad), False)])
        with pytest.raises(Malformed):
            verify_scts(parse_certificate(certificate.der), WHO.intermediate.certificate, (LOG,))
    empty = parse_certificate(WHO.leaf(scts=(), added=[(sct_list([]), False)]).der)
    with pytest.raises(VerificationError, match="its list is empty"):
        verify_scts(empty, WHO.intermediate.certificate, (LOG,))


@pytest.mark.slow
def test_logs_with_rsa_keys() -> None:
    """RSA of 2048 bits or more; the log goes by the hash of its key, whatever the trusted root says."""
    for bits, kind in ((2048, None), (1024, SignatureError)):
        key = rsa.generate_private_key(65537, bits)
        log = TrustedLog("https://rsa.example.com", spki_of(key), "", sha256(b"something else").digest())
        if kind is None:
            assert [each.log for each in found_in(Sct(key=key, algorithm=b"\4\1"), logs=(log,))] == [log.base_url]
        else:
            with pytest.raises(kind):
                found_in(Sct(key=key, algorithm=b"\4\1"), logs=(log,))
