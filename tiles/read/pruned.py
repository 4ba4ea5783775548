"""Pruned logs (https://c2sp.org/tlog-tiles#pruning): what is not there because it is below the minimum index.

The specification has no endpoint for the minimum index ("TODO: Some HTTP endpoint for fetching the minimum index?"), so
whoever reads names it. It is no excuse for anything else: only a full tile or bundle "if the resource's end index … is
below or equal to the minimum index" may be missing, and what is there is verified as ever.
"""

from __future__ import annotations

import re

from tiles.errors import Malformed, NotFound, UsageError
from tiles.tree.layout import TILE_HEIGHT, TILE_WIDTH, TILES, Tile, parse_tile_path

_TILE = re.compile(rf"{TILES}(?:[0-9]{{1,2}}|entries)/(?:x[0-9]{{3}}/){{0,6}}[0-9]{{3}}(?![0-9.])", re.ASCII)


def check_minimum(minimum: int, size: int) -> None:
    """Raise UsageError unless it can be the minimum index of a log of that size.

    "It MUST be less than or equal to the tree size of the log's current checkpoint."
    """
    if not 0 <= minimum <= size:
        raise UsageError(f"a log of {size} entries cannot have pruned what is below {minimum}")


def is_pruned(tile: Tile, minimum: int) -> bool:
    """Whether a log may have pruned a tile or bundle."""
    below = TILE_WIDTH << (TILE_HEIGHT * max(tile.level, 0))  # entries below a full one
    return tile.is_full and (tile.index + 1) * below <= minimum


def explained(error: NotFound, minimum: int, url: str) -> NotFound:
    """Return an error that says that an object was pruned, if the log may have pruned it; otherwise `error`.

    url   of the log, as it may be shown
    """
    for path in _TILE.findall(error.message):
        try:
            tile = parse_tile_path(path)
        except Malformed:
            continue
        if is_pruned(tile, minimum):
            return NotFound(
                f"{url}: {path} was pruned: all of it is below the minimum index {minimum}, which the call names",
                hint="what is below cannot be read or proven here any more; proofs made before are as good as ever",
            )
    return error
