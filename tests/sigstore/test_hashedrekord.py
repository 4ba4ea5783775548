"""Entries of Rekor v2 are recognised to the byte; what is nearly one is in the table of all entries."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.support.entry_texts import ENTRIES
from tests.support.signed_bundles import EXAMPLE
from tiles.errors import LogError, Malformed, SignatureError, UsageError
from tiles.sigstore.hashedrekord import check_hashedrekord, make_hashedrekord, parse_hashedrekord
from tiles.sigstore.json_text import canonical_json
from tiles.sigstore.public_key import parse_public_key
from tiles.tree.merkle import leaf_hash


def test_an_entry_of_rekor() -> None:
    """All parts of it are there."""
    entry = next(entry for entry in ENTRIES if b"x509Certificate" in entry)
    found = parse_hashedrekord(entry)
    assert (found.algorithm, found.digest, found.verifier, found.raw) == (
        "SHA2_512",
        bytes(64),
        "x509Certificate",
        b"key",
    )
    assert (found.signature, found.key_details) == (b"signature", "PKIX_ECDSA_P256_SHA_256")


def test_the_worked_example() -> None:
    """The example of rekor-tiles' CLIENTS.md: made, parsed and checked to the byte; its leaf hash."""
    entry = make_hashedrekord(EXAMPLE.digest, EXAMPLE.signature, parse_public_key(EXAMPLE.raw)).data
    assert len(entry) == 489
    assert leaf_hash(entry).hex() == "5329b779f792acc0931f404314b027ab06e2d468ce61fc9d9641e625ce60c3da"
    assert check_hashedrekord(entry) == parse_hashedrekord(entry) == EXAMPLE
    as_json = json.dumps(json.loads(entry), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert entry == canonical_json(json.loads(entry)) == as_json.encode()


def test_what_is_not_logged() -> None:
    """Wrong signatures, keys of another kind than is said, keys that Rekor does not take: refused before logging."""
    pure = bytes.fromhex("302a300506032b6570032100") + bytes(range(32))
    refused: list[tuple[dict[str, object], type[LogError], str]] = [
        ({"digest": bytes(32)}, SignatureError, "wrong signature"),
        ({"signature": b"x"}, SignatureError, "wrong signature"),
        ({"key_details": "PKIX_ECDSA_P384_SHA_384"}, Malformed, "keyDetails of a key that is PKIX_ECDSA_P256_SHA_256"),
        ({"key_details": "PKIX_ED25519_PH", "raw": pure}, Malformed, "Ed25519, which signs no digest"),
        ({"algorithm": "SHA2_512", "digest": bytes(64)}, Malformed, "a digest for a key that signs SHA2_256"),
        ({"raw": b"key"}, Malformed, "not the public key of any known kind"),
        ({"verifier": "x509Certificate"}, Malformed, "not an X.509 certificate"),
    ]
    for change, error, problem in refused:
        with pytest.raises(error, match=problem):
            check_hashedrekord(replace(EXAMPLE, **change).data)  # type: ignore[arg-type]
    key = parse_public_key(EXAMPLE.raw)
    for digest, signature, certificate in (
        (bytes(64), b"s", b""),
        (bytes(32), b"", b""),
        (bytes(32), b"s", bytes(65_000)),
    ):
        with pytest.raises(UsageError):
            make_hashedrekord(digest, signature, key, certificate)
