from __future__ import annotations

import os
from pathlib import Path

import pytest

from tiles.errors import UsageError
from tiles.tree.layout import Tile
from tiles.user.tile_cache import TileCache

ORIGIN = "log.example.com"


def content(index: int) -> bytes:
    """Return what a full tile may hold."""
    return index.to_bytes(2, "big") * 4096


def kept(cache: TileCache) -> list[int]:
    """Return the indexes of the level-0 tiles in the cache."""
    return [index for index in range(60) if cache.get(ORIGIN, Tile(0, index)) is not None]


def test_get_what_was_put(tmp_path: Path) -> None:
    """A tile is kept per log, level and index; another cache in the same place has it too."""
    cache = TileCache(tmp_path)
    assert cache.get(ORIGIN, Tile(0, 1)) is None
    cache.put(ORIGIN, Tile(0, 1), content(1))
    assert TileCache(tmp_path).get(ORIGIN, Tile(0, 1)) == content(1)
    assert cache.get(ORIGIN, Tile(1, 1)) is None
    assert cache.get(ORIGIN, Tile(0, 2)) is None
    assert cache.get("other.example.com", Tile(0, 1)) is None
    cache.drop(ORIGIN, Tile(0, 1))
    cache.drop(ORIGIN, Tile(0, 1))
    assert cache.get(ORIGIN, Tile(0, 1)) is None


@pytest.mark.parametrize("data", [b"", content(1)[:-1], content(1) + b"x"])
def test_wrong_length(tmp_path: Path, data: bytes) -> None:
    """A file that cannot be a full tile is none."""
    cache = TileCache(tmp_path)
    cache.put(ORIGIN, Tile(0, 1), content(1))
    (path,) = tmp_path.rglob("001")
    path.write_bytes(data)
    assert cache.get(ORIGIN, Tile(0, 1)) is None


@pytest.mark.parametrize("tile", [Tile(0, 0, 255), Tile(-1, 0), Tile(-1, 0, 1)])
def test_only_full_tiles(tmp_path: Path, tile: Tile) -> None:
    """Partial tiles and bundles are not kept."""
    with pytest.raises(UsageError):
        TileCache(tmp_path).put(ORIGIN, tile, content(0))


def test_size(tmp_path: Path) -> None:
    """The cache never holds more than it may; the oldest tiles go first, and those of earlier runs are counted."""
    cache = TileCache(tmp_path, max_tiles=20)
    for index in range(30):
        if index == 10:
            cache = TileCache(tmp_path, max_tiles=20)
        cache.put(ORIGIN, Tile(0, index), content(index))
        path = next(path for path in tmp_path.rglob(f"{index:03d}"))
        os.utime(path, (index, index))  # one second apart
        assert len(kept(cache)) <= 20
    assert kept(cache) == list(range(30 - len(kept(cache)), 30))
    assert len(kept(cache)) >= 15


def test_disk_that_fails(tmp_path: Path) -> None:
    """Without a place to keep them, tiles are not kept, and nothing else happens."""
    (tmp_path / "file").write_bytes(b"")
    cache = TileCache(tmp_path / "file")
    cache.put(ORIGIN, Tile(0, 1), content(1))
    assert cache.get(ORIGIN, Tile(0, 1)) is None
    cache.drop(ORIGIN, Tile(0, 1))


def test_default_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a directory the cache is the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert TileCache().directory == tmp_path / "tiletree" / "tiles"
