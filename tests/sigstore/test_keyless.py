"""Whether a certificate's holder has made a signature: all checks together, and which time counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.support.sigstore_authority import IDENTITY, ISSUER, LIFETIME, T0, Sct, Signed, authority, stranger
from tests.support.timestamping import Timestamp
from tiles.errors import LogError, VerificationError
from tiles.sigstore.certificate import Certificate
from tiles.sigstore.identity import demand
from tiles.sigstore.keyless import CheckedCertificate, check_certificate
from tiles.sigstore.timestamp import VerifiedTime
from tiles.sigstore.trusted_root import parse_trusted_root

WHO = authority()
ROOT = parse_trusted_root(WHO.trusted_root_bytes())
SIGNATURE = b"a signature"
MINUTE = timedelta(minutes=1)
DEMANDED = demand(IDENTITY, ISSUER)


def stamp(at: Any = T0 + MINUTE, by: Any = WHO, data: bytes = SIGNATURE, **values: Any) -> bytes:
    """Return a timestamp of the signature."""
    return by.timestamp(data, Timestamp(at, **values))


def check(leaf: Signed | None = None, *timestamps: bytes, **options: Any) -> CheckedCertificate:
    """Return what is known of a certificate."""
    leaf = leaf or WHO.leaf()
    log_times = options.pop("log_times", ())
    called: dict[str, Any] = {"root": ROOT, "rule": DEMANDED, "certificates": [leaf.der], **options}
    return check_certificate(
        called["certificates"], SIGNATURE, timestamps, called["root"], called["rule"], log_times=log_times
    )


def test_which_time_counts() -> None:
    """The earliest at which the signature existed; the certificate was valid at each of them."""
    found = check(None, stamp(T0 + 3 * MINUTE), stamp(T0 + 2 * MINUTE))
    assert [each.at for each in found.times] == [T0 + 2 * MINUTE, T0 + 3 * MINUTE]
    assert found.time == VerifiedTime(T0 + 2 * MINUTE, "https://authority.example.com")
    assert [each.log for each in found.scts] == ["https://ct.example.com"]
    assert found.certificate.identities[0].value == IDENTITY


def test_times_of_a_log() -> None:
    """Rekor v1 promised a time, which counts as others do; beside it a timestamp still has to be a right one."""
    promised = VerifiedTime(T0 + MINUTE, "rekor.example.com")
    assert check(log_times=[promised]).time == promised
    assert check(None, stamp(T0 + 2 * MINUTE), log_times=[promised]).time == promised
    with pytest.raises(VerificationError, match="Mismatch between messages"):
        check(None, stamp(data=b"x"), log_times=[promised])
    with pytest.raises(VerificationError, match="not valid when this was signed, at 2026-06-01 12:11:00 UTC"):
        check(None, stamp(), log_times=[VerifiedTime(T0 + 11 * MINUTE, "rekor.example.com")])


def test_other_rules() -> None:
    """An admission policy brings a rule of its own, which is asked last, about a certificate that was verified."""

    class Nobody:
        def check(self, certificate: Certificate) -> None:
            raise VerificationError(f"nobody, not even {certificate.identities[0].value}")

    with pytest.raises(VerificationError, match=f"nobody, not even {IDENTITY}"):
        check(None, stamp(), rule=Nobody())
    with pytest.raises(VerificationError, match="no certificate authority"):
        check(stranger().leaf(), stamp(), rule=Nobody())


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no certificate": (lambda: check(None, stamp(), certificates=[]), "there is no certificate"),
    "no certificate but bytes": (lambda: check(None, stamp(), certificates=[b"x"]), "malformed certificate"),
    "no time": (check, "nothing says when this was signed"),
    "another signature was stamped": (lambda: check(None, stamp(data=b"x")), "Mismatch between messages"),
    "a stranger's timestamp": (lambda: check(None, stamp(by=stranger())), "no signed timestamp by an authority"),
    "stamped too late": (lambda: check(None, stamp(T0 + LIFETIME + MINUTE)), "was not valid when this was signed"),
    "one of two too late": (lambda: check(None, stamp(), stamp(T0 + LIFETIME + MINUTE)), "was not valid when this was"),
    "a stranger's certificate": (lambda: check(stranger().leaf(), stamp()), "no certificate authority of the trusted"),
    "a stranger's authority comes along": (
        lambda: check(None, stamp(), certificates=[each.der for each in _STRANGERS]),
        "no certificate authority of the trusted",
    ),
    "no CT log": (lambda: check(WHO.leaf(scts=()), stamp()), "no signed certificate timestamp"),
    "a stranger's CT log": (
        lambda: check(WHO.leaf(scts=(Sct(key=stranger().ct_key),)), stamp()),
        "which the trusted root",
    ),
    "somebody else": (lambda: check(WHO.leaf("eve@example.com"), stamp()), "identity is 'eve@example.com'"),
    "vouched for by somebody else": (lambda: check(WHO.leaf(issuer="https://x"), stamp()), "issuer is 'https://x'"),
}
_STRANGERS = (stranger().leaf(), stranger().intermediate, stranger().root)


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    """By the check that is about it, and not before."""
    call, message = REFUSED[case]
    with pytest.raises(LogError, match=message):
        call()
