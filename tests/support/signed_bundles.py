"""Bundles of Sigstore for tests: signed by a key of decided bytes, in a log of a few entries; and how to spoil them."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256, sha384, sha512
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.reference import Tree, path
from tests.support.signed_text import LOG
from tiles.notes.checkpoint import Checkpoint, sign_checkpoint
from tiles.notes.keys import SigningKey, VerifierKey
from tiles.sigstore.bundle import Bundle, EntryProof, LogEntry, MessageSignature
from tiles.sigstore.dsse import Envelope, pae
from tiles.sigstore.hashedrekord import KIND, VERSION, HashedRekord, make_hashedrekord
from tiles.sigstore.in_toto import PAYLOAD_TYPE, STATEMENT_V1
from tiles.sigstore.logged import log_spki
from tiles.sigstore.public_key import PublicKey, parse_public_key
from tiles.sigstore.trusted_root import MEDIA_TYPE
from tiles.tree.merkle import TreeHead, leaf_hash

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ARTIFACT = b"content of a\n"
STATEMENT = {
    "_type": STATEMENT_V1,
    "subject": [{"name": "a", "digest": {"sha256": sha256(ARTIFACT).hexdigest()}}],
    "predicateType": "https://slsa.dev/provenance/v1",
    "predicate": {"buildDefinition": {}},
}
# https://github.com/sigstore/rekor-tiles, CLIENTS.md
EXAMPLE = HashedRekord(
    "SHA2_256",
    b64decode("dyj4ednYHjN4/zsjjBeeLahS9slp97Z67LTAVxjrjXw="),
    b64decode("MEQCIB+YPa9o3SN0sQ4uduGf+mZxwFfOhFZ0Cgy+p7Vt1o2SAiAPFDHqOAJLYmvtCWOsDyNY1H4V3zm4NEDYs3NyvHh1Pg=="),
    "PKIX_ECDSA_P256_SHA_256",
    "publicKey",
    b64decode(
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2slOf8eZcj2moW2t4UFj7vCL6QpDzkDqqSUmm4OJCVvIauKLxm0aGs3VMPPfauMPaMutn0/s"
        "3jg0rroFxoicyg=="
    ),
)

HASHES: dict[str, Any] = {"SHA2_256": sha256, "SHA2_384": sha384, "SHA2_512": sha512}
_PREHASHED: dict[str, Any] = {"SHA2_256": SHA256, "SHA2_384": SHA384, "SHA2_512": SHA512}


@cache
def signer(number: int = 7, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    """Return the private key of that number; each is another one."""
    return ec.derive_private_key(number, curve())


def public(private: ec.EllipticCurvePrivateKey) -> PublicKey:
    """Return its public key."""
    return parse_public_key(private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def signed(private: ec.EllipticCurvePrivateKey, message: bytes) -> tuple[str, bytes, bytes]:
    """Return algorithm, digest and signature of a message."""
    algorithm = public(private).algorithm
    digest = HASHES[algorithm](message).digest()
    return algorithm, digest, private.sign(digest, ec.ECDSA(Prehashed(_PREHASHED[algorithm]())))


def message_of(private: ec.EllipticCurvePrivateKey, artifact: bytes = ARTIFACT) -> MessageSignature:
    """Return a signature over an artifact."""
    return MessageSignature(*signed(private, artifact))


def envelope_of(private: ec.EllipticCurvePrivateKey, statement: Any = None, type_: str = PAYLOAD_TYPE) -> Envelope:
    """Return a signed statement."""
    payload = json.dumps(STATEMENT if statement is None else statement).encode()
    return Envelope(type_, payload, signed(private, pae(type_, payload))[2])


def logged(
    body: bytes, *, log: SigningKey = LOG, index: int = 5, size: int = 11, version: tuple[str, str] = (KIND, VERSION)
) -> LogEntry:
    """Return an entry of a log of that size."""
    tree = Tree({index: leaf_hash(body)})
    head = TreeHead(size, tree.mth(range(size)))
    checkpoint = sign_checkpoint(Checkpoint(log.verifier.name, head), log).data
    hashes = tuple(path(index, range(size), tree.mth))
    proof = EntryProof(index, size, head.root, hashes, checkpoint)
    return LogEntry(index, log.verifier.log_id, *version, body, proof)


def bundle_of(
    private: ec.EllipticCurvePrivateKey | None = None,
    content: MessageSignature | Envelope | None = None,
    **where: Any,
) -> Bundle:
    """Return a bundle of a key, of the artifact if nothing else is said, that verifies."""
    private = private or signer()
    content = content or message_of(private)
    key = public(private)
    over = HASHES[key.algorithm](content.signed).digest() if isinstance(content, Envelope) else content.digest
    body = make_hashedrekord(over, content.signature, key).data
    return Bundle(content, (), b64encode(key.hint).decode(), (logged(body, **where),))


def trusted_root(log: VerifierKey = LOG.verifier, **instance: Any) -> bytes:
    """Return a trusted root of one log. instance: fields of the log that are to be other ones."""
    spki, details = log_spki(log)
    key = {"rawBytes": b64encode(spki).decode(), "keyDetails": details, "validFor": {"start": "2026-01-01T00:00:00Z"}}
    one = {
        "baseUrl": f"https://{log.name}",
        "hashAlgorithm": "SHA2_256",
        "publicKey": key,
        "logId": {"keyId": b64encode(log.log_id).decode()},
        **instance,
    }
    return json.dumps({"mediaType": MEDIA_TYPE, "tlogs": [one]}).encode()


def digests(artifact: bytes = ARTIFACT) -> dict[str, bytes]:
    """Return all digests of an artifact."""
    return {name: hash_(artifact).digest() for name, hash_ in HASHES.items()}


def with_entry(bundle: Bundle, change: Callable[[LogEntry], LogEntry]) -> Bundle:
    """Return a bundle with its entry changed."""
    return replace(bundle, entries=tuple(change(entry) for entry in bundle.entries))


def with_proof(bundle: Bundle, **changes: Any) -> Bundle:
    """Return a bundle with fields of its proof changed."""

    def change(entry: LogEntry) -> LogEntry:
        assert entry.proof is not None
        return replace(entry, proof=replace(entry.proof, **changes))

    return with_entry(bundle, change)


def write_bundle(path: str, artifact: bytes = ARTIFACT, statement: str = "") -> None:
    """Write the bundle of an artifact, or of a statement of that type about it, its key `s.pub`, and `root.json`."""
    content: MessageSignature | Envelope = message_of(signer(), artifact)
    if statement:
        subject = {"digest": {"sha256": sha256(artifact).hexdigest()}}
        content = envelope_of(signer(), {**STATEMENT, "subject": [subject], "predicateType": statement})
    Path(path).write_bytes(bundle_of(content=content).data)
    Path("s.pub").write_bytes(public(signer()).pem)
    Path("root.json").write_bytes(trusted_root())
