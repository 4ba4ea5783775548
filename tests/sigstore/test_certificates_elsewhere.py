"""sigstore-python (`sigstore` on the Python index) says of bundles of our authority what we say.

Where the two differ, the table says so: each row has both verdicts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.sampling import quickly
from tests.support.signed_bundles import ARTIFACT, NOW, digests, logged, message_of, public, signer
from tests.support.signed_text import LOG
from tests.support.sigstore_authority import (
    IDENTITY,
    ISSUER,
    LIFETIME,
    T0,
    WORKFLOW,
    Authority,
    Sct,
    authority,
    certificate_authority,
    log_instance,
    period,
    stranger,
    usage,
)
from tests.support.timestamping import Timestamp
from tiles.errors import TilesError
from tiles.sigstore.bundle import Bundle, parse_bundle
from tiles.sigstore.hashedrekord import make_hashedrekord
from tiles.sigstore.identity import demand
from tiles.sigstore.trusted_root import parse_trusted_root
from tiles.sigstore.verdict import verify_bundle

WHO = authority()
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def signed(
    *names: Any, stamps: tuple[Timestamp, ...] = (Timestamp(T0 + MINUTE),), tsa: Authority = WHO, **leaf: Any
) -> Bundle:
    """Return a bundle with a certificate of our authority."""
    private = signer()
    content = message_of(private)
    certificate = leaf.pop("who", WHO).leaf(*names, key=private, **leaf).der
    body = make_hashedrekord(content.digest, content.signature, public(private), certificate).data
    made = tuple(tsa.timestamp(content.signature, each) for each in stamps)
    return Bundle(content, (certificate,), "", (logged(body),), made)


def root_with(what: str, valid: dict[str, str]) -> dict[str, Any]:
    """Return a trusted root, of which one instance has another period."""
    root = WHO.trusted_root(log_instance(LOG.verifier))
    place = root[what][0]["publicKey"] if what == "ctlogs" else root[what][0]
    place["validFor"] = valid
    return root


def over_another() -> Bundle:
    """Return a bundle whose timestamp is that of another signature."""
    good = signed()
    return replace(good, timestamps=(WHO.timestamp(b"another"),))


SIGNS = (usage(digital_signature=True), True)
FOR_SERVERS = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
FOR_CODE = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)
OVER = period(end=T0 - MINUTE)

# name → (bundle, what else is called for, our verdict, theirs)
CASES: dict[str, tuple[Callable[[], Bundle], dict[str, Any], bool, bool]] = {
    "good": (signed, {}, True, True),
    "URI": (lambda: signed(WORKFLOW), {"identity": WORKFLOW}, True, True),
    "issuer in the older extension": (lambda: signed(issuer=None, issuer_v1=ISSUER), {}, True, True),
    "SCT with extensions": (lambda: signed(scts=(Sct(extensions=b"\0\0\5abcde"),)), {}, True, True),
    "certificate inside the timestamp": (
        lambda: signed(stamps=(Timestamp(T0 + MINUTE, embed=[WHO.tsa.certificate]),)),
        {},
        True,
        True,
    ),
    "two timestamps": (lambda: signed(stamps=(Timestamp(T0), Timestamp(T0 + MINUTE))), {}, True, True),
    "as it ends": (lambda: signed(stamps=(Timestamp(T0 + LIFETIME),)), {}, True, True),
    "by the root": (lambda: signed(by=WHO.root), {}, True, True),
    "another identity": (lambda: signed("eve@example.com"), {}, False, False),
    "another issuer": (lambda: signed(issuer="https://evil.example"), {}, False, False),
    "no issuer": (lambda: signed(issuer=None), {}, False, False),
    "no SCT": (lambda: signed(scts=()), {}, False, False),
    "SCT by a stranger": (lambda: signed(scts=(Sct(key=stranger().ct_key),)), {}, False, False),
    "no timestamp": (lambda: signed(stamps=()), {}, False, False),
    "timestamp of another signature": (over_another, {}, False, False),
    "timestamp by a stranger": (lambda: signed(tsa=stranger()), {}, False, False),
    "timestamp a second late": (lambda: signed(stamps=(Timestamp(T0 + LIFETIME + SECOND),)), {}, False, False),
    "timestamp a second early": (lambda: signed(stamps=(Timestamp(T0 - SECOND),)), {}, False, False),
    "one of two late": (lambda: signed(stamps=(Timestamp(T0), Timestamp(T0 + LIFETIME + SECOND))), {}, False, False),
    "certificate by a stranger": (lambda: signed(who=stranger()), {}, False, False),
    "for servers": (lambda: signed(extensions=[SIGNS, FOR_SERVERS]), {}, False, False),
    "no key usage": (lambda: signed(extensions=[FOR_CODE]), {}, False, False),
    "timestamp authority not trusted then": (signed, {"root": root_with("timestampAuthorities", OVER)}, False, False),
    # where sigstore-python is less strict, or more
    "issuer in the newer extension": (lambda: signed(issuer_v1=""), {}, True, False),
    "user name": (lambda: signed("user!x"), {"identity": "user!x"}, True, False),  # it compares the DER
    "certificate authority not trusted then": (
        signed,
        {"root": root_with("certificateAuthorities", OVER)},
        False,
        True,
    ),
    "CT log not trusted then": (signed, {"root": root_with("ctlogs", OVER)}, False, True),
    "two identities": (lambda: signed(IDENTITY, WORKFLOW), {}, False, True),
    "two SCTs": (lambda: signed(scts=(Sct(), Sct())), {}, True, False),
    "timestamp at the end of the authority's period": (
        signed,
        {"root": root_with("timestampAuthorities", period(end=T0 + MINUTE))},
        True,
        False,
    ),
    "by an intermediate that is over": (
        lambda: signed(by=certificate_authority("intermediate", WHO.root, end=T0 - MINUTE)),
        {},
        False,
        False,
    ),
}
QUICK = ("good", "another identity", "SCT by a stranger", "timestamp a second late")


def ours(bundle: Bundle, root: dict[str, Any], identity: str) -> None:
    """Verify with this library."""
    trust = parse_trusted_root(json.dumps(root).encode())
    verify_bundle(parse_bundle(bundle.data), digests(), trust, demand(identity, ISSUER), NOW)


def theirs(bundle: Bundle, root: dict[str, Any], identity: str, folder: Path) -> None:
    """Verify with sigstore-python, offline."""
    from sigstore.models import Bundle as TheirBundle
    from sigstore.models import TrustedRoot
    from sigstore.verify import Verifier
    from sigstore.verify.policy import Identity

    (folder / "root.json").write_text(json.dumps(root))
    verifier = Verifier(trusted_root=TrustedRoot.from_file(str(folder / "root.json")))
    policy = Identity(identity=identity, issuer=ISSUER)
    verifier.verify_artifact(ARTIFACT, TheirBundle.from_json(bundle.data), policy)


@pytest.mark.parametrize("case", quickly(CASES, QUICK))
def test_both_say(case: str, tmp_path: Path) -> None:
    """The table's verdicts."""
    from sigstore.errors import Error

    make, call, we, they = CASES[case]
    bundle, identity = make(), call.get("identity", IDENTITY)
    root = call.get("root") or WHO.trusted_root(log_instance(LOG.verifier))
    said = {}
    for name, verify, refusals in (
        ("ours", lambda: ours(bundle, root, identity), TilesError),
        ("theirs", lambda: theirs(bundle, root, identity, tmp_path), (Error, x509.ExtensionNotFound)),
    ):
        try:
            verify()
            said[name] = ""
        except refusals as error:
            said[name] = str(error) or type(error).__name__
    assert (not said["ours"], not said["theirs"]) == (we, they), said
