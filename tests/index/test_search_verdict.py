"""Search proofs: what holds, what does not and for which reason; every bit of a proof counts."""

from __future__ import annotations

import random

import pytest

from tests.support.indexed import POLICY
from tests.support.reference import flipped
from tests.support.sampling import quickly
from tests.support.search_proofs import ENTRIES, Case, head_of, holding, name, refused, with_head
from tests.support.signed_text import key
from tiles import errors
from tiles.errors import LogError, SignatureError, VerificationError
from tiles.index.search_proof import parse_search_proof
from tiles.index.search_verdict import verify_search_proof
from tiles.notes.policy import parse_policy

OTHER = key("other.example.com", 8)


def verdict(case: Case) -> tuple[int, ...]:
    """Return the hits."""
    searched = verify_search_proof(parse_search_proof(case.data), parse_policy(case.policy.encode()))
    for index, entry in searched.hits:
        assert entry is None or entry.startswith(b"raw") or entry == ENTRIES[index]
    return tuple(index for index, _ in searched.hits)


def test_what_holds() -> None:
    """Which entries have the key, oldest first; the text is the only one for its proof."""
    for what, case in holding().items():
        assert verdict(case) == case.hits, what


def test_what_does_not_hold() -> None:
    """Each for its own reason; no two of them for one that covers another."""
    messages = set()
    for what, case in refused().items():
        with pytest.raises(LogError) as caught:
            verdict(case)
        assert type(caught.value) is getattr(errors, case.expect), (what, caught.value)
        if not what.startswith("text"):
            messages.add(caught.value.message)
    assert len(messages) >= 30


def test_whose_index_it_is() -> None:
    """A proof by the index of somebody else holds for whoever names that key, and for nobody else."""
    proof = name("alone")
    other = with_head(proof, head_of(proof), key("somebody.example.com", 7))
    for shown, by, holds in (
        (other, key("somebody.example.com", 7), True),
        (other, None, False),
        (proof, OTHER, False),
    ):
        if holds:
            assert (
                verify_search_proof(shown, POLICY, by and by.verifier).hits == verify_search_proof(proof, POLICY).hits
            )
        else:
            with pytest.raises(SignatureError):
                verify_search_proof(shown, POLICY, by and by.verifier)


def test_evidence() -> None:
    """A head that the log's key signed and that is wrong is handed on."""
    with pytest.raises(VerificationError, match="entry 99 has a key") as caught:
        verdict(refused()["rule 4: a record of a key that the entry does not have"])
    assert set(caught.value.evidence) == {"index head", "search proof"}


@pytest.mark.parametrize("count", quickly([100, 4000], [100]))
def test_any_bit(count: int) -> None:
    """A proof in which one bit is changed shows the same hits, or nothing: never others."""
    rng = random.Random(count)
    for what, case in holding().items():
        for _ in range(count // 10):
            data = flipped(case.data, rng.randrange(8 * len(case.data)))
            try:
                searched = verify_search_proof(parse_search_proof(data), parse_policy(case.policy.encode()))
            except LogError:
                continue
            key = parse_search_proof(case.data).key
            assert searched.hits == () or parse_search_proof(data).key == key, what
