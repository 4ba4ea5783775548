"""Entries of Rekor v2 are recognised to the byte; what is nearly one is in the table of all entries."""

from __future__ import annotations

from tests.support.entry_texts import ENTRIES
from tiles.sigstore.hashedrekord import parse_hashedrekord


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
