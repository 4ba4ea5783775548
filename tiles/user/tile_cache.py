"""The cache of tiles: full tiles that were verified once, on this machine's disk, as they never change.

Nothing here has to be trusted, or to last: the reader verifies a tile from the cache like any other, and fetches it if
it is wrong. So a disk that fails counts as a tile that is not there.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from tiles.errors import AccessError, UsageError
from tiles.tree.layout import TILE_WIDTH, Tile
from tiles.tree.merkle import HASH_SIZE
from tiles.user.files import read_file, write_file, xdg_directory

MAX_TILES = 32_768  # of all logs together: 256 MiB

_TILE_SIZE = TILE_WIDTH * HASH_SIZE  # bytes


class TileCache:
    """Keeps at most about `max_tiles`, and removes those first that were written first.

    directory   made when first written to; default $XDG_CACHE_HOME/tiletree, or ~/.cache/tiletree
    """

    def __init__(self, directory: Path | None = None, *, max_tiles: int = MAX_TILES) -> None:
        self.directory = (directory or xdg_directory("XDG_CACHE_HOME", ".cache")) / "tiles"
        self._max_tiles = max_tiles
        self._count: int | None = None  # counted before the first tile is written

    def get(self, origin: str, tile: Tile) -> bytes | None:
        """Return what was kept for a full tile of a log, unverified, or None."""
        with suppress(AccessError):
            data = read_file(self._path(origin, tile), _TILE_SIZE)
            if data is not None and len(data) == _TILE_SIZE:
                return data
        return None

    def put(self, origin: str, tile: Tile, data: bytes) -> None:
        """Keep a full tile that was believed. Raises UsageError for a partial one, which would soon be of no use."""
        if not tile.is_full or tile.level < 0:
            raise UsageError(f"{tile.path} is not a full tile")
        with suppress(AccessError, OSError):
            if self._count is None or self._count >= self._max_tiles:
                self._count = self._make_room()
            write_file(self._path(origin, tile), data, lasting=False)
            self._count += 1

    def drop(self, origin: str, tile: Tile) -> None:
        """Forget a tile, which was found to be wrong."""
        with suppress(OSError):
            self._path(origin, tile).unlink()

    def _make_room(self) -> int:
        """Remove the oldest tenth if there are too many, and return how many are left."""
        found = []
        for directory, _, names in os.walk(self.directory):
            for path in (Path(directory, name) for name in names):
                with suppress(OSError):
                    found.append((path.stat().st_mtime, path))
        if len(found) < self._max_tiles:
            return len(found)
        found.sort()
        surplus = len(found) - self._max_tiles + 1 + self._max_tiles // 10
        for _, path in found[:surplus]:
            with suppress(OSError):
                path.unlink()
        return max(0, len(found) - surplus)

    def _path(self, origin: str, tile: Tile) -> Path:
        return self.directory / sha256(origin.encode()).hexdigest()[:32] / tile.path
