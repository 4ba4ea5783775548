"""Policies, and every set of witnesses that may have signed."""

from __future__ import annotations

from itertools import combinations

from tests.support.signed_text import (
    WITNESS_LINES,
    WITNESSES,
)

EVERY_SET = [names for count in range(7) for names in combinations(WITNESSES, count)]
DEEP = (
    WITNESS_LINES
    + "group a all X1 X2\ngroup b any a X3\ngroup c 2 b Y1 Y2\ngroup d all c Y3\nquorum {}\n"  # every name used once
)
