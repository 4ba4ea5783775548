"""Who signed an entry, as it claims; the keys of each kind of verifier are in `test_kinds`."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from tests.support.certificate_texts import MAIL, OIDC, ONE, SPKI
from tests.support.entry_texts import rekor
from tiles.entries.signer_keys import claims_in, signer_keys
from tiles.sigstore.der import CertificateClaims
from tiles.sigstore.hashedrekord import parse_hashedrekord

DOCUMENT = (Path(__file__).parents[2] / "docs" / "index-format.md").read_text(encoding="utf-8")


def test_claims() -> None:
    """What is no certificate claims nothing."""
    claimed = CertificateClaims(SPKI, (MAIL.decode(),), OIDC.decode())
    assert claims_in(rekor(verifier="x509Certificate", raw=ONE).encode()) == claimed
    for entry in (rekor(raw=ONE), rekor(verifier="x509Certificate", raw=ONE[1:]), "an entry"):
        assert claims_in(entry.encode()) is None


def test_the_example_of_the_document() -> None:
    """A key is found by SHA-256 of its bytes, whatever they are."""
    (found,) = re.findall(r"has this value:\n\n    ([0-9a-f]{64})\n", DOCUMENT)
    assert signer_keys(parse_hashedrekord(rekor(raw=b"key").encode())) == [("key/1", bytes.fromhex(found))]
    assert sha256(b"key").hexdigest() == found
