"""What signing reads: keys, chains of authorities, predicates, bundles that are to be stapled; damaged in `fuzzing`."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.fuzz_parsers import Target
from tests.support.fuzz_verdicts import verdict
from tests.support.rekor_log import artifact_key
from tests.support.sigstore_authority import authority
from tiles.errors import LogError, Malformed, UsageError
from tiles.rekor.sign import attest_artifacts, sign_artifact
from tiles.rekor.staple import entry_for
from tiles.rekor.upload import parse_signature, parse_signer
from tiles.signing.artifact_key import parse_artifact_key
from tiles.sigstore.bundle import parse_bundle
from tiles.sigstore.dsse import Envelope, pae, parse_pae
from tiles.sigstore.given_files import parse_authority
from tiles.sigstore.hashedrekord import check_hashedrekord
from tiles.sigstore.public_key import verify_digest

KEY = artifact_key()
DIGEST = sha256(b"content of a\n").digest()
TYPE = "https://example.com/review/v1"
SIGNED = sign_artifact(KEY, DIGEST)
STATED = attest_artifacts(KEY, {"a": DIGEST}, TYPE, b'{"b":[1.50]}')
WHO = authority()


def key(data: bytes) -> None:
    """Hold that what a key signs, its public half verifies, and that its file is read as the same key."""
    found = parse_artifact_key(data)
    verify_digest(found.public, DIGEST, found.sign_digest(DIGEST))
    assert parse_artifact_key(found.pem).public == found.public


def predicate(data: bytes) -> None:
    """Hold that a statement has the predicate, and nothing else of it."""
    envelope = attest_artifacts(KEY, {"a": DIGEST}, TYPE, data).content
    assert isinstance(envelope, Envelope)
    statement = json.loads(envelope.payload)
    assert list(statement) == ["_type", "subject", "predicateType", "predicate"]
    assert statement["predicateType"] == TYPE
    assert statement["predicate"] == json.loads(data)


def unlogged(data: bytes) -> None:
    """Hold that the entry of a bundle may be logged, and is that of its signature."""
    found = parse_bundle(data)
    entry = check_hashedrekord(entry_for(found, KEY.public))
    assert entry.signature == found.signature
    assert entry.digest in (DIGEST, sha256(pae("application/vnd.in-toto+json", _payload())).digest())


def _payload() -> bytes:
    assert isinstance(STATED.content, Envelope)
    return STATED.content.payload


def _pem() -> bytes:
    return b"".join(one.certificate.public_bytes(Encoding.PEM) for one in (WHO.intermediate, WHO.root))


SIGNING = (
    verdict("key that signs artifacts", key, (KEY.pem,), (Malformed,)),
    verdict("signer of an upload", parse_signer, (KEY.public.pem, KEY.public.spki), (Malformed,)),
    verdict("chain of an authority", parse_authority, (_pem(),), (Malformed,)),
    verdict("predicate", predicate, (b'{"a":{"b":[1.50,"\\u00e9"]}}', b" {}\n"), (Malformed,)),
    verdict("signature of an upload", parse_signature, (SIGNED.signature,), (Malformed,)),
    Target("what is signed of a statement", parse_pae, lambda found: pae(*found), (pae("t", b"hi"), pae("", b" 1 "))),
    verdict(
        "bundle to staple",
        unlogged,
        (SIGNED.data, STATED.data, replace(SIGNED, hint="").data),
        (LogError, UsageError),
    ),
)
