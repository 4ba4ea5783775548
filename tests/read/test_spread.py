"""Bundles that others read ahead: each comes in its turn, and what is wrong is left to the client, and said then."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

import tiles.read.spread
from tests.support.readers import POLICY, Objects, make_log
from tests.support.reference import flipped
from tiles.read.client import LogClient
from tiles.read.runs import Hands
from tiles.read.spread import ReadAhead
from tiles.workers import HERE, Workers, threads

SIZE = 256 * 12 + 7


def client(**changes: bytes | None) -> tuple[LogClient, Objects]:
    """Return a client of a log with some objects changed, or gone; and what it reads from."""
    objects = make_log(SIZE)
    changed = {path.replace("_", "/"): data for path, data in changes.items()}
    fetcher = Objects({path: data for path, data in {**objects, **changed}.items() if data is not None})
    return LogClient(fetcher, POLICY), fetcher


def bundle(index: int) -> bytes:
    """Return a full bundle of the log."""
    return make_log(SIZE)[f"tile/entries/{index:03d}"]


@pytest.fixture(autouse=True)
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few bundles be a run."""
    monkeypatch.setattr(tiles.read.spread, "_BUNDLES", 2)


def test_in_turn() -> None:
    """Bundles come as they are; one that is wrong or missing is left out, and so is the partial one."""
    reading, _ = client(tile_entries_003=None, tile_entries_006=flipped(bundle(6), 100))
    with threads(3) as workers, closing(ReadAhead(reading, Hands(workers))) as ahead:
        expected = [None if index in (3, 6, 12) else bundle(index) for index in range(1, 13)]
        assert [ahead.bundle(index) for index in range(1, 13)] == expected
        assert ahead.is_used


def test_another_place() -> None:
    """Whoever goes elsewhere gets what is there."""
    with threads(2) as workers, closing(ReadAhead(client()[0], Hands(workers))) as ahead:
        for index in (5, 6, 2, 3, 9, 9):
            assert ahead.bundle(index) == bundle(index)


def test_only_a_few_ahead() -> None:
    """Memory follows the number of workers: no more runs are read than may be handed over at a time."""
    reading, fetcher = client()
    with ThreadPoolExecutor(1) as executor:
        workers = Workers(executor, 1, is_here=True)
        with closing(ReadAhead(reading, Hands(workers))) as ahead:
            assert ahead.bundle(0) == bundle(0)
    read = [path for path in fetcher.asked if path.startswith("tile/entries/")]
    assert 2 <= len(read) <= 2 * workers.most < 12


def test_alone() -> None:
    """Without others nothing is read ahead."""
    reading, fetcher = client()
    ahead = ReadAhead(reading, Hands(HERE))
    assert not ahead.is_used
    assert ahead.bundle(0) is None
    assert not [path for path in fetcher.asked if path.startswith("tile/entries/")]


def test_what_is_above_cannot_be_read() -> None:
    """That is no trouble of the first bundles: the client is asked for all that are left, and says what is wrong."""
    reading, _ = client()
    with threads(2) as workers, closing(ReadAhead(reading, Hands(workers))) as ahead:
        assert ahead.bundle(0) == bundle(0)
    broken, _ = client(**{"tile_1_000.p_12": bytes(32 * 12)})
    with threads(2) as workers, closing(ReadAhead(broken, Hands(workers))) as ahead:
        assert [ahead.bundle(index) for index in (0, 1)] == [None, None]
        assert not ahead.is_used
