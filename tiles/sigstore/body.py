"""What the body of a log's entry says of a signature, in each kind that Rekor has logged.

hashedrekord 0.0.2 is the one that is written (`tiles.sigstore.hashedrekord`). Those of Rekor v1 are only read, and
compared with the bundle (https://github.com/sigstore/rekor, pkg/types/<kind>/v<version>/*_schema.json).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256, sha384, sha512
from itertools import islice

from tiles.errors import Malformed, VerificationError
from tiles.notes.encoding import base64_or_none
from tiles.sigstore.bundle import MAX_BUNDLE_SIZE, Bundle, LogEntry
from tiles.sigstore.dsse import Envelope
from tiles.sigstore.hashedrekord import KIND, VERSION, check_hashedrekord
from tiles.sigstore.json_text import Item, parse_item
from tiles.sigstore.public_key import read_pem

_WHAT = "log entry"
_HASHES = {"sha256": "SHA2_256", "sha384": "SHA2_384", "sha512": "SHA2_512"}  # names of v1
_MAX_SIGNATURES = 16
_MAX_PARTS = 20  # of an entry, that are shown
_BEGINS = b'{"apiVersion":"0.0.'

HASHES = {"SHA2_256": sha256, "SHA2_384": sha384, "SHA2_512": sha512}  # by the names of algorithms


@dataclass(frozen=True, slots=True)
class Body:
    """What an entry says; nothing about it is verified.

    algorithm        of the digest, such as "SHA2_256"
    digest           of what was signed; of an envelope in Rekor v1, of its payload
    of_payload       whether it is that of a payload
    signature        over what was signed
    is_certificate   whether `raw` is a certificate (DER), and not a key (DER SubjectPublicKeyInfo)
    """

    algorithm: str
    digest: bytes
    of_payload: bool
    signature: bytes
    is_certificate: bool
    raw: bytes


def body_of(entry: LogEntry) -> Body:
    """Return what an entry's body says.

    Raises Malformed if it is not of the kind that is named, SignatureError if it is a hashedrekord 0.0.2 whose
    signature does not hold, and VerificationError for a kind that is only shown.
    """
    name = (entry.kind, entry.version)
    if name == (KIND, VERSION):
        found = check_hashedrekord(entry.body)
        is_certificate = found.verifier == "x509Certificate"
        return Body(found.algorithm, found.digest, False, found.signature, is_certificate, found.raw)
    read = {
        ("hashedrekord", "0.0.1"): _hashedrekord,
        ("dsse", "0.0.1"): _dsse,
        ("intoto", "0.0.2"): _intoto,
    }.get(name)
    if read is None:
        said = "; ".join(f"{label} {text}" for label, text in describe_body(entry.body)) or "which is not as Rekor's"
        raise VerificationError(
            f"entries of the kind {entry.kind} {entry.version} are shown, and not verified: {said}",
            hint="log the signature again: `tiletree upload` writes hashedrekord 0.0.2",
            evidence={"entry": entry.body},
        )
    item = parse_item(entry.body, _WHAT, MAX_BUNDLE_SIZE).only("apiVersion", "kind", "spec")
    if (item.text("kind"), item.text("apiVersion")) != name:
        raise Malformed(_WHAT, f"not of the kind {entry.kind} {entry.version}", item.text("kind"))
    return read(item.object("spec"))


def describe_body(body: bytes) -> list[tuple[str, str]]:
    """Return what an entry of Rekor, of any kind, says: its kind, digests, and keys, as labels and texts; none if it is
    no such entry. Nothing of it is verified, and the texts may be hostile.
    """
    if not body.startswith(_BEGINS):
        return []
    try:
        item = parse_item(body, _WHAT, MAX_BUNDLE_SIZE).only("apiVersion", "kind", "spec")
        found = [("Kind", f"{item.text('kind')} {item.text('apiVersion')}")]
        return [*found, *islice(_parts(item.object("spec").fields, ""), _MAX_PARTS)]
    except Malformed:
        return []


def check_body(body: Body, bundle: Bundle, verifier: bytes) -> None:
    """Compare what was logged with what the bundle holds. verifier: the key or certificate of the bundle, DER.

    Raises VerificationError that names what differs.
    """
    content = bundle.content
    if isinstance(content, Envelope):
        digest = HASHES[body.algorithm](content.payload if body.of_payload else content.signed).digest()
        algorithm = body.algorithm
    else:
        digest, algorithm = content.digest, content.algorithm
    if body.of_payload and not isinstance(content, Envelope):
        raise VerificationError("the entry is of an envelope, and the bundle has none")
    if (body.algorithm, body.digest) != (algorithm, digest):
        raise VerificationError(f"another digest was logged ({body.digest.hex()}) than is signed here ({digest.hex()})")
    if body.signature != content.signature:
        raise VerificationError("another signature was logged than the bundle has")
    if body.is_certificate != bool(bundle.certificates):
        one, other = ("certificate", "key") if body.is_certificate else ("key", "certificate")
        raise VerificationError(f"a {one} was logged, and the bundle is of a {other}")
    if body.raw != verifier:
        what = "certificate" if body.is_certificate else "key"
        raise VerificationError(
            f"another {what} was logged ({_sha256(body.raw)}) than signs here ({_sha256(verifier)})"
        )


def _parts(value: object, name: str) -> Iterator[tuple[str, str]]:
    """Yield the digests and keys in a part of an entry, each with the name of the field that it is in."""
    if isinstance(value, dict):
        algorithm, digest = value.get("algorithm"), value.get("value") or value.get("digest")
        if isinstance(algorithm, str) and isinstance(digest, str):
            data = base64_or_none(digest) if "digest" in value else None
            yield name, f"{algorithm} {digest if data is None else data.hex()}"
            return
        for field, below in value.items():
            yield from _parts(below, field if field != "content" else name)
    elif isinstance(value, list):
        for below in value:
            yield from _parts(below, name)
    elif isinstance(value, str):
        data = base64_or_none(value) or b""
        with suppress(Malformed):
            label, der = read_pem(data, _WHAT)
            yield name, f"{label} {_sha256(der)}"


def _hashedrekord(spec: Item) -> Body:
    """hashedrekord 0.0.1: {data: {hash: {algorithm, value}}, signature: {content, publicKey: {content}}}."""
    hash_ = spec.object("data").object("hash")
    signature = spec.object("signature")
    kind, raw = _verifier(signature.object("publicKey").data("content"))
    return Body(*_hash(hash_), False, signature.data("content"), kind, raw)


def _dsse(spec: Item) -> Body:
    """dsse 0.0.1: {envelopeHash, payloadHash: {algorithm, value}, signatures: [{signature, verifier}]}."""
    signature = _only(spec.objects("signatures", _MAX_SIGNATURES))
    kind, raw = _verifier(signature.data("verifier"))
    return Body(*_hash(spec.object("payloadHash")), True, signature.data_any("signature"), kind, raw)


def _intoto(spec: Item) -> Body:
    """intoto 0.0.2: {content: {payloadHash, envelope: {signatures: [{sig, publicKey}]}}}; `sig` is base64 of base64."""
    content = spec.object("content")
    signature = _only(content.object("envelope").objects("signatures", _MAX_SIGNATURES))
    inner = base64_or_none(signature.data("sig").decode("ascii", "replace"))
    if inner is None:
        raise Malformed(_WHAT, "a signature that is not base64 of base64")
    kind, raw = _verifier(signature.data("publicKey"))
    return Body(*_hash(content.object("payloadHash")), True, inner, kind, raw)


def _only(signatures: list[Item]) -> Item:
    if len(signatures) != 1:
        raise Malformed(_WHAT, f"{len(signatures)} signatures instead of one")
    return signatures[0]


def _hash(item: Item) -> tuple[str, bytes]:
    name, value = item.text("algorithm"), item.text("value")
    if name not in _HASHES or not re.fullmatch(r"(?:[0-9a-f]{2}){32,64}", value, re.ASCII):
        raise Malformed(_WHAT, "not a digest of a known algorithm in lower-case hexadecimal", f"{name}:{value}")
    return _HASHES[name], bytes.fromhex(value)


def _verifier(pem: bytes) -> tuple[bool, bytes]:
    """Return whether a PEM text is a certificate, and the DER in it."""
    label, der = read_pem(pem, _WHAT)
    if label not in ("CERTIFICATE", "PUBLIC KEY"):
        raise Malformed(_WHAT, "neither a certificate nor a public key in PEM", label)
    return label == "CERTIFICATE", der


def _sha256(data: bytes) -> str:
    return f"SHA-256 {sha256(data).hexdigest()}"
