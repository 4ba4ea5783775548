"""Runs that workers read: what leads to the hash above it is handed over, everything else is left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tiles.read.runs
from tests.support.audits import LARGE, Served, changed, gone, last_bit, log
from tiles.read.fetcher import open_log
from tiles.read.runs import Hands, Run, right_bundles, right_tiles, some_bundles, some_bundles_at
from tiles.store import Fetcher
from tiles.tree.layout import ENTRIES, Tile
from tiles.workers import Workers

DAMAGED = {"tile/0/003": gone, "tile/entries/004": gone, "tile/0/005": last_bit, "tile/entries/006": last_bit}
TOO_SHORT = {"tile/0/007": lambda data: data[:-32], "tile/entries/008": lambda data: data[:-1]}


@pytest.fixture(params=["directory", "server"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[dict[str, bytes]], Fetcher]:
    """Return what opens objects as a log, on a disk or read by several requests at a time."""

    def open_(objects: dict[str, bytes]) -> Fetcher:
        if request.param == "server":
            return Served(objects, 3)
        for path, data in {**objects, "checkpoint": b"any"}.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(data)
        return open_log(str(tmp_path))

    return open_


def run(first: int, count: int, parallel: int = 1) -> Run:
    """Return some bundles of the large log."""
    roots = log(LARGE)[1]["tile/1/000"]
    return Run(first, roots[first * 32 : (first + count) * 32], parallel)


@pytest.mark.parametrize("parallel", [1, 3])
def test_what_is_right(opened: Callable[[dict[str, bytes]], Fetcher], parallel: int) -> None:
    """Tiles and bundles come in order; what is missing, damaged or of the wrong length is left out, and only that."""
    tree, objects = log(LARGE)
    damages = {**DAMAGED, **TOO_SHORT}
    fetcher = opened(changed(objects, *damages.items()))
    for level, right in ((0, right_tiles), (ENTRIES, right_bundles)):
        expected = [None if (path := Tile(level, at).path) in damages else objects[path] for at in range(2, 10)]
        assert list(right(fetcher, run(2, 8, parallel))) == expected
    assert tree.size == LARGE


def test_no_more_than_can_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of bundles that are too large together, the first ones are handed over, and no more are read."""
    served = Served(log(LARGE)[1])
    whole = some_bundles(served, run(10, 6))
    assert None not in whole
    monkeypatch.setattr(tiles.read.runs, "MOST_BYTES", len(whole[0] or b"") + len(whole[1] or b""))
    served.asked.clear()
    assert some_bundles(served, run(10, 6)) == [*whole[:3], None, None, None]
    assert len(served.asked) == 3


def test_elsewhere(tmp_path: Path) -> None:
    """Who is sent a run opens the log by itself."""
    for path, data in {**log(LARGE)[1], "checkpoint": b"any"}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    assert some_bundles_at(str(tmp_path), run(10, 2)) == some_bundles(open_log(str(tmp_path)), run(10, 2))


def test_each_has_a_share_of_the_requests() -> None:
    """All workers together ask a server for no more at a time than one reader would, but each for one at least."""
    assert Hands().share(Served({}, 8)) == 8
    assert Hands(Workers(count=3)).share(Served({}, 8)) == 2
    assert Hands(Workers(count=30)).share(Served({}, 8)) == 1
