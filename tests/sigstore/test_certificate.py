"""What a certificate says, and which ones are not read at all."""

from __future__ import annotations

import json
from base64 import b64decode
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.sigstore_authority import (
    FULCIO,
    IDENTITY,
    ISSUER,
    T0,
    WORKFLOW,
    WORKFLOW_CLAIMS,
    WORKFLOW_ISSUER,
    authority,
    key_of,
    name_of,
    spki_of,
    utf8_string,
)
from tiles.errors import Malformed
from tiles.sigstore.certificate import MAX_CERTIFICATE_SIZE, Certificate, Identity, parse_certificate
from tiles.sigstore.public_key import certificate_key


def read(*names: Any, **options: Any) -> Certificate:
    """Return what a certificate of our authority says."""
    return parse_certificate(authority().leaf(*names, **options).der)


def other_name(oid: str, value: bytes) -> x509.OtherName:
    """Return a name of another kind."""
    return x509.OtherName(x509.ObjectIdentifier(oid), value)


def extension(number: int, raw: bytes) -> tuple[x509.ExtensionType, bool]:
    """Return one of Fulcio's extensions, with any bytes inside."""
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{FULCIO}.{number}"), raw), False


NAMES: dict[str | x509.GeneralName, Identity] = {
    IDENTITY: Identity("email", IDENTITY),
    WORKFLOW: Identity("uri", WORKFLOW),
    "user!example.com": Identity("username", "user!example.com"),
    other_name("1.2.3", b"\5\0"): Identity("other", "1.2.3 0500"),
    x509.DNSName("example.com"): Identity("dns", "example.com"),
    x509.DirectoryName(name_of("x")): Identity("other", "directory name CN=x,O=example.com"),
    x509.RegisteredID(x509.ObjectIdentifier("1.2.3")): Identity("other", "RegisteredID 1.2.3"),
}


@pytest.mark.parametrize(("name", "identity"), NAMES.items(), ids=[each.value[:20] for each in NAMES.values()])
def test_identities(name: Any, identity: Identity) -> None:
    """Each kind of name, as text."""
    assert read(name).identities == (identity,)


def test_what_a_workflow_claims() -> None:
    """Issuer, claims by the names of Fulcio's directory, and what is shown of it."""
    key = key_of()
    found = read(WORKFLOW, issuer=WORKFLOW_ISSUER, claims=WORKFLOW_CLAIMS, key=key)
    assert (found.issuer, found.repository, found.commit) == (
        WORKFLOW_ISSUER,
        "https://github.com/example/app",
        "2e" * 20,
    )
    assert found.workflow == WORKFLOW
    assert found.fulcio["Build Trigger"] == "push"
    assert found.spki == spki_of(key)
    assert (found.not_before, found.not_after) == (T0, T0 + timedelta(minutes=10))
    assert found.shown[:3] == (
        ("identity (uri)", WORKFLOW),
        ("issuer", WORKFLOW_ISSUER),
        ("build signer uri", WORKFLOW),
    )
    assert found.shown[-1] == ("valid until", "2026-06-01 12:10:00 UTC")


def test_older_extensions() -> None:
    """The issuer may stand in the older extension, also in both; so may older claims."""
    old = {2: "push", 3: "ab" * 20, 4: "release", 5: "example/app", 6: "refs/heads/main"}
    found = read(issuer=None, issuer_v1=ISSUER, claims=old)
    assert (found.issuer, found.repository, found.commit, found.workflow) == (
        ISSUER,
        "https://github.com/example/app",
        "ab" * 20,
        "release",
    )
    assert read(issuer=ISSUER, issuer_v1=ISSUER).issuer == ISSUER
    assert read(issuer=ISSUER, issuer_v1="").issuer == ISSUER
    assert read(issuer=None).issuer == ""


GOOD = authority().leaf().der
SERIAL = GOOD.index(b"\xa0\x03\x02\x01\x02\x02")  # of the version in front of it
# the last bit of a signature is 0 in every other certificate; then it can be said to be unused
EVEN = next(each for each in (authority().leaf() for _ in range(200)) if not each.certificate.signature[-1] & 1)
HALF = EVEN.der.removesuffix(b"\0" + EVEN.certificate.signature) + b"\1" + EVEN.certificate.signature
REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not an X.509 certificate of version 3"),
    "something else": (spki_of(key_of()), "not an X.509 certificate of version 3"),
    "PEM": (authority().root.certificate.public_bytes(Encoding.PEM), "not an X.509 certificate of version 3"),
    "cut short": (GOOD[:-1], "not an X.509 certificate in DER"),
    "one byte more": (GOOD + b"\0", "not an X.509 certificate in DER"),
    "too long": (GOOD + bytes(MAX_CERTIFICATE_SIZE), f"more than {MAX_CERTIFICATE_SIZE} bytes"),
    "version 2": (GOOD.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01", 1), "of version 3"),
    "negative serial number": (
        GOOD[: SERIAL + 7] + b"\x80" + GOOD[SERIAL + 8 :],
        "with a positive serial number",
    ),
    "signature whose last bit is unused": (HALF, "its signature is not in whole bytes"),
    "two issuers": (
        authority().leaf(issuer=ISSUER, issuer_v1=ISSUER + "/").der,
        "its two extensions for the issuer name different ones",
    ),
    "issuer without DER": (
        authority().leaf(issuer=None, added=[extension(8, ISSUER.encode())]).der,
        "not in its format",
    ),
    "issuer with more behind": (
        authority().leaf(issuer=None, added=[extension(8, utf8_string(ISSUER) + b"\0")]).der,
        "not in its format",
    ),
    "claim that is not UTF-8": (authority().leaf(added=[extension(5, b"\xff")]).der, "not in its format"),
    "claim of two lines": (authority().leaf(claims={20: "push\nissuer x"}).der, "not one line of text"),
    "identity of two lines": (authority().leaf("a@example.com\r\nb@example.com").der, "not one line of text"),
    "user name that is no text": (authority().leaf(other_name(f"{FULCIO}.7", b"\5\0")).der, "not in its format"),
    "key of another kind": (  # id-ecPublicKey, with another last number
        GOOD.replace(bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d0202"), 1),
        "its key is not of ECDSA, RSA, RSA-PSS, Ed25519",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    """Malformed, which says what is wrong; and nothing else where only the key in it is asked for."""
    data, problem = REFUSED[case]
    with pytest.raises(Malformed, match=problem):
        parse_certificate(data)
    with suppress(Malformed):
        certificate_key(data)


def test_certificates_of_the_public_instance(shared_vectors: Path) -> None:
    """Two that Fulcio has issued, to the same workflow: of the public instance and of the one for trying out."""
    beacon = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon"
    for name in ("happy-path-v0.3", "rekor2-happy-path"):
        bundle = json.loads((shared_vectors / "sigstore-bundles" / name / "bundle.sigstore.json").read_bytes())
        found = parse_certificate(b64decode(bundle["verificationMaterial"]["certificate"]["rawBytes"]))
        assert (found.issuer, found.repository) == (WORKFLOW_ISSUER, beacon)
        assert [each.value.startswith(f"{beacon}/.github/workflows/") for each in found.identities] == [True]
