"""Signed files in a log that the page can open: bundles of Sigstore of keys and of certificates."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.readers import Objects as Fetcher
from tests.support.signed_bundles import HASHES, STATEMENT, envelope_of, message_of, public, signer
from tests.support.signed_text import LOG
from tests.support.sigstore_authority import IDENTITY, ISSUER, Signed, authority
from tests.support.web_logs import FILE, HELLO, POLICY, Objects, log_of
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.sigstore.bundle import Bundle, EntryProof, LogEntry, MessageSignature
from tiles.sigstore.dsse import Envelope
from tiles.sigstore.hashedrekord import KIND, VERSION, make_hashedrekord
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import leaf_hash

NAME, OTHER = "hello.txt", b"hello, World"  # of FILE; and a file that was altered
ATTESTED = {**STATEMENT, "subject": [{"name": NAME, "digest": {"sha256": sha256(FILE).hexdigest()}}]}
HOSTILE_IDENTITY = "https://<img/src=x/onerror=document.title='owned'>/$(id)"
HOSTILE_ISSUER = "<script>document.title='owned'</script>"

# of cards about bundles; tests/web/test_signed_files.py reaches each
STATES_OF_BUNDLES = {
    "another-key",
    "artifact-signature",
    "bundle",
    "certificate",
    "key-named",
    "key-unnamed",
    "not-checked",
    "of-no-file",
    "other-file",
    "signed",
    "trusted-root",
}

Content = MessageSignature | Envelope


@dataclass(frozen=True)
class Made:
    """What is signed, by a key or with a certificate, and the entry that logs it.

    written   what the entry says instead of what it should say: (this, that)
    """

    content: Content
    key: Any
    certificate: bytes = b""
    written: tuple[bytes, bytes] = (b"", b"")

    @property
    def body(self) -> bytes:
        """The entry."""
        key, content = public(self.key), self.content
        signed = HASHES[key.algorithm](content.signed).digest() if isinstance(content, Envelope) else content.digest
        made = make_hashedrekord(signed, content.signature, key, self.certificate).data
        assert self.written[0] in made
        return made.replace(*self.written)


def by_key(content: Callable[..., Content] = message_of, *arguments: Any, key: Any = None) -> Made:
    """Return what a key signed."""
    key = key or signer()
    return Made(content(key, *arguments), key)


def by_certificate(content: Callable[..., Content], argument: Any, leaf: Signed) -> Made:
    """Return what the key of a certificate signed."""
    return Made(content(leaf.key, argument), leaf.key, leaf.der)


@cache
def every() -> dict[str, Made]:
    """Return what is signed in the log, by names."""
    who = authority()
    hostile = who.leaf(HOSTILE_IDENTITY, issuer=HOSTILE_ISSUER)
    return {
        "key": by_key(message_of, FILE),
        "attestation": by_key(envelope_of, ATTESTED),
        "P-384": by_key(message_of, FILE, key=signer(9, ec.SECP384R1)),
        "certificate": by_certificate(message_of, FILE, who.leaf(IDENTITY, issuer=ISSUER)),
        "certified attestation": by_certificate(envelope_of, ATTESTED, who.leaf(IDENTITY, issuer=ISSUER)),
        "hostile": by_certificate(message_of, FILE, hostile),
        "forged": Made(replace(message_of(signer(), FILE), signature=message_of(signer(8), FILE).signature), signer()),
        "of no file": by_key(envelope_of, {"what": "ever"}, "application/json"),
    }


def logged(entries: dict[str, Made], *, more: tuple[bytes, ...] = (b"x", HELLO)) -> tuple[Objects, dict[str, bytes]]:
    """Return the objects of a log of these entries, after `more`, and their bundles by name."""
    bodies = [*more, *(made.body for made in entries.values())]
    objects = {**log_of(bodies), "policy.txt": POLICY}
    client = LogClient(Fetcher(objects), policy_for(LOG.verifier))
    bundles = {}
    for index, (name, made) in enumerate(entries.items(), len(more)):
        proof = client.prove(index)
        tree = proof.checkpoint.tree
        shown = EntryProof(index, tree.size, tree.root, proof.hashes, objects[CHECKPOINT])
        entry = LogEntry(index, LOG.verifier.log_id, KIND, VERSION, made.body, shown)
        certificates = (made.certificate,) if made.certificate else ()
        hint = "" if made.certificate else b64encode(public(made.key).hint).decode()
        bundles[name] = Bundle(made.content, certificates, hint, (entry,)).data
    return objects, bundles


@cache
def signed_log() -> tuple[Objects, dict[str, bytes]]:
    """Return the log of `every` entry, and the bundles."""
    return logged(every())


def pem(name: str = "key") -> bytes:
    """Return the public key of what is signed, as a file."""
    return public(every()[name].key).pem


def uuid_of(name: str) -> str:
    """Return the leaf hash of an entry."""
    return leaf_hash(every()[name].body).hex()


def changed(data: bytes, *path: str | int, to: Any) -> bytes:
    """Return a JSON text with the value at a path changed; to: the value, or a function of the one that is there."""
    whole = json.loads(data)
    place = whole
    for name in path[:-1]:
        place = place[name]
    there = place.get(path[-1]) if isinstance(place, dict) else place[path[-1]]
    place[path[-1]] = to(there) if callable(to) else to
    return json.dumps(whole).encode()


ENTRY = ("verificationMaterial", "tlogEntries", 0)
PROOF = (*ENTRY, "inclusionProof")


def flipped_base64(text: str) -> str:
    """Return the base64 of bytes with one bit changed in the middle."""
    data = bytearray(b64decode(text))
    data[len(data) // 2] ^= 1
    return b64encode(data).decode()
