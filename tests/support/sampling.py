"""How much of a matrix, and of what could go on without end, a run looks at.

The quick tests take one case in n; `make soak` takes whole matrices of those that end in minutes, and a share of the
others; `make soak-full` takes all.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TypeVar

import pytest

from tests.support.reference import printed_random

T = TypeVar("T")


def one_in(n: int, cases: Iterable[T]) -> list[T]:
    """Return one of every n cases in a row, chosen by a printed seed, so that all parts of a run are looked at."""
    every = list(cases)
    if n == 1:
        return every
    rng = printed_random()
    return [rng.choice(every[start : start + n]) for start in range(0, len(every), n)]


def soaking(share: T, full: T) -> T:
    """Return how much a slow test is to do: all of it if SOAK=full is set, or what ends in minutes."""
    return full if os.environ.get("SOAK") == "full" else share


def quickly(cases: Iterable[T], quick: Sequence[T]) -> list[object]:
    """Return the parameters of a test, a tuple if it takes several, of which all but the quick ones are slow."""
    return [case if case in quick else pytest.param(*_tuple(case), marks=pytest.mark.slow) for case in cases]


def _tuple(case: object) -> tuple[object, ...]:
    return case if isinstance(case, tuple) else (case,)
