"""Proofs that are spoiled in every way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from tiles.tree.merkle import EMPTY_ROOT, Hash

HASH = Hash(b"\x5a" * 32)


def spoiled(built: Sequence[Hash]) -> Iterator[tuple[str, list[Hash]]]:
    """Yield the proof with each hash dropped, each two swapped, and hashes added at each place."""
    good = list(built)
    for at in range(len(good)):
        yield f"dropped {at}", good[:at] + good[at + 1 :]
    for at in range(len(good) + 1):
        for added in {HASH, EMPTY_ROOT, *good[at : at + 1]}:
            yield f"added at {at}", [*good[:at], added, *good[at:]]
    for one, other in combinations(range(len(good)), 2):
        swapped = list(good)
        swapped[one], swapped[other] = good[other], good[one]
        yield f"swapped {one} and {other}", swapped
    if good:
        yield "emptied", []
