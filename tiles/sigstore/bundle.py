"""Bundles: a signature, who made it, and its entry in a log (https://docs.sigstore.dev/about/bundle/; the messages are
those of https://github.com/sigstore/protobuf-specs, sigstore_bundle.proto and sigstore_rekor.proto).

Version 0.3 is read and written; 0.1 and 0.2 are read. Fields that the messages do not have are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tiles.errors import Malformed
from tiles.notes.encoding import encode_base64
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.tlog_proof import MAX_HASHES
from tiles.sigstore.dsse import MAX_ENVELOPE_SIZE, Envelope, envelope_in
from tiles.sigstore.json_text import Item, parse_item
from tiles.sigstore.public_key import DIGEST_SIZES
from tiles.tree.bundle import MAX_ENTRY_SIZE
from tiles.tree.merkle import HASH_SIZE, Hash, to_hash

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"  # of what is written
SUFFIX = ".sigstore.json"  # of the file, after the name of what was signed
MAX_BUNDLE_SIZE = 2 * MAX_ENVELOPE_SIZE  # bytes of a file

MEDIA_TYPES = {
    MEDIA_TYPE: "0.3",
    "application/vnd.dev.sigstore.bundle+json;version=0.3": "0.3",
    "application/vnd.dev.sigstore.bundle+json;version=0.2": "0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.1": "0.1",
}

_WHAT = "bundle"
_MAX_ENTRIES = _MAX_CERTIFICATES = _MAX_TIMESTAMPS = 16
# a body of Rekor v1 holds a whole attestation
_MAX_BODY = MAX_ENVELOPE_SIZE
_MAX_TEXT = 256  # characters of a kind, a version or a hint


@dataclass(frozen=True, slots=True)
class MessageSignature:
    """A signature over an artifact.

    algorithm   of the digest, such as "SHA2_256"
    digest      of the artifact, as claimed
    """

    algorithm: str
    digest: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class EntryProof:
    """The inclusion proof of an entry, as claimed.

    index        in the tree of the checkpoint; of Rekor v1, this is not the index in the entry
    size, root   of the tree
    hashes       from leaf to root
    checkpoint   the signed note, not parsed
    """

    index: int
    size: int
    root: Hash
    hashes: tuple[Hash, ...] = field(repr=False)
    checkpoint: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A TransparencyLogEntry: an entry of a log and what shows that it is there; nothing about it is verified.

    index      of the entry; the same as in the proof, but in Rekor v1
    log_id     names the log's key: 32 bytes
    kind       and version: of the body
    body       the entry's bytes
    proof      None in bundles 0.1, which may do without
    integrated_time   POSIX seconds; 0: nothing is said, as always in Rekor v2
    promise    the signed entry timestamp of Rekor v1, or b""
    """

    index: int
    log_id: bytes
    kind: str
    version: str
    body: bytes = field(repr=False)
    proof: EntryProof | None
    integrated_time: int = 0
    promise: bytes = field(default=b"", repr=False)

    @property
    def item(self) -> dict[str, Any]:
        """The entry as a JSON value: as it stands in a bundle, and as Rekor v2 answers."""
        proof = self.proof
        promise = {"inclusionPromise": {"signedEntryTimestamp": encode_base64(self.promise)}} if self.promise else {}
        inclusion: dict[str, Any] = {} if proof is None else {"inclusionProof": _proof_item(proof)}
        return {
            "logIndex": str(self.index),
            "logId": {"keyId": encode_base64(self.log_id)},
            "kindVersion": {"kind": self.kind, "version": self.version},
            "integratedTime": str(self.integrated_time),
            **promise,
            **inclusion,
            "canonicalizedBody": encode_base64(self.body),
        }

    @property
    def data(self) -> bytes:
        """The entry as JSON, alone."""
        return json.dumps(self.item, separators=(",", ":")).encode("ascii")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle; nothing about it is verified.

    content        what was signed, and the signature
    certificates   of the signer, DER, its own first; () where a key signed that the bundle does not hold
    hint           of that key: base64 of SHA-256 of it, as Sigstore's clients write it; may be "" or anything
    entries        of logs; none in a bundle that was made without a log
    timestamps     RFC 3161 responses, DER
    version        "0.3", or an older one
    """

    content: MessageSignature | Envelope
    certificates: tuple[bytes, ...] = field(repr=False)
    hint: str = ""
    entries: tuple[LogEntry, ...] = ()
    timestamps: tuple[bytes, ...] = field(default=(), repr=False)
    version: str = "0.3"

    @property
    def signature(self) -> bytes:
        """The one signature."""
        return self.content.signature

    @property
    def data(self) -> bytes:
        """The bundle as a file, in version 0.3, which has one certificate: the signer's own."""
        signer = (
            {"certificate": {"rawBytes": encode_base64(self.certificates[0])}}
            if self.certificates
            else {"publicKey": {"hint": self.hint}}
        )
        stamps = [{"signedTimestamp": encode_base64(stamp)} for stamp in self.timestamps]
        content = self.content
        material = {
            **signer,
            "tlogEntries": [entry.item for entry in self.entries],
            **({"timestampVerificationData": {"rfc3161Timestamps": stamps}} if stamps else {}),
        }
        signed: dict[str, Any] = (
            {"dsseEnvelope": content.item}
            if isinstance(content, Envelope)
            else {
                "messageSignature": {
                    "messageDigest": {"algorithm": content.algorithm, "digest": encode_base64(content.digest)},
                    "signature": encode_base64(content.signature),
                }
            }
        )
        whole = {"mediaType": MEDIA_TYPE, "verificationMaterial": material, **signed}
        return json.dumps(whole, separators=(",", ":")).encode("ascii")


def parse_bundle(data: bytes) -> Bundle:
    """Return the bundle in a file. Verifies nothing. Raises Malformed."""
    whole = parse_item(data, _WHAT, MAX_BUNDLE_SIZE)
    whole.only("mediaType", "verificationMaterial", "messageSignature", "dsseEnvelope")
    media_type = whole.text("mediaType")
    if media_type not in MEDIA_TYPES:
        raise Malformed(_WHAT, f"not a bundle of version {' or '.join(sorted(set(MEDIA_TYPES.values())))}", media_type)
    version = MEDIA_TYPES[media_type]
    material = whole.object("verificationMaterial").only(
        "certificate", "x509CertificateChain", "publicKey", "tlogEntries", "timestampVerificationData"
    )
    certificates, hint = _signer(material, version)
    entries = tuple(entry_in(item) for item in material.objects("tlogEntries", _MAX_ENTRIES))
    if version != "0.1" and any(entry.proof is None for entry in entries):
        # sigstore_bundle.proto: since 0.2, "inclusion proofs … are mandatory"
        raise Malformed(_WHAT, "an entry without inclusionProof")
    return Bundle(_content(whole), certificates, hint, entries, _timestamps(material), version)


def entry_in(item: Item) -> LogEntry:
    """Return the log entry that a JSON object is: in a bundle, or in what Rekor v2 answers. Raises Malformed."""
    item.only(
        "logIndex",
        "logId",
        "kindVersion",
        "integratedTime",
        "inclusionPromise",
        "inclusionProof",
        "canonicalizedBody",
    )
    kind = item.object("kindVersion").only("kind", "version")
    promise = b""
    if item.has("inclusionPromise"):
        promise = item.object("inclusionPromise").only("signedEntryTimestamp").data("signedEntryTimestamp", b"")
    body = item.data("canonicalizedBody")
    if len(body) > _MAX_BODY:
        raise Malformed(_WHAT, f"a body of more than {_MAX_BODY} bytes", len(body))
    return LogEntry(
        item.number("logIndex", 0),  # protocol buffers leave out a number that is 0
        item.object("logId").only("keyId").data("keyId"),
        _short(kind, "kind"),
        _short(kind, "version"),
        body,
        _proof(item.object("inclusionProof")) if item.has("inclusionProof") else None,
        item.number("integratedTime", 0),
        promise,
    )


def _content(whole: Item) -> MessageSignature | Envelope:
    if whole.has("messageSignature") == whole.has("dsseEnvelope"):
        raise Malformed(_WHAT, "not exactly one of messageSignature and dsseEnvelope")
    if whole.has("dsseEnvelope"):
        return envelope_in(whole.object("dsseEnvelope"))
    message = whole.object("messageSignature").only("messageDigest", "signature")
    digest = message.object("messageDigest").only("algorithm", "digest")
    made = MessageSignature(digest.text("algorithm"), digest.data("digest"), message.data("signature"))
    if DIGEST_SIZES.get(made.algorithm) != len(made.digest):
        raise Malformed(_WHAT, "messageDigest has not the size of its algorithm", made.algorithm)
    if not made.signature:
        raise Malformed(_WHAT, "an empty signature")
    return made


def _signer(material: Item, version: str) -> tuple[tuple[bytes, ...], str]:
    """Return the certificates and the hint."""
    named = [name for name in ("certificate", "x509CertificateChain", "publicKey") if material.has(name)]
    if len(named) != 1:
        raise Malformed(_WHAT, "not exactly one of certificate, x509CertificateChain and publicKey", " ".join(named))
    if named[0] == "publicKey":
        return (), _short(material.object("publicKey").only("hint"), "hint", "")
    if named[0] == "certificate":
        return (_raw(material.object("certificate")),), ""
    if version == "0.3":
        # sigstore_bundle.proto: in 0.3 "the X.509 certificate chain … MUST NOT" be used
        raise Malformed(_WHAT, "x509CertificateChain, which bundles of version 0.3 do not have")
    chain = material.object("x509CertificateChain").only("certificates").objects("certificates", _MAX_CERTIFICATES)
    if not chain:
        raise Malformed(_WHAT, "x509CertificateChain without a certificate")
    return tuple(_raw(each) for each in chain), ""


def _raw(item: Item) -> bytes:
    data = item.only("rawBytes").data("rawBytes")
    if not data or len(data) > MAX_ENTRY_SIZE:
        raise Malformed(_WHAT, f"a certificate that has not 1 to {MAX_ENTRY_SIZE} bytes", len(data))
    return data


def _timestamps(material: Item) -> tuple[bytes, ...]:
    if not material.has("timestampVerificationData"):
        return ()
    stamps = material.object("timestampVerificationData").only("rfc3161Timestamps")
    return tuple(
        stamp.only("signedTimestamp").data("signedTimestamp")
        for stamp in stamps.objects("rfc3161Timestamps", _MAX_TIMESTAMPS)
    )


def _proof(item: Item) -> EntryProof:
    item.only("logIndex", "rootHash", "treeSize", "hashes", "checkpoint")
    checkpoint = item.object("checkpoint").only("envelope").text("envelope")
    if len(checkpoint) > MAX_NOTE_SIZE:
        raise Malformed(_WHAT, f"a checkpoint of more than {MAX_NOTE_SIZE} characters", len(checkpoint))
    hashes = tuple(to_hash(data) for data in item.data_list("hashes", MAX_HASHES))
    root = item.data("rootHash")
    if len(root) != HASH_SIZE:
        raise Malformed(_WHAT, f"a rootHash of {len(root)} bytes instead of {HASH_SIZE}")
    return EntryProof(
        item.number("logIndex", 0),
        item.number("treeSize"),
        to_hash(root),
        hashes,
        checkpoint.encode("utf-8", "surrogatepass"),  # what no UTF-8 can hold is refused as a note
    )


def _proof_item(proof: EntryProof) -> Mapping[str, Any]:
    return {
        "logIndex": str(proof.index),
        "rootHash": encode_base64(proof.root),
        "treeSize": str(proof.size),
        "hashes": [encode_base64(each) for each in proof.hashes],
        "checkpoint": {"envelope": proof.checkpoint.decode("utf-8", "surrogatepass")},
    }


def _short(item: Item, name: str, default: str | None = None) -> str:
    text = item.text(name, default)
    if len(text) > _MAX_TEXT:
        raise Malformed(_WHAT, f"{name} of more than {_MAX_TEXT} characters", text)
    return text
