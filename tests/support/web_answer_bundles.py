"""What the Python core says of a bundle of Sigstore, as far as the page checks one: see `web_answers`."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from tests.support.signed_bundles import HASHES, NOW, digests
from tiles.errors import Malformed, SignatureError, VerificationError
from tiles.notes.policy import Policy, parse_policy
from tiles.sigstore.body import body_of, check_body
from tiles.sigstore.bundle import Bundle, parse_bundle
from tiles.sigstore.dsse import Envelope
from tiles.sigstore.in_toto import PAYLOAD_TYPE, parse_statement
from tiles.sigstore.logged import Logged, verify_entry
from tiles.sigstore.public_key import PublicKey, certificate_key, parse_public_key, verify_digest
from tiles.sigstore.verdict import verify_bundle


def signed_answer(data: str, artifact: str, policy: str, key: str) -> Any:
    """Return the entry's index, its leaf hash and the fingerprint of the key. key: the one demanded, PEM; "": any."""
    bundle, trust = parse_bundle(b64decode(data)), parse_policy(b64decode(policy))
    known = digests(b64decode(artifact))
    if key:
        verdict = verify_bundle(bundle, known, trust, parse_public_key(key.encode()), NOW)
        logged, by = verdict.logged, verdict.key
    else:
        logged, by = _by_anyone(bundle, known, trust)
    return [str(logged.proof.index), b64encode(logged.leaf).decode(), by.hint.hex()]


def _by_anyone(bundle: Bundle, artifact: dict[str, bytes], trust: Policy) -> tuple[Logged, PublicKey]:
    """Return the entry and the key that has signed: as `verify_bundle`, which demands a key, but whosever it is."""
    content = bundle.content
    if isinstance(content, Envelope):
        if content.payload_type != PAYLOAD_TYPE:
            raise Malformed("bundle", "an envelope of something else than a statement")
        if not parse_statement(content.payload).is_about(artifact):
            raise SignatureError("the statement is about other artifacts")
    elif artifact[content.algorithm] != content.digest:
        raise SignatureError("the bundle is of another artifact")
    if len(bundle.entries) != 1:
        raise VerificationError("not one entry")
    logged = verify_entry(bundle.entries[0], trust)
    body = body_of(logged.entry)
    check_body(body, bundle, bundle.certificates[0] if bundle.certificates else body.raw)
    key = certificate_key(body.raw) if body.is_certificate else parse_public_key(body.raw)
    digest = HASHES[key.algorithm](content.signed).digest() if isinstance(content, Envelope) else content.digest
    verify_digest(key, digest, content.signature)
    return logged, key
