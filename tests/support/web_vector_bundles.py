"""Vectors of bundles of Sigstore: each rule broken once, and the real ones; what the page checks, which is not all.

The page takes the log's key from a policy, as everywhere, and checks of a certificate only that its key has signed. So
the verdicts here are not those of the folders' names; `REAL` says why.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from tests.support.rekor_bundles import entry_of, log_key
from tests.support.signed_bundles import EXAMPLE, STATEMENT, envelope_of, message_of, public, signer
from tests.support.signed_text import LOG, key
from tests.support.web_answers import Cases, b64
from tests.support.web_bundles import (
    ATTESTED,
    ENTRY,
    OTHER,
    PROOF,
    Made,
    by_key,
    changed,
    every,
    flipped_base64,
    logged,
    signed_log,
)
from tests.support.web_logs import FILE, POLICY
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint, sign_checkpoint
from tiles.notes.keys import ecdsa_key
from tiles.notes.note import Signature
from tiles.notes.policy import policy_for
from tiles.sigstore.bundle import MessageSignature
from tiles.sigstore.in_toto import STATEMENT_V0

V1 = "PolicyError"  # Rekor v1's key is not named as its origin, so no policy accepts its checkpoints
REAL = {
    "happy-path-v0.3": V1,
    "managed-key-happy-path": V1,
    "managed-key-wrong-key_fail": V1,
    "checkpoint-wrong-roothash_fail": V1,
    "inclusion-proof-corrupted-hash_fail": V1,
    "rekor2-happy-path": "ok",
    "rekor2-dsse-happy-path": "ok",
    "rekor2-checkpoint-cosigned": "ok",
    "rekor2-checkpoint-origin-not-first": "ok",
    "rekor2-checkpoint-missing-root-hash_fail": "Malformed",
    "rekor2-checkpoint-missing-size_fail": "Malformed",
    "rekor2-no-inclusion-proof_fail": "Malformed",
}

MESSAGE, DIGEST, ENVELOPE = ("messageSignature",), ("messageSignature", "messageDigest"), ("dsseEnvelope",)
MATERIAL = ("verificationMaterial",)
SAME_VERSION = "application/vnd.dev.sigstore.bundle+json;version=0.3"


def add_to(made: Cases, shared: Path | None) -> None:
    """Add all of them; shared: where the real bundles are."""

    def add(what: str, expect: str, data: bytes, file: bytes = FILE, pem: bytes = b"", policy: bytes = POLICY) -> None:
        arguments = {"data": b64(data), "artifact": b64(file), "policy": b64(policy), "key": pem.decode()}
        made.add("signed", expect, what, **arguments)

    _, bundles = signed_log()
    for name, data in bundles.items():
        expect = {"of no file": "Malformed", "forged": "SignatureError"}.get(name, "ok")
        add(name, expect, data)
        add(f"{name}, another file", "Malformed" if name == "of no file" else "SignatureError", data, OTHER)
    for name in ("key", "attestation", "P-384"):
        add(f"{name}, by the key demanded", "ok", bundles[name], pem=public(every()[name].key).pem)
        add(f"{name}, by another key", "SignatureError", bundles[name], pem=public(signer(8)).pem)
    for what, expect, data in (*changes(bundles["key"]), *changed_attestations(bundles["attestation"])):
        add(what, expect, data)
    for what, expect, entry in entries():
        add(what, expect, logged({"it": entry})[1]["it"])
    of_key, certified = bundles["key"], bundles["certificate"]
    for what, data in (
        ("a key where a certificate was logged", _signed_by(certified, publicKey={})),
        ("a certificate where a key was logged", _signed_by(of_key, certificate=_material(certified)["certificate"])),
        ("another certificate", _signed_by(certified, certificate=_material(bundles["hostile"])["certificate"])),
    ):
        add(what, "VerificationError", data)
    add("a hash that the key does not sign", "Malformed", by_another_hash())
    add("a log with an ECDSA key", "ok", *of_ecdsa_log(of_key))
    add("another log", "PolicyError", bundles["key"], policy=policy_for(key("other.example.com", 1).verifier).data)
    add("another key of the log", "SignatureError", bundles["key"], policy=policy_for(key(LOG.name, 9).verifier).data)
    made.add("keys", "ok", "the worked example of Rekor v2", entry=b64(EXAMPLE.data))
    if shared:
        folders = shared / "sigstore-bundles"
        for name, expect in REAL.items():
            data = (folders / name / "bundle.sigstore.json").read_bytes()
            sound = folders / ("rekor2-happy-path" if expect == "Malformed" else name)  # of the same log
            policy = policy_for(log_key(sound, entry_of(sound))).data
            add(name, expect, data, (folders / "a.txt").read_bytes(), policy=policy)


def changes(data: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Yield a bundle of a key with one thing changed, by what that is, with what it comes to."""
    checkpoint = (*PROOF, "checkpoint", "envelope")
    text = json.loads(data)["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"]
    tree = parse_signed_checkpoint(text.encode()).tree
    other = sign_checkpoint(Checkpoint(LOG.name, replace(tree, size=tree.size + 1)), LOG).data.decode()
    logged_elsewhere = sign_checkpoint(Checkpoint("other.example.com", tree), key("other.example.com", 1)).data.decode()
    yield "numbers as numbers", "ok", changed(data, *PROOF, "treeSize", to=int)
    yield "numbers of another kind", "Malformed", data.replace(b'"treeSize":"10"', b'"treeSize":1e1', 1)
    yield "null is nothing", "ok", changed(data, *ENTRY, "inclusionPromise", to=None)
    yield "no hint", "ok", changed(data, *MATERIAL, "publicKey", to={})
    yield "the other name of version 0.3", "ok", changed(data, "mediaType", to=SAME_VERSION)
    yield "spaces", "ok", json.dumps(json.loads(data), indent=3).encode() + b"\n\t\r "
    for what, expect, path, to in (
        ("treeSize", "ProofError", (*PROOF, "treeSize"), "11"),
        ("rootHash", "ProofError", (*PROOF, "rootHash"), flipped_base64),
        ("outer logIndex", "ProofError", (*ENTRY, "logIndex"), "1"),
        ("inner logIndex", "ProofError", (*PROOF, "logIndex"), "1"),
        ("no logIndex, which is 0", "ProofError", (*ENTRY, "logIndex"), None),
        ("a time that nothing signs", "SignatureError", (*ENTRY, "integratedTime"), "9"),
        ("logId", "PolicyError", (*ENTRY, "logId", "keyId"), flipped_base64),
        ("logId of 4 bytes", "PolicyError", (*ENTRY, "logId", "keyId"), lambda text: b64(b64decode(text)[:4])),
        ("a hash", "ProofError", (*PROOF, "hashes", 1), flipped_base64),
        ("a hash less", "ProofError", (*PROOF, "hashes"), lambda hashes: hashes[:-1]),
        ("a hash of 31 bytes", "Malformed", (*PROOF, "hashes", 1), lambda text: b64(b64decode(text)[:31])),
        ("no treeSize", "Malformed", (*PROOF, "treeSize"), None),
        ("checkpoint of another size", "ProofError", checkpoint, other),
        ("checkpoint of another log", "PolicyError", checkpoint, logged_elsewhere),
        ("no checkpoint", "Malformed", (*PROOF, "checkpoint"), None),
        ("no proof", "Malformed", (*ENTRY, "inclusionProof"), None),
        ("another body", "ProofError", (*ENTRY, "canonicalizedBody"), flipped_base64),
        ("no body", "Malformed", (*ENTRY, "canonicalizedBody"), None),
        ("base64 that is not canonical", "Malformed", (*ENTRY, "canonicalizedBody"), lambda text: text + "\n"),
        ("another kind", "VerificationError", (*ENTRY, "kindVersion", "kind"), "rekord"),
        ("no entry", "VerificationError", ENTRY[:-1], []),
        ("two entries", "VerificationError", ENTRY[:-1], lambda entries: entries * 2),
        ("digest", "SignatureError", (*DIGEST, "digest"), flipped_base64),
        ("size of the digest", "Malformed", (*DIGEST, "algorithm"), "SHA2_512"),
        ("no digest", "Malformed", DIGEST, None),
        ("signature", "VerificationError", (*MESSAGE, "signature"), flipped_base64),
        ("no signature", "Malformed", (*MESSAGE, "signature"), ""),
        ("nothing signed", "Malformed", MESSAGE, None),
        ("both signed", "Malformed", ENVELOPE, {"payload": "", "payloadType": "x", "signatures": [{"sig": "AA=="}]}),
        ("nobody", "Malformed", (*MATERIAL, "publicKey"), None),
        ("a certificate too", "Malformed", (*MATERIAL, "certificate"), {"rawBytes": "AAAA"}),
        ("a chain in version 0.3", "Malformed", MATERIAL, lambda parts: {
            **{name: part for name, part in parts.items() if name != "publicKey"},
            "x509CertificateChain": {"certificates": [{"rawBytes": "AAAA"}]},
        }),
        ("an unknown field", "Malformed", (*ENTRY, "more"), 1),
        ("another version", "Malformed", ("mediaType",), "application/vnd.dev.sigstore.bundle.v0.4+json"),
    ):  # fmt: skip
        yield what, expect, changed(data, *path, to=to)
    yield "a member twice", "Malformed", data.replace(b'"mediaType"', b'"mediaType":"","mediaType"', 1)
    yield "NaN", "Malformed", data.replace(b'"logIndex":"2"', b'"logIndex":NaN', 1)
    yield "a byte order mark", "Malformed", b"\xef\xbb\xbf" + data
    yield "not UTF-8", "Malformed", data.replace(b"hashedrekord", b"hashedrekor\xff", 1)
    yield "more after its end", "Malformed", data + b"{}"
    yield "a list", "Malformed", b"[" + data + b"]"
    yield "brackets in brackets", "Malformed", b'{"mediaType":' + b"[" * 65 + b"]" * 65 + b"}"


def _material(data: bytes) -> dict[str, Any]:
    return dict(json.loads(data)["verificationMaterial"])


def _signed_by(data: bytes, **signer: Any) -> bytes:
    """Return a bundle with another signer than its own."""
    kept = {name: part for name, part in _material(data).items() if name not in ("publicKey", "certificate")}
    return changed(data, "verificationMaterial", to={**kept, **signer})


def _deep(levels: int) -> list[Any]:
    return [_deep(levels - 1)] if levels else []


def by_another_hash(details: str = "PKIX_ECDSA_P256_SHA_256") -> bytes:
    """Return a bundle of a P-256 key's signature, which is over SHA-256, with SHA-512 in entry and bundle.

    details   what the entry calls the key
    """
    sound, long = by_key(message_of, FILE), b64(sha512(FILE).digest())
    body = sound.body
    for before, after in (
        ("SHA2_256", "SHA2_512"),
        (b64(sha256(FILE).digest()), long),
        (public(sound.key).details, details),
    ):
        body = body.replace(before.encode(), after.encode())
    data = logged({"it": replace(sound, written=(sound.body, body))})[1]["it"]
    return changed(data, *DIGEST, to={"algorithm": "SHA2_512", "digest": long})


def of_ecdsa_log(data: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return a bundle of a log whose key is ECDSA, whose id is SHA-256 of the key alone; and file, no key, policy."""
    private = signer(11)
    log = ecdsa_key(LOG.verifier.name, public(private).spki)
    envelope = (*PROOF, "checkpoint", "envelope")
    text, _, _ = json.loads(data)["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"][
        "envelope"
    ].partition("\n\n")
    line = Signature(log.name, log.key_id, private.sign(f"{text}\n".encode(), ec.ECDSA(SHA256()))).line
    ours = changed(changed(data, *envelope, to=f"{text}\n\n{line}\n"), *ENTRY, "logId", "keyId", to=b64(log.log_id))
    return ours, FILE, b"", policy_for(log).data


def changed_attestations(data: bytes) -> Iterator[tuple[str, str, bytes]]:
    """The same, of an attestation."""
    statement = json.loads(b64decode(json.loads(data)["dsseEnvelope"]["payload"]))

    def with_payload(**more: object) -> bytes:
        return changed(data, *ENVELOPE, "payload", to=b64encode(json.dumps({**statement, **more}).encode()).decode())

    yield "another predicate", "VerificationError", with_payload(predicate={"changed": True})
    yield "a predicate too deep", "Malformed", with_payload(predicate=_deep(70))
    yield "another subject", "SignatureError", with_payload(subject=STATEMENT["subject"])
    yield "no subject", "Malformed", with_payload(subject=[])
    yield "a subject without a digest", "Malformed", with_payload(subject=[{"name": "a", "digest": {}}])
    yield "capital digits", "Malformed", with_payload(subject=[{"digest": {"sha256": "AB" * 32}}])
    yield "another statement", "Malformed", with_payload(_type="https://in-toto.io/Statement/v2")
    yield "another payload type", "Malformed", changed(data, *ENVELOPE, "payloadType", to="text/plain")
    yield "another signature", "VerificationError", changed(data, *ENVELOPE, "signatures", 0, "sig", to=flipped_base64)
    yield "two signatures", "Malformed", changed(data, *ENVELOPE, "signatures", to=lambda all_: all_ * 2)
    yield "base64url", "ok", changed(data, *ENVELOPE, "signatures", 0, "sig", to=lambda text: text.translate(_URL))


_URL = str.maketrans("+/", "-_")


def entries() -> Iterator[tuple[str, str, Made]]:
    """Yield what is signed and logged, all of it rightly but for what is named."""
    yield "P-521", "ok", by_key(message_of, FILE, key=signer(10, ec.SECP521R1))
    large = rsa.generate_private_key(65537, 2048)
    signature = large.sign(FILE, padding.PKCS1v15(), SHA256())
    signed = Made(MessageSignature("SHA2_256", sha256(FILE).digest(), signature), large)
    yield "RSA", "ok", signed
    yield "RSA of another size", "Malformed", replace(signed, written=(b"PKCS1V15_2048", b"PKCS1V15_3072"))
    forged = replace(envelope_of(signer(), ATTESTED), signature=message_of(signer(), FILE).signature)
    yield "an attestation with another's signature", "SignatureError", Made(forged, signer())
    mine = {"name": "it", "digest": {"sha256": sha256(FILE).hexdigest(), "sha1": "any text"}}
    both = {**STATEMENT, "_type": STATEMENT_V0, "subject": [*STATEMENT["subject"], mine]}
    yield "an old statement of two subjects", "ok", by_key(envelope_of, both)
    longest = {**STATEMENT, "subject": [{"name": "it", "digest": {"sha512": sha512(FILE).hexdigest()}}]}
    yield "a statement by SHA-512", "ok", by_key(envelope_of, longest)
    odd = {**ATTESTED, "predicate": {"__proto__": {}, "constructor": 1}}
    yield "members that every object of JavaScript has", "ok", by_key(envelope_of, odd)
    yield "an attestation of another file", "SignatureError", by_key(envelope_of, STATEMENT)
    for what, expect, before, after in (
        ("laid out", "Malformed", b'{"apiVersion"', b'{ "apiVersion"'),
        ("with a field more", "Malformed", b'{"apiVersion"', b'{"a":1,"apiVersion"'),
        ("keyDetails of another key", "Malformed", b"PKIX_ECDSA_P256_SHA_256", b"PKIX_RSA_PKCS1V15_2048_SHA256"),
        ("keyDetails of another hash", "Malformed", b"PKIX_ECDSA_P256_SHA_256", b"PKIX_ECDSA_P384_SHA_384"),
        ("keyDetails of nothing", "Malformed", b"PKIX_ECDSA_P256_SHA_256", b"PKIX_ECDSA_P256"),
        ("a key that is none", "Malformed", b'"rawBytes":"MFkw', b'"rawBytes":"MFkx'),
        ("by another key", "SignatureError", *(b64encode(public(signer(number)).spki) for number in (7, 8))),
    ):
        yield f"logged {what}", expect, replace(by_key(message_of, FILE), written=(before, after))
