"""The keys of a cosigner, and the time of what it signs."""

from __future__ import annotations

import pytest

from tests.support.signed_text import CHECKPOINT, W1, W2, key
from tiles.errors import UsageError
from tiles.notes.cosignature import verify_cosignature
from tiles.notes.keys import SeedKey, SignatureType, signing_key
from tiles.watch.cosigner import Cosigner


def test_lines_by_each_key() -> None:
    """Each verifies, and says the time that it was told."""
    cosigner = Cosigner([W1, W2], lambda: 50.9)
    lines = cosigner.lines(CHECKPOINT, cosigner.time_after(0))
    for line, by in zip(lines, (W1, W2), strict=True):
        assert verify_cosignature(CHECKPOINT, line, by.verifier).timestamp == 50
    assert [cosigner.time_after(last) for last in (49, 50, 51)] == [50, 50, 51]


@pytest.mark.parametrize(
    "other", [W1, signing_key("other.example.com", W1.seed, SignatureType.COSIGNATURE)], ids=["name", "other name"]
)
def test_one_public_key_twice(other: SeedKey) -> None:
    """ "The Ed25519 signed message format doesn't commit to the cosigner name, so the same public key can't be used
    across multiple cosigners"."""
    with pytest.raises(UsageError, match="each key once, and under one name"):
        Cosigner([W1, other], lambda: 0.0)
    Cosigner([W1, key(W1.name, 99, SignatureType.COSIGNATURE)], lambda: 0.0)  # two of one name are two keys
