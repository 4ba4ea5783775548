"""Tiles and bundles: one and many, partial and full."""

from __future__ import annotations

from copy import deepcopy
from threading import Barrier

import pytest

from tests.support.caches import HUGE_PAGE, Caching
from tests.support.readers import Objects, entry
from tiles.errors import AccessError, NotFound, TileError
from tiles.read.tiles import TileSource, fetch_tile, fetch_tile_anew
from tiles.tree.bundle import encode_entries
from tiles.tree.layout import Tile

DATA = bytes(range(256)) * 32
TILE = "tile/0/000"


# ---- partial and full, one and many


def test_partial_falls_back_to_full() -> None:
    """A partial tile or bundle that is gone is cut from the full one; a full one that is gone is not there."""
    full = {"tile/entries/000": encode_entries([entry(i) for i in range(256)]), TILE: DATA}
    assert fetch_tile(Objects(full), Tile(0, 0, 3)) == DATA[:96]
    assert fetch_tile(Objects(full), Tile(-1, 0, 5)) == encode_entries([entry(i) for i in range(5)])
    for tile in (Tile(0, 1, 3), Tile(-1, 1, 3), Tile(0, 1), Tile(-1, 1)):
        objects = Objects(full)
        with pytest.raises(NotFound):
            fetch_tile(objects, tile)
        assert objects.asked == list(dict.fromkeys([tile.path, tile.full.path]))


@pytest.mark.parametrize(("tile", "longest"), [(Tile(0, 0), 2 * 8192), (Tile(-1, 0), 256 * 65_537 + 1)])
def test_limits(tile: Tile, longest: int) -> None:
    """The longest bundle can be read, and a little more of both kinds, so that it is found to be wrong; no more."""
    assert len(fetch_tile(Objects({tile.path: bytes(longest)}), tile)) == longest
    with pytest.raises(AccessError, match="longer than"):
        fetch_tile(Objects({tile.path: bytes(longest + 1)}), tile)


def test_partial_is_asked_for_first() -> None:
    """Where the partial tile is there, the full one is not asked for."""
    objects = Objects({"tile/0/000.p/3": b"x" * 96, TILE: DATA})
    assert fetch_tile(objects, Tile(0, 0, 3)) == b"x" * 96
    assert objects.asked == ["tile/0/000.p/3"]


@pytest.mark.parametrize(
    ("tile", "data"),
    [(Tile(0, 0, 3), DATA[:-1]), (Tile(0, 0, 3), b""), (Tile(-1, 0, 3), b"\0"), (Tile(-1, 0, 3), b"\0\0" * 255)],
)
def test_full_that_cannot_be_cut(tile: Tile, data: bytes) -> None:
    """A full one of the wrong length is a wrong log, and the error names it."""
    with pytest.raises(TileError) as caught:
        fetch_tile(Objects({tile.full.path: data}), tile)
    assert caught.value.path == tile.full.path


def test_what_is_too_long_or_only_a_cache_lacks() -> None:
    """A partial tile that is too long is cut from the full one; what a cache lacks is asked for past it."""
    tile = Tile(0, 0, 3)
    assert fetch_tile(Caching({TILE: DATA}, {tile.path: HUGE_PAGE}), tile) == DATA[:96]
    fetcher = Caching({TILE: DATA}, {tile.path: None, TILE: None})
    assert fetch_tile(fetcher, tile) == DATA[:96]
    assert fetcher.anew == [tile.path, TILE]


def test_what_is_there_past_every_cache() -> None:
    """It is the object itself, or what is cut from the full one; without a cache, what was fetched."""
    partial = Tile(0, 0, 3)
    assert fetch_tile_anew(Objects({TILE: DATA}), Tile(0, 0), b"rejected") == b"rejected"
    assert fetch_tile_anew(Caching({TILE: DATA}, {TILE: b"kept"}), Tile(0, 0), b"kept") == DATA
    kept = {partial.path: b"kept", TILE: b"kept, too"}
    assert fetch_tile_anew(Caching({partial.path: b"x" * 96}, kept), partial, b"kept") == b"x" * 96
    assert fetch_tile_anew(Caching({TILE: DATA}, kept), partial, b"kept") == DATA[:96]
    with pytest.raises(NotFound, match="neither"):
        fetch_tile_anew(Caching({}, kept), partial, b"kept")


@pytest.mark.parametrize("parallel", [1, 4])
def test_many(parallel: int) -> None:
    """Tiles come in the order asked for, and as many are fetched at a time as the fetcher says."""
    wanted = [Tile(0, index) for index in range(12)]
    objects = Objects({tile.path: tile.path.encode() for tile in wanted}, parallel)
    together = Barrier(parallel)
    objects.before = lambda _path: together.wait(timeout=5) and None
    waiting = iter(wanted)
    stream = TileSource(objects).fetch(waiting)
    found = [next(stream)]
    assert len(wanted) - len(list(deepcopy(waiting))) <= 1 + parallel
    assert [*found, *stream] == [(tile, tile.path.encode()) for tile in wanted]


def test_an_error_in_its_turn() -> None:
    """What cannot be fetched is raised once all that stand before it were taken."""
    objects = Objects({TILE: DATA}, parallel=3)
    stream = TileSource(objects).fetch([Tile(0, 0), Tile(0, 1)])
    assert next(stream) == (Tile(0, 0), DATA)
    with pytest.raises(NotFound):
        next(stream)
