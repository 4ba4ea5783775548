"""Bundles of signatures: over artifacts, and over statements about artifacts. Nothing is logged here: `staple` does.

A statement is in-toto's (https://github.com/in-toto/attestation, spec/v1/statement.md), in a DSSE envelope. The types
of predicates have the names that cosign gives them (cmd/cosign/cli/options/predicate.go).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import BinaryIO

from tiles.entries.content import read_digests
from tiles.errors import SignatureError, UsageError
from tiles.notes.encoding import encode_base64
from tiles.signing.artifact_key import ArtifactKey
from tiles.sigstore.body import HASHES
from tiles.sigstore.bundle import Bundle, MessageSignature
from tiles.sigstore.dsse import MAX_ENVELOPE_SIZE, make_envelope, pae
from tiles.sigstore.in_toto import PAYLOAD_TYPE, STATEMENT_V1, parse_statement
from tiles.sigstore.json_text import parse_json
from tiles.sigstore.public_key import PublicKey, verify_digest

MAX_PREDICATE_SIZE = MAX_ENVELOPE_SIZE // 2  # bytes; base64 makes a third more of it

# cosign's `spdx`, `cyclonedxxml` and `custom` are left out: what they take is not JSON, or is wrapped by cosign
PREDICATE_TYPES = {
    "slsaprovenance": "https://slsa.dev/provenance/v0.2",
    "slsaprovenance02": "https://slsa.dev/provenance/v0.2",
    "slsaprovenance1": "https://slsa.dev/provenance/v1",
    "spdxjson": "https://spdx.dev/Document",
    "cyclonedx": "https://cyclonedx.org/bom",
    "link": "https://in-toto.io/Link/v1",
    "vuln": "https://cosign.sigstore.dev/attestation/vuln/v1",
    "openvex": "https://openvex.dev/ns",
}

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,1000}", re.ASCII)


def digest_of(stream: BinaryIO, algorithm: str) -> bytes:
    """Return the digest of what is left to read of a stream, in constant memory. algorithm: such as "SHA2_256"."""
    return read_digests(stream, {algorithm: HASHES[algorithm]})[algorithm]


def hint_of(key: PublicKey) -> str:
    """Return how a bundle names the key that signed it, as cosign writes it."""
    return encode_base64(key.hint)


def sign_artifact(key: ArtifactKey, digest: bytes, before: Bundle | None = None) -> Bundle:
    """Return the bundle, without an entry, of the signature over the artifact that has this digest.

    digest   by the algorithm of the key
    before   what an earlier call made: if it has a signature by this key over the same, that is taken
    """
    signature = _made(key, digest, before) or key.sign_digest(digest)
    return Bundle(MessageSignature(key.public.algorithm, digest, signature), (), hint_of(key.public))


def attest_artifacts(
    key: ArtifactKey,
    subjects: Mapping[str, bytes],
    predicate_type: str,
    predicate: bytes,
    before: Bundle | None = None,
) -> Bundle:
    """Return the bundle, without an entry, of a signed statement about artifacts.

    subjects         names → SHA-256
    predicate_type   a URI, as `predicate_type_of` returns it
    predicate        a JSON object; it stands in the statement as it is
    before           as of `sign_artifact`
    Raises Malformed for a predicate that is none.
    """
    payload = _statement(subjects, predicate_type, predicate)
    digest = HASHES[key.public.algorithm](pae(PAYLOAD_TYPE, payload)).digest()
    signature = _made(key, digest, before) or key.sign_digest(digest)
    return Bundle(make_envelope(PAYLOAD_TYPE, payload, signature), (), hint_of(key.public))


def _made(key: ArtifactKey, digest: bytes, before: Bundle | None) -> bytes:
    """Return the signature in a bundle, if it is by a key over what has this digest; b"" if not."""
    if before is None:
        return b""
    try:
        verify_digest(key.public, digest, before.signature)
    except SignatureError:
        return b""
    return before.signature


def predicate_type_of(text: str) -> str:
    """Return the URI that a type of predicates has: one of PREDICATE_TYPES, or the URI itself. Raises UsageError."""
    if text in PREDICATE_TYPES:
        return PREDICATE_TYPES[text]
    if not _URI.fullmatch(text):
        raise UsageError(
            f"{text} is no type of predicates", hint=f"it is a URI, or one of {', '.join(PREDICATE_TYPES)}"
        )
    return text


def _statement(subjects: Mapping[str, bytes], predicate_type: str, predicate: bytes) -> bytes:
    """Return a statement; the predicate is copied byte for byte, so that no number in it changes."""
    parse_json(predicate, "predicate", MAX_PREDICATE_SIZE)
    head = {
        "_type": STATEMENT_V1,
        "subject": [{"name": name, "digest": {"sha256": digest.hex()}} for name, digest in subjects.items()],
        "predicateType": predicate_type,
    }
    text = json.dumps(head, separators=(",", ":")).encode("ascii")
    statement = text[:-1] + b',"predicate":' + predicate.strip() + b"}"
    parse_statement(statement)  # what we write we read
    return statement
