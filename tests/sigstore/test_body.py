"""What the bodies of Rekor's entries say, of each kind that is compared with a bundle."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from tests.support.signed_bundles import bundle_of, envelope_of, public, signer
from tiles.entries.kinds import kind_of
from tiles.errors import Malformed, VerificationError
from tiles.sigstore.body import body_of, check_body, describe_body
from tiles.sigstore.bundle import Bundle, MessageSignature
from tiles.sigstore.dsse import Envelope

KEY = public(signer())
MESSAGE = bundle_of()
ENVELOPE = bundle_of(content=envelope_of(signer()))
assert isinstance(MESSAGE.content, MessageSignature)
assert isinstance(ENVELOPE.content, Envelope)
PAYLOAD = {"algorithm": "sha256", "value": sha256(ENVELOPE.content.payload).hexdigest()}


def b64(data: bytes) -> str:
    """Return bytes in base64."""
    return b64encode(data).decode()


# kind and version → (the bundle it is of, its spec), as rekor/pkg/types has them
OLD: dict[tuple[str, str], tuple[Bundle, dict[str, Any]]] = {
    ("hashedrekord", "0.0.1"): (
        MESSAGE,
        {
            "data": {"hash": {"algorithm": "sha256", "value": MESSAGE.content.digest.hex()}},
            "signature": {"content": b64(MESSAGE.signature), "publicKey": {"content": b64(KEY.pem)}},
        },
    ),
    ("dsse", "0.0.1"): (
        ENVELOPE,
        {
            "envelopeHash": PAYLOAD,
            "payloadHash": PAYLOAD,
            "signatures": [{"signature": b64(ENVELOPE.signature), "verifier": b64(KEY.pem)}],
        },
    ),
    ("intoto", "0.0.2"): (
        ENVELOPE,
        {
            "content": {
                "envelope": {
                    "payloadType": "application/vnd.in-toto+json",
                    "signatures": [{"sig": b64(b64(ENVELOPE.signature).encode()), "publicKey": b64(KEY.pem)}],
                },
                "hash": PAYLOAD,
                "payloadHash": PAYLOAD,
            }
        },
    ),
}


def entry(name: tuple[str, str], spec: Any) -> Any:
    """Return an entry of that kind, which is in no log."""
    body = json.dumps({"apiVersion": name[1], "kind": name[0], "spec": spec}).encode()
    return replace(MESSAGE.entries[0], kind=name[0], version=name[1], body=body)


@pytest.mark.parametrize("name", OLD, ids=" ".join)
def test_old_kinds(name: tuple[str, str]) -> None:
    """Each says what was signed, by which key; what a bundle has instead is found."""
    bundle, spec = OLD[name]
    body = body_of(entry(name, spec))
    check_body(body, bundle, KEY.spki)
    changed: list[tuple[dict[str, Any], str]] = [
        ({"digest": bytes(32)}, "another digest was logged"),
        ({"signature": b"other"}, "another signature was logged"),
        ({"is_certificate": True}, "a certificate was logged, and the bundle is of a key"),
        ({"raw": b"other"}, "another key was logged"),
    ]
    for change, problem in changed:
        with pytest.raises(VerificationError, match=problem):
            check_body(replace(body, **change), bundle, KEY.spki)
    with pytest.raises(VerificationError):
        check_body(body, MESSAGE if bundle is ENVELOPE else ENVELOPE, KEY.spki)


SHOWN = [("dsse", "0.0.2"), ("intoto", "0.0.1"), ("rekord", "0.0.1"), ("hashedrekord", "0.0.3")]


@pytest.mark.parametrize("name", SHOWN, ids=" ".join)
def test_kinds_that_are_only_shown(name: tuple[str, str]) -> None:
    """Others are never verified, whatever they say."""
    with pytest.raises(VerificationError, match="are shown, and not verified"):
        body_of(entry(name, {}))


DSSE = (
    b'{"apiVersion":"0.0.2","kind":"dsse","spec":{"dsseV002":{"payloadHash":{"algorithm":"SHA2_256","digest":"%s"},'
    b'"signatures":[{"content":"AAAA","verifier":{"keyDetails":"x","x509Certificate":{"rawBytes":"AAAA"}}}]}}}'
)
KEY_SHOWN = f"PUBLIC KEY SHA-256 {KEY.hint.hex()}"
DIGEST = MESSAGE.content.digest
SAYS: dict[str, tuple[bytes, list[tuple[str, str]]]] = {
    "dsse 0.0.2": (DSSE % b64(DIGEST).encode(), [("payloadHash", f"SHA2_256 {DIGEST.hex()}")]),
    "hashedrekord 0.0.1": (
        json.dumps(
            {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": OLD["hashedrekord", "0.0.1"][1]},
            separators=(",", ":"),
        ).encode(),
        [("hash", f"sha256 {DIGEST.hex()}"), ("publicKey", KEY_SHOWN)],
    ),
    "rekord 0.0.1": (
        (
            b'{"apiVersion":"0.0.1","kind":"rekord","spec":{"data":{"hash":{"algorithm":"sha256","value":"ab"}},'
            b'"signature":{"content":"AAAA","format":"minisign","publicKey":{"content":"AAAA"}}}}'
        ),
        [("hash", "sha256 ab")],
    ),
}


@pytest.mark.parametrize(("kind", "body", "says"), [(kind, *row) for kind, row in SAYS.items()], ids=SAYS)
def test_what_is_shown(kind: str, body: bytes, says: list[tuple[str, str]]) -> None:
    """Digests and keys of any kind of entry, in the words of Rekor; so does the kind `raw` describe them."""
    assert describe_body(body) == [("Kind", kind), *says]
    assert kind_of(body).describe(body) == [("Kind", kind), *says, ("Size", f"{len(body)} bytes")]


@pytest.mark.parametrize("body", [b"", b'{"apiVersion":"0.0.1"', b'{"apiVersion":"0.0.1","kind":"x","spec":1}'])
def test_what_is_no_entry_of_rekor(body: bytes) -> None:
    """Nothing is said of other entries; a great one is shown in part."""
    assert describe_body(body) == []
    many = b'{"apiVersion":"0.0.1","kind":"x","spec":[%s]}' % b",".join([b'{"algorithm":"a","value":"b"}'] * 999)
    assert describe_body(many.replace(b'"spec":[', b'"spec":{"h":[').replace(b"]}", b"]}}"))[1:] == [("h", "a b")] * 20


HASHED = OLD["hashedrekord", "0.0.1"][1]
REFUSED: dict[str, tuple[tuple[str, str], Any, str]] = {
    "another kind than is named": (("dsse", "0.0.1"), None, "not of the kind dsse 0.0.1"),
    "two signatures": (
        ("dsse", "0.0.1"),
        {**OLD["dsse", "0.0.1"][1], "signatures": OLD["dsse", "0.0.1"][1]["signatures"] * 2},
        "2 signatures instead of one",
    ),
    "an unknown hash": (
        ("hashedrekord", "0.0.1"),
        {**HASHED, "data": {"hash": {"algorithm": "sha1", "value": "00" * 20}}},
        "not a digest of a known algorithm",
    ),
    "no PEM": (
        ("hashedrekord", "0.0.1"),
        {**HASHED, "signature": {"content": "AAAA", "publicKey": {"content": "AAAA"}}},
        "not one PEM text",
    ),
    "a private key": (
        ("hashedrekord", "0.0.1"),
        {
            **HASHED,
            "signature": {
                "content": "AAAA",
                "publicKey": {"content": b64(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")},
            },
        },
        "neither a certificate nor a public key",
    ),
}


@pytest.mark.parametrize(("name", "spec", "problem"), REFUSED.values(), ids=REFUSED)
def test_refused(name: tuple[str, str], spec: Any, problem: str) -> None:
    """Malformed, which says what is wrong."""
    made = entry(name, spec)
    if spec is None:
        made = replace(entry(("hashedrekord", "0.0.1"), HASHED), kind=name[0], version=name[1])
    with pytest.raises(Malformed, match=problem):
        body_of(made)
