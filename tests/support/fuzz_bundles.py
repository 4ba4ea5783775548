"""Bundles of Sigstore, envelopes, statements, trusted roots, entries, keys; the verdict on a bundle: what is damaged
in `fuzzing`, beside the other parsers.

JSON has many spellings of one value. So most of these hold that what was read is written and read as the same; the
verdict holds that whatever it accepts is what was signed and logged.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

from tests.support.fuzz_parsers import Target
from tests.support.fuzz_verdicts import verdict
from tests.support.rekor_requests import request_of
from tests.support.signed_bundles import (
    EXAMPLE,
    NOW,
    bundle_of,
    digests,
    envelope_of,
    public,
    signer,
    trusted_root,
)
from tests.support.signed_text import LOG
from tiles.errors import LogError, Malformed, SignatureError, UsageError
from tiles.notes.keys import ecdsa_key
from tiles.rekor.shim import entry_of
from tiles.sigstore.body import body_of, describe_body
from tiles.sigstore.bundle import parse_bundle
from tiles.sigstore.dsse import parse_envelope
from tiles.sigstore.hashedrekord import check_hashedrekord, parse_hashedrekord
from tiles.sigstore.in_toto import parse_statement
from tiles.sigstore.json_text import canonical_json, parse_json
from tiles.sigstore.logged import log_key
from tiles.sigstore.public_key import parse_public_key
from tiles.sigstore.trusted_root import parse_trusted_root
from tiles.sigstore.verdict import verify_bundle

KEY = public(signer())
ENVELOPE = envelope_of(signer())
GOOD = (bundle_of(), bundle_of(content=ENVELOPE))
ROOT = parse_trusted_root(trusted_root())
ROOTS = (trusted_root(), trusted_root(ecdsa_key(LOG.name, KEY.spki)))
OLD = (
    b'{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":{"hash":{"algorithm":"sha256","value":"%s"}},'
    b'"signature":{"content":"AAAA","publicKey":{"content":"%s"}}}}'
)


def envelope(data: bytes) -> None:
    """Hold that an envelope is written and read as the same."""
    found = parse_envelope(data)
    assert parse_envelope(found.data) == found


def statement(data: bytes) -> None:
    """Hold that a statement about the artifact names it."""
    found = parse_statement(data)
    assert not found.is_about(digests()) or digests()["SHA2_256"].hex().encode() in data


def root(data: bytes) -> None:
    """Hold that a log of a trusted root that can be used has the id of its key."""
    for log in parse_trusted_root(data).logs:
        assert log_key(log).log_id == log.log_id
        assert log.host in log.base_url


def json(data: bytes) -> None:
    """Hold that JSON in canonical form is read as what it was made of."""
    found = parse_json(data, "JSON", 1 << 20)
    assert parse_json(canonical_json(found), "JSON", 1 << 20) == found


def body(data: bytes) -> None:
    """Hold that an entry of Rekor v1 says nothing but what stands in it, and that any can be described."""
    assert all(label and text for label, text in describe_body(data))
    found = body_of(replace(GOOD[0].entries[0], body=data, version="0.0.1"))
    assert found.digest.hex().encode() in data


def judge(data: bytes) -> None:
    """Hold that a bundle is written and read as the same, and verifies with what was signed and logged only."""
    found = parse_bundle(data)
    again = parse_bundle(found.data)
    assert (again.content, again.entries, again.timestamps) == (found.content, found.entries, found.timestamps)
    verify_bundle(found, digests(), ROOT, KEY, NOW)
    (made,) = (one for one in GOOD if type(one.content) is type(found.content))
    assert found.entries == made.entries, f"not what was logged: {data!r}"
    assert found.signature == made.signature, f"not what was signed: {data!r}"


def request(data: bytes) -> None:
    """Hold that what a request asks for is an entry that may be logged, and that nothing else is asked for."""
    entry = entry_of(data)
    assert check_hashedrekord(entry).data == entry


BUNDLES = (
    verdict("DSSE envelope", envelope, (ENVELOPE.data,), (Malformed,)),
    verdict("in-toto statement", statement, (ENVELOPE.payload,), (Malformed,)),
    verdict("trusted root", root, ROOTS, (Malformed, UsageError)),
    verdict(
        "JSON of others",
        json,
        (b'{"a":[1,{"b":null}],"\\u00e9":"\\n"}', GOOD[0].entries[0].body),
        (Malformed, UsageError),
    ),
    verdict(
        "entry of Rekor v1", body, (OLD % (digests()["SHA2_256"].hex().encode(), b64encode(KEY.pem)),), (Malformed,)
    ),
    Target("entry of Rekor v2", parse_hashedrekord, lambda found: found.data, (EXAMPLE.data, GOOD[1].entries[0].body)),
    Target("key of a signer", parse_public_key, lambda key: key.spki, (KEY.spki, EXAMPLE.raw)),
    verdict(
        "key of a signer in PEM", lambda data: parse_public_key(parse_public_key(data).pem), (KEY.pem,), (Malformed,)
    ),
    verdict("request to Rekor", request, (request_of(),), (Malformed, SignatureError)),
    verdict("bundle of Sigstore", judge, (one.data for one in GOOD), (LogError,)),
)
