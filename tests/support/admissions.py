"""Entries as they are signed and submitted, and policies that judge them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from typing import Any

from tests.support.rekor_requests import entry_of
from tests.support.signed_bundles import ARTIFACT, envelope_of, message_of, public, signer
from tests.support.sigstore_authority import IDENTITY, ISSUER, Authority, Signed, authority
from tests.support.timestamping import Timestamp
from tiles.inbox.admission import Admission
from tiles.inbox.attachments import Attachments
from tiles.inbox.rules import Rule
from tiles.sigstore.body import HASHES
from tiles.sigstore.bundle import Bundle
from tiles.sigstore.dsse import Envelope
from tiles.sigstore.hashedrekord import make_hashedrekord

BY_KEY = entry_of(b"artifact")  # signed by this key
KEY = sha256(public(signer(7)).spki).hexdigest()
BY_IDENTITY = Rule("hashedrekord", identity=IDENTITY, issuer=ISSUER)
SLSA = "https://slsa.dev/provenance/v1"


@cache
def trusted_root() -> bytes:
    """Return the file by which certificates of the tests' authority are judged."""
    return authority().trusted_root_bytes()


def policy(*rules: Rule, **values: Any) -> Admission:
    """Return the policy with these rules, and its trusted root where they need one."""
    root = trusted_root() if any(rule.identity for rule in rules) else b""
    return Admission(rules=tuple(sorted(rules, key=lambda rule: rule.line)), trusted_root=root, **values)


def certified(
    leaf: Signed | None = None,
    *,
    stamps: Sequence[Timestamp | None] = (None,),
    by: Authority | None = None,
    statement: Any = None,
    artifact: bytes = ARTIFACT,
) -> Bundle:
    """Return a bundle without an entry of what was signed with a certificate, and timestamped.

    leaf        the certificate and its key
    stamps      what timestamps say; None: the usual
    by          whose timestamps they are
    statement   what is signed instead of the artifact, in an envelope
    """
    leaf = leaf or authority().leaf(key=signer(9))
    content = message_of(leaf.key, artifact) if statement is None else envelope_of(leaf.key, statement)
    tokens = tuple((by or authority()).timestamp(content.signature, stamp) for stamp in stamps)
    return Bundle(content, (leaf.der,), "", (), tokens)


def submitted(bundle: Bundle) -> tuple[bytes, Attachments]:
    """Return the entry of a bundle with a certificate, and what is attached to it."""
    content, key = bundle.content, public(signer(9))
    is_envelope = isinstance(content, Envelope)
    digest = HASHES[key.algorithm](content.signed).digest() if isinstance(content, Envelope) else content.digest
    entry = make_hashedrekord(digest, content.signature, key, bundle.certificates[0]).data
    envelope = content.data if is_envelope and isinstance(content, Envelope) else b""
    return entry, Attachments(bundle.timestamps, bundle.certificates[1:], envelope)
