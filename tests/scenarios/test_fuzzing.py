"""Arbitrary and damaged bytes into every parser: a value that formats to the same bytes, or an error that says no."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fuzz_parsers import Target
from tests.support.fuzzing import TARGETS, fuzz

SEED = 20_261_120


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_good_input_is_accepted(target: Target) -> None:
    """The input that is damaged is good: otherwise the damage would prove nothing."""
    for seed in target.seeds:
        assert target.format(target.parse(seed)) == seed


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_damaged_input(target: Target) -> None:
    """Some hundred damaged inputs each; `python -m tests.support.fuzzing 1000000` for as many as one likes."""
    assert fuzz(target, 400, SEED) < 400


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_million_damaged_inputs(target: Target) -> None:
    """A million over all parsers."""
    fuzz(target, -(-1_000_000 // len(TARGETS)), SEED + 1)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@settings(max_examples=40)
@given(data=st.binary(max_size=400))
def test_arbitrary_input(target: Target, data: bytes) -> None:
    """Any bytes at all."""
    try:
        value = target.parse(data)
    except target.refusals:
        return
    assert target.format(value) == data
