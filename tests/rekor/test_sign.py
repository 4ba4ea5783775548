"""Bundles of signatures over artifacts and statements, before they are logged."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from io import BytesIO

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.support.rekor_log import artifact_key
from tiles.errors import Malformed, UsageError
from tiles.rekor.sign import (
    MAX_PREDICATE_SIZE,
    PREDICATE_TYPES,
    attest_artifacts,
    digest_of,
    predicate_type_of,
    sign_artifact,
)
from tiles.signing.artifact_key import generate_key
from tiles.sigstore.bundle import MessageSignature, parse_bundle
from tiles.sigstore.dsse import Envelope
from tiles.sigstore.in_toto import parse_statement
from tiles.sigstore.public_key import prehashed, verify_digest

KEY = artifact_key()
DATA = b"what is released" * 100_000
DIGEST = sha256(DATA).digest()
SLSA = PREDICATE_TYPES["slsaprovenance1"]


def test_an_artifact() -> None:
    """The signature is over its digest, which the bundle names; the key is named as cosign names it."""
    assert digest_of(BytesIO(DATA), KEY.public.algorithm) == DIGEST
    bundle = sign_artifact(KEY, DIGEST)
    assert isinstance(bundle.content, MessageSignature)
    assert (bundle.content.algorithm, bundle.content.digest) == ("SHA2_256", DIGEST)
    verify_digest(KEY.public, DIGEST, bundle.signature)
    assert bundle.hint == b64encode(sha256(KEY.public.spki).digest()).decode()
    assert bundle.entries == ()
    assert sign_artifact(KEY, DIGEST) == bundle


class Anew:
    """A key whose signatures differ each time, as those of a service do."""

    public, repeats = KEY.public, False

    def __init__(self) -> None:
        self._private = load_pem_private_key(KEY.pem, None)

    def sign_digest(self, digest: bytes) -> bytes:
        assert isinstance(self._private, ec.EllipticCurvePrivateKey)
        return self._private.sign(digest, ec.ECDSA(prehashed("SHA2_256")))


def test_a_signature_that_was_made_before() -> None:
    """It is taken if it is by this key, over the same; so a call that is repeated logs the same entry."""
    key = Anew()
    first = sign_artifact(key, DIGEST)
    assert sign_artifact(key, DIGEST) != first
    assert sign_artifact(key, DIGEST, first) == first
    assert sign_artifact(key, sha256(b"other").digest(), first).signature != first.signature
    made = attest_artifacts(key, {"a": DIGEST}, SLSA, b"{}")
    assert attest_artifacts(key, {"a": DIGEST}, SLSA, b"{}", made) == made
    for other in (first, attest_artifacts(generate_key(), {"a": DIGEST}, SLSA, b"{}"), None):
        again = attest_artifacts(key, {"a": DIGEST}, SLSA, b"{}", other)
        assert again.signature not in (made.signature, other and other.signature)
        assert isinstance(again.content, Envelope)
        verify_digest(KEY.public, sha256(again.content.signed).digest(), again.signature)


def test_a_statement() -> None:
    """It is about all its subjects, and the signature is over the envelope's own encoding of it."""
    subjects = {"app.whl": DIGEST, "r\u00e9 2": bytes(32)}
    bundle = parse_bundle(attest_artifacts(KEY, subjects, SLSA, b'{"a":1}').data)
    envelope = bundle.content
    assert isinstance(envelope, Envelope)
    verify_digest(KEY.public, sha256(envelope.signed).digest(), envelope.signature)
    statement = parse_statement(envelope.payload)
    assert (statement.type, statement.predicate_type) == ("https://in-toto.io/Statement/v1", SLSA)
    assert {each.name: dict(each.digests) for each in statement.subjects} == {
        name: {"sha256": digest.hex()} for name, digest in subjects.items()
    }


@pytest.mark.parametrize(
    "predicate",
    [b'{"n":1.50,"big":123456789012345678,"\xc3\xa9":"\\u00e9"}', b' \n{"b":1, "a":{ }}\n', b"{}"],
)
def test_a_predicate_stays_as_it_is(predicate: bytes) -> None:
    """No number of it is rounded, and no key of it moves: it is signed as it was given."""
    envelope = attest_artifacts(KEY, {"a": DIGEST}, SLSA, predicate).content
    assert isinstance(envelope, Envelope)
    assert envelope.payload.endswith(b',"predicate":' + predicate.strip() + b"}")
    assert json.loads(envelope.payload)["predicate"] == json.loads(predicate)


@pytest.mark.parametrize(
    "predicate",
    [
        b"",
        b"SPDXVersion: SPDX-2.3\n",
        b"<bom/>",
        b"[1]",
        b'"text"',
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":1}}',
        b'{"a":1},"subject":[{}]',
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}',
        b"{" + b" " * MAX_PREDICATE_SIZE + b"}",
    ],
    ids=range(12),
)
def test_what_is_no_predicate(predicate: bytes) -> None:
    """What is not one JSON object is refused: it would make a statement that says something else, or nothing."""
    with pytest.raises(Malformed, match="malformed predicate"):
        attest_artifacts(KEY, {"a": DIGEST}, SLSA, predicate)


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
        ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
        ("spdxjson", "https://spdx.dev/Document"),
        ("cyclonedx", "https://cyclonedx.org/bom"),
        ("https://example.com/review/v1", "https://example.com/review/v1"),
        ("urn:example:review", "urn:example:review"),
    ],
)
def test_types_of_predicates(text: str, uri: str) -> None:
    """They are called as in cosign, or by their URI."""
    assert predicate_type_of(text) == uri


@pytest.mark.parametrize("text", ["", "slsa", "custom", "spdx", "no scheme", "https://example.com/a b", "https:"])
def test_what_is_no_type(text: str) -> None:
    """The error names those that there are."""
    with pytest.raises(UsageError) as caught:
        predicate_type_of(text)
    assert "slsaprovenance1" in caught.value.hint
