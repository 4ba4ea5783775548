"""Certificates, promises of CT logs, timestamps, regular expressions, and what is decided about them: what is damaged
in `fuzzing`, beside the other parsers.

Those that decide hold what the verdict promises: what is accepted is signed as it stands, or says the same.
"""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.fuzz_parsers import Target, encoded, of_text
from tests.support.sigstore_authority import (
    IDENTITY,
    ISSUER,
    SCT_LIST,
    T0,
    WORKFLOW,
    WORKFLOW_CLAIMS,
    Sct,
    authority,
    issue,
    spki_of,
)
from tests.support.timestamping import Timestamp
from tiles.errors import Malformed, UsageError, VerificationError
from tiles.sigstore.certificate import parse_certificate
from tiles.sigstore.identity import demand
from tiles.sigstore.keyless import check_certificate
from tiles.sigstore.pattern import Pattern, parse_pattern
from tiles.sigstore.sct import verify_scts
from tiles.sigstore.timestamp import VerifiedTime, verify_timestamps
from tiles.sigstore.trusted_root import parse_trusted_root

VERDICT = (Malformed, VerificationError)

_WHO = authority()
_ROOT = parse_trusted_root(_WHO.trusted_root_bytes())
_DEMANDED = demand(IDENTITY, ISSUER)
_SIGNATURE = b"a signature"
_AT = T0 + timedelta(minutes=1)
_FOUND = (VerifiedTime(_AT, _ROOT.timestamp_authorities[0].uri),)
_KEY = _WHO.leaf().key
_CERTIFICATES = (
    _WHO.leaf(),
    _WHO.leaf(scts=(Sct(extensions=b"\0\0\5abcde"),)),
    _WHO.leaf(IDENTITY, claims=WORKFLOW_CLAIMS),
    _WHO.leaf(IDENTITY, by=_WHO.root),
)
_NAMED_OTHERWISE = (_WHO.leaf(WORKFLOW, claims=WORKFLOW_CLAIMS), _WHO.leaf("user!x", issuer=None, issuer_v1=ISSUER))
_TIMESTAMPS = tuple(
    _WHO.timestamp(_SIGNATURE, Timestamp(_AT, **values))
    for values in ({}, {"embed": [_WHO.tsa.certificate]}, {"hash": "sha512", "accuracy": 1, "nonce": 2**63})
)
_SEEDS = frozenset(each.der for each in _CERTIFICATES)


def _judged(data: bytes) -> bytes:
    """Return a certificate that is accepted, which has to be one that the authority has issued, to the byte."""
    check_certificate([data], _SIGNATURE, [], _ROOT, _DEMANDED, log_times=_FOUND)
    assert data in _SEEDS
    return data


def _with_list(value: bytes) -> x509.Certificate:
    """Return a certificate with these bytes in the place of its promises. It is the same one but for them."""
    names = x509.SubjectAlternativeName([x509.RFC822Name(IDENTITY)])
    extensions: list[tuple[x509.ExtensionType, bool]] = [(names, True)]
    if value:
        extensions.append((x509.UnrecognizedExtension(SCT_LIST, value), False))
    return issue(x509.Name([]), _WHO.intermediate, extensions, key=_KEY, serial=1).certificate


def _lists() -> tuple[bytes, ...]:
    """Return promises about that certificate, without and with extensions, as the bytes in it."""
    before = _with_list(b"").tbs_certificate_bytes
    made = []
    for sct in (Sct(), Sct(extensions=b"abc")):
        one = sct.encoded(before, spki_of(_WHO.intermediate.key), _WHO.ct_key, T0)
        inner = (len(one) + 2).to_bytes(2, "big") + len(one).to_bytes(2, "big") + one
        made.append(b"\4" + (bytes([len(inner)]) if len(inner) < 128 else b"\x81" + bytes([len(inner)])) + inner)
    return tuple(made)


_LISTS = _lists()


def _promised(data: bytes) -> bytes:
    """Return a list that is accepted, which has to be one that was made, to the byte."""
    certificate = parse_certificate(_with_list(data).public_bytes(_DER))
    verify_scts(certificate, _WHO.intermediate.certificate, _ROOT.ct_logs)
    assert data in _LISTS
    return data


def _stamped(data: bytes) -> bytes:
    """Return a timestamp that is accepted, which has to say the time that was signed."""
    assert verify_timestamps([data], _SIGNATURE, _ROOT.timestamp_authorities) == _FOUND
    return data


def _tried(text: str) -> Pattern:
    """Return an expression, with which something was matched."""
    pattern = parse_pattern(text)
    pattern.matches(WORKFLOW)
    pattern.finds("a" * 100)
    return pattern


_EXPRESSIONS = (
    rb"^https://github\.com/example/.*$",
    rb"(?i)[\w.+-]+@(?:eng|ops){1,3}\.example\.(com|org)",
    b"(a+)+b|x??",
)
_DER = Encoding.DER

CERTIFICATES = (
    Target(
        "certificate",
        parse_certificate,
        lambda certificate: certificate.der,
        tuple(each.der for each in (*_CERTIFICATES, *_NAMED_OTHERWISE)),
    ),
    Target("certificate, judged", _judged, bytes, tuple(each.der for each in _CERTIFICATES), refusals=VERDICT),
    Target("promises of CT logs", _promised, bytes, _LISTS, refusals=VERDICT),
    Target("timestamp", _stamped, bytes, _TIMESTAMPS, refusals=VERDICT),
    Target(
        "regular expression",
        of_text(_tried),
        encoded(lambda pattern: pattern.text),
        _EXPRESSIONS,
        refusals=(UsageError,),
    ),
)
