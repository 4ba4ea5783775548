"""The text of a search proof: strict, bounded, and small enough for a vector."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.search_proofs import holding, name, refused
from tiles.errors import Malformed, UsageError
from tiles.index.search_proof import MAX_SEARCH_PROOF_SIZE, parse_search_proof


def test_texts() -> None:
    """There is one text for a proof; whatever is nearly one is refused."""
    for case in holding().values():
        assert parse_search_proof(case.data).data == case.data
    for what, case in refused().items():
        if what.startswith("text"):
            with pytest.raises(Malformed):
                parse_search_proof(case.data)


def test_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before it is looked at, and is not written."""
    with pytest.raises(Malformed, match=f"more than {MAX_SEARCH_PROOF_SIZE}"):
        parse_search_proof(bytes(MAX_SEARCH_PROOF_SIZE + 1))
    proof = name("alone")
    monkeypatch.setattr("tiles.index.search_proof.MAX_SEARCH_PROOF_SIZE", len(proof.data) - 1)
    with pytest.raises(UsageError, match="a search proof has at most"):
        replace(proof)


def test_cases_are_small() -> None:
    """They are vectors, which others read."""
    assert sum(len(case.data) for case in (*holding().values(), *refused().values())) < 1_000_000
