"""The path from a certificate to an authority of the trusted root, at the time of the signature."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.sigstore_authority import (
    DAY,
    LIFETIME,
    T0,
    Signed,
    authority,
    certificate_authority,
    general_name,
    issue,
    name_of,
    stranger,
    usage,
)
from tiles.errors import Malformed, VerificationError
from tiles.sigstore.certificate import parse_certificate
from tiles.sigstore.chain import MAX_INTERMEDIATES, verify_chain
from tiles.sigstore.trusted_root import Authority, Period

WHO = authority()
SECOND = timedelta(seconds=1)
INSTANT = timedelta(microseconds=1)
SIGNS = (usage(digital_signature=True), True)
FOR_CODE = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)
FOR_SERVERS = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
ISSUES = [(x509.BasicConstraints(True, 0), True), (usage(key_cert_sign=True), True)]


def trusted(*chain: Signed, period: Period = Period()) -> Authority:  # noqa: B008  it is frozen
    """Return an authority of a trusted root."""
    return Authority(tuple(each.der for each in chain or (WHO.intermediate, WHO.root)), "https://ca", period=period)


def path_of(leaf: Signed, *authorities: Authority, at: datetime = T0, added: tuple[bytes, ...] = ()) -> list[bytes]:
    """Return the certificates of the path."""
    found = verify_chain(parse_certificate(leaf.der), authorities or (trusted(),), at, added)
    return [each.public_bytes(Encoding.DER) for each in found]


def test_the_path() -> None:
    """Certificate, intermediate, root; or certificate and root; whichever authority of several it is."""
    leaf = WHO.leaf()
    assert path_of(leaf) == [leaf.der, WHO.intermediate.der, WHO.root.der]
    assert path_of(leaf, trusted(stranger().intermediate, stranger().root), trusted())[1:] == [
        WHO.intermediate.der,
        WHO.root.der,
    ]
    own = WHO.leaf(by=WHO.root)
    assert path_of(own, trusted(WHO.root)) == [own.der, WHO.root.der]


def test_authorities_that_cannot_be_read() -> None:
    """One that is of a kind that this library does not know leaves the others as they are."""
    odd = Authority((b"of a newer kind",), "https://odd")
    assert path_of(WHO.leaf(), odd, trusted())
    with pytest.raises(VerificationError, match="https://odd: malformed certificate of the trusted root"):
        path_of(WHO.leaf(), odd)


def test_certificates_that_come_along() -> None:
    """An intermediate may come with the signature; a root that does makes nothing trusted."""
    leaf = WHO.leaf()
    assert len(path_of(leaf, trusted(WHO.root), added=(WHO.intermediate.der,))) == 3
    with pytest.raises(VerificationError, match="no certificate authority of the trusted root has issued"):
        path_of(leaf, trusted(stranger().root), added=(WHO.intermediate.der, WHO.root.der))
    with pytest.raises(Malformed, match=f"9 certificates, {MAX_INTERMEDIATES} are the most"):
        path_of(leaf, added=(WHO.intermediate.der,) * 9)


AT: dict[str, tuple[datetime, bool]] = {
    "as it begins": (T0, True),
    "just before": (T0 - INSTANT, False),
    "as it ends": (T0 + LIFETIME, True),
    "just after": (T0 + LIFETIME + INSTANT, False),
    "years later": (T0 + 3650 * DAY, False),
}


@pytest.mark.parametrize(("at", "valid"), AT.values(), ids=AT)
def test_when_it_is_valid(at: datetime, valid: bool) -> None:
    """Both ends included, and nothing of a second beyond them."""
    if valid:
        assert path_of(WHO.leaf(), at=at)
        return
    with pytest.raises(VerificationError, match="was not valid when this was signed"):
        path_of(WHO.leaf(), at=at)


def test_when_the_authority_is_trusted() -> None:
    """The period of the trusted root counts, both ends included, and so does that of its own certificates."""
    for period in (Period(T0, T0), Period(), Period(end=T0), Period(T0)):
        assert path_of(WHO.leaf(), trusted(period=period))
    for period in (Period(T0 + INSTANT), Period(end=T0 - INSTANT)):
        with pytest.raises(VerificationError, match="https://ca is not trusted at that time"):
            path_of(WHO.leaf(), trusted(period=period))
    ended = {"begin": T0 - 9 * DAY, "end": T0 + SECOND}
    root = certificate_authority("root", **ended)
    between = certificate_authority("between", root)
    assert path_of(WHO.leaf(by=between), trusted(between, root), at=T0 + SECOND)
    for late in (T0 + SECOND + INSTANT, T0 + 2 * SECOND):
        with pytest.raises(VerificationError, match="not valid at"):
            path_of(WHO.leaf(by=between), trusted(between, root), at=late)
    with pytest.raises(VerificationError, match="not valid at"):
        path_of(WHO.leaf(by=between), trusted(root), at=late, added=(between.der,))


def test_the_path_that_was_valid() -> None:
    """Where an authority was renewed with the same key, the path is that of the time of the signature."""
    old = certificate_authority("between", WHO.root, end=T0 + SECOND)
    new = certificate_authority("between", WHO.root, key=old.key, begin=T0)
    assert path_of(WHO.leaf(by=old), trusted(old, new, WHO.root), at=T0 + 2 * SECOND)[1] == new.der


def by_a(*extensions: Any, **options: Any) -> Callable[[], Any]:
    """Return what calls for the path of a certificate by an intermediate with these extensions."""

    def call() -> Any:
        between = issue(name_of("between"), WHO.root, list(extensions), **options)
        return path_of(WHO.leaf(by=between), trusted(between, WHO.root))

    return call


def of_a(*extensions: Any, **options: Any) -> Callable[[], Any]:
    """Return what calls for the path of a certificate with these extensions, instead of the right ones."""
    return lambda: path_of(WHO.leaf(**({"extensions": list(extensions)} if extensions else {}), **options))


NAMED_ELSEWHERE = x509.NameConstraints([x509.RFC822Name("example.org")], None)
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "another authority of the same name": (lambda: path_of(stranger().leaf()), "signature does not match"),
    "no authority": (lambda: verify_chain(parse_certificate(WHO.leaf().der), (), T0), "the trusted root has none"),
    "not for code signing": (of_a(SIGNS, FOR_SERVERS), "the certificate is not for code signing"),
    "for nothing in particular": (of_a(SIGNS), "extension extended key usage: Certificate is missing required"),
    "no key usage": (of_a(FOR_CODE), "extension key usage: Certificate is missing required extension"),
    "other key usage": (of_a((usage(content_commitment=True), True), FOR_CODE), "key is not for digital signatures"),
    "it may issue certificates": (of_a(added=[(x509.BasicConstraints(True, None), True)]), "basicConstraints.cA"),
    "critical extension that nobody knows": (
        of_a(added=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), True)]),
        "critical",
    ),
    "by one that is no authority": (
        by_a((x509.BasicConstraints(False, None), True), SIGNS),
        "basicConstraints.cA must be asserted",
    ),
    "by one that may not issue": (by_a(ISSUES[0], SIGNS), "keyCertSign must be asserted"),
    "by one without key usage": (  # as `openssl req -x509` makes them
        by_a(ISSUES[0]),
        "an authority that could have issued it: extension key usage: Certificate is missing required extension",
    ),
    "by one for servers": (by_a(*ISSUES, FOR_SERVERS), "an authority that is not for code signing"),
    "by one for other names": (by_a(*ISSUES, (NAMED_ELSEWHERE, True)), "name constraints"),
    "by one that is over": (by_a(*ISSUES, begin=T0 - 9 * DAY, end=T0 - DAY), "not valid at validation time"),
    "a path that is too long": (
        lambda: path_of(
            WHO.leaf(by=(lower := certificate_authority("lower", WHO.intermediate))),
            trusted(lower, WHO.intermediate, WHO.root),
        ),
        "path length constraint",
    ),
    "by another signer's certificate": (
        lambda: path_of(WHO.leaf(by=_SIGNER), added=(_SIGNER.der,)),
        "basicConstraints.cA must be asserted",
    ),
}
_SAN = x509.SubjectAlternativeName([general_name("a@example.com")])
_SIGNER = issue(
    name_of("x"), WHO.intermediate, [SIGNS, FOR_CODE, (_SAN, True), (x509.BasicConstraints(False, None), True)]
)


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    """VerificationError, which says why."""
    call, reason = REFUSED[case]
    with pytest.raises(VerificationError, match=reason) as caught:
        call()
    assert "encountered processing" not in caught.value.message
    assert len(caught.value.message) < 400


def test_intermediates_without_limited_purposes() -> None:
    """One that is for everything is for code signing as well."""
    assert by_a(*ISSUES)()
