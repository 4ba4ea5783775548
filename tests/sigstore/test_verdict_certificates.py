"""The verdict on a bundle of a certificate: whom it has to be of, at which time, and that it is what was logged."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.signed_bundles import NOW, digests, envelope_of, logged, message_of, public, signer
from tests.support.signed_text import LOG
from tests.support.sigstore_authority import IDENTITY, ISSUER, T0, Authority, authority, log_instance, period, stranger
from tiles.errors import LogError, PolicyError, SignatureError, UsageError, VerificationError
from tiles.notes.policy import policy_for
from tiles.sigstore.bundle import Bundle, parse_bundle
from tiles.sigstore.dsse import Envelope
from tiles.sigstore.hashedrekord import make_hashedrekord
from tiles.sigstore.identity import demand
from tiles.sigstore.trusted_root import parse_trusted_root
from tiles.sigstore.verdict import Verdict, verify_bundle

DEMANDED = demand(IDENTITY, ISSUER)


def certified(
    *, by: Authority | None = None, envelope: bool = False, stamp: bool = True, bare: bool = False, **leaf: Any
) -> Bundle:
    """Return a bundle with a certificate. bare: its key is logged instead."""
    by = by or authority()
    private = signer()
    certificate = by.leaf(key=private, **leaf).der
    content = envelope_of(private) if envelope else message_of(private)
    digest = digests(content.signed)["SHA2_256"] if isinstance(content, Envelope) else content.digest
    body = make_hashedrekord(digest, content.signature, public(private), b"" if bare else certificate).data
    stamps = (by.timestamp(content.signature),) if stamp else ()
    return Bundle(content, (certificate,), "", (logged(body),), stamps)


def verify(bundle: Bundle, trust: Any = None, demanded: Any = DEMANDED, **instance: Any) -> Verdict:
    """Return the verdict on a bundle, as it is when it was written and read."""
    log = {**log_instance(LOG.verifier), **instance}
    trust = trust or parse_trusted_root(authority().trusted_root_bytes(log))
    return verify_bundle(parse_bundle(bundle.data), digests(), trust, demanded, NOW)


@pytest.mark.parametrize("envelope", [False, True], ids=["message", "envelope"])
def test_good(envelope: bool) -> None:
    """At the time of the timestamp, long after the certificate was over."""
    verdict = verify(certified(envelope=envelope))
    assert verdict.checked
    assert verdict.checked.certificate.identities[0].value == IDENTITY
    assert verdict.time == T0 + timedelta(minutes=1)
    assert (verdict.statement is not None) == envelope


def expired() -> dict[str, Any]:
    """Return the key of a log that is not trusted any more, since before the signature was made."""
    key = log_instance(LOG.verifier)["publicKey"]
    return {"publicKey": {**key, "validFor": period(end=T0)}}


SPOILED: dict[str, tuple[Callable[[], Bundle], dict[str, Any], type[LogError], str]] = {
    "another identity": (certified, {"demanded": demand("eve@example.com", ISSUER)}, VerificationError, "identity is"),
    "another issuer": (certified, {"demanded": demand(IDENTITY, "https://x.example")}, VerificationError, "issuer is"),
    "a key is demanded": (certified, {"demanded": public(signer())}, SignatureError, "signed with a certificate"),
    "no timestamp": (lambda: certified(stamp=False), {}, VerificationError, "there is no signed timestamp"),
    "another authority": (lambda: certified(by=stranger()), {}, VerificationError, "timestamp"),
    "the bare key was logged": (lambda: certified(bare=True), {}, VerificationError, "a key was logged"),
    "another certificate was logged": (
        lambda: replace(certified(), certificates=certified().certificates),
        {},
        VerificationError,
        "another",
    ),
    "the log is not trusted any more": (certified, expired(), PolicyError, "the trusted root trusts"),
}


@pytest.mark.parametrize(("make", "call", "error", "problem"), SPOILED.values(), ids=SPOILED)
def test_spoiled(make: Callable[[], Bundle], call: dict[str, Any], error: type[LogError], problem: str) -> None:
    """Each is refused, by the check that is about it."""
    with pytest.raises(error, match=problem):
        verify(make(), **call)


def test_what_a_call_lacks() -> None:
    """A policy names no authorities; an identity is not that of a key."""
    with pytest.raises(UsageError, match="a policy names none"):
        verify(certified(), policy_for(LOG.verifier))
    keyed = certified(bare=True)
    with pytest.raises(SignatureError, match="signed by a key, and a certificate was demanded"):
        verify(replace(keyed, certificates=()))


def test_a_key_whose_log_is_over() -> None:
    """A signature of a key needs no time; where the log's key is over, a timestamp shows that it was made before."""
    keyed = certified(bare=True)
    bundle = replace(keyed, certificates=())
    end = T0 + timedelta(hours=1)
    key = {**log_instance(LOG.verifier)["publicKey"], "validFor": period(end=end)}
    log = log_instance(LOG.verifier) | {"publicKey": key}
    root = parse_trusted_root(json.dumps(authority().trusted_root(log)).encode())
    assert verify(bundle, root, public(signer())).time == T0 + timedelta(minutes=1)
    with pytest.raises(PolicyError, match="nothing shows that the entry is of that time"):
        verify(replace(bundle, timestamps=()), root, public(signer()))
