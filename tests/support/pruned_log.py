"""A log that has pruned its beginning."""

from __future__ import annotations

from tests.support.readers import make_log
from tiles.read.pruned import is_pruned
from tiles.tree.layout import TILES, parse_tile_path

SIZE = 1000


def pruned(minimum: int) -> dict[str, bytes]:
    """Return the objects of a log of SIZE entries that has pruned all that it may."""
    return {
        path: data
        for path, data in make_log(SIZE).items()
        if not path.startswith(TILES) or not is_pruned(parse_tile_path(path), minimum)
    }
