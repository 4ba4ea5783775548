"""A log whose entries are the decimal numbers, and its tiles and bundles by the definitions."""

from __future__ import annotations

from functools import cache

from tests.support.reference import Tree, full_tree
from tiles.tree.layout import ENTRIES, Tile

LARGE = (65_535, 65_536, 65_537)


def entries(start: int, stop: int) -> list[bytes]:
    """Return entries [start, stop) of the log that `tree` is of."""
    return [b"%d" % i for i in range(start, stop)]


@cache
def tree() -> Tree:
    """Return the oracle for all sizes used here."""
    return full_tree(LARGE[-1] + 700)


@cache
def content(tile: Tile) -> bytes:
    """Return what a tile holds, by the definitions."""
    if tile.level == ENTRIES:
        first = tile.index * 256
        return b"".join(len(e).to_bytes(2, "big") + e for e in entries(first, first + tile.width))
    return tree().tile(tile)
