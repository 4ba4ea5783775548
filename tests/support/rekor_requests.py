"""Requests of clients of Rekor v2, signed by a key of decided bytes."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from tests.support.sigstore_authority import spki_of
from tiles.sigstore.hashedrekord import make_hashedrekord
from tiles.sigstore.public_key import parse_public_key

SIGNER = ec.derive_private_key(7, ec.SECP256R1())


def base64(data: bytes) -> str:
    """Return data as a field of a request."""
    return b64encode(data).decode()


def signature_of(artifact: bytes, key: ec.EllipticCurvePrivateKey = SIGNER) -> bytes:
    """Return a signature of the key, the same one each time."""
    return key.sign(artifact, ec.ECDSA(SHA256(), deterministic_signing=True))


def entry_of(artifact: bytes) -> bytes:
    """Return the entry of a signature."""
    key = parse_public_key(spki_of(SIGNER))
    return make_hashedrekord(sha256(artifact).digest(), signature_of(artifact), key).data


def item_of(artifact: bytes = b"artifact", key: ec.EllipticCurvePrivateKey = SIGNER) -> dict[str, Any]:
    """Return a request as a JSON value, as cosign spells it."""
    verifier = {"publicKey": {"rawBytes": base64(spki_of(key))}, "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
    signature = {"content": base64(signature_of(artifact, key)), "verifier": verifier}
    return {"hashedRekordRequestV002": {"digest": base64(sha256(artifact).digest()), "signature": signature}}


def request_of(artifact: bytes = b"artifact") -> bytes:
    """Return a request."""
    return json.dumps(item_of(artifact)).encode()


def changed(*path: str, **fields: Any) -> bytes:
    """Return a request of which the object at that path has other fields; None: without the field."""
    whole = item_of()
    item = whole
    for name in path:
        item = item[name]
    item.update(fields)
    for name in [name for name, value in fields.items() if value is None]:
        del item[name]
    return json.dumps(whole).encode()
