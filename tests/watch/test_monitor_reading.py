"""What others read ahead is told as ever: the same lines in the same order, up to where something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import tiles.read.spread
from tests.support.mirrors import withholding
from tests.support.monitors import EVERY, Places, Told
from tests.support.readers import Objects, make_log
from tests.support.reference import flipped
from tiles.errors import TilesError
from tiles.read.client import LogClient
from tiles.watch.monitor import Round, Watched
from tiles.workers import Workers, threads

SIZES = (100, 3000)
LOG = make_log(*SIZES)
BUNDLE = LOG["tile/entries/005"]
SHOWN = {
    "a sound log": LOG,
    "withheld": withholding(withholding(LOG, 4), 7),
    "missing": {path: data for path, data in LOG.items() if path != "tile/entries/005"},
    "damaged": {**LOG, "tile/entries/005": flipped(BUNDLE, 999)},
    "damaged above": {**LOG, "tile/1/000.p/11": flipped(LOG["tile/1/000.p/11"], 1700)},
}


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Places:
    """Return where a log is put."""
    monkeypatch.setattr(tiles.read.spread, "_BUNDLES", 2)
    return Places(monkeypatch, tmp_path)


def read(places: Places, watched: Watched, objects: dict[str, bytes]) -> tuple[Round | str, list[bytes], list[bytes]]:
    """Do a round; return what came of it, what was told, and what is kept."""
    places.there["log"] = Objects(objects)
    told = Told()
    try:
        done: Round | str = places.round(told, watched)
    except TilesError as error:
        done = f"{type(error).__name__}: {error.message}"
    return done, told.lines, places.kept


def by(workers: Workers, asked: list[int]) -> Watched:
    """Return what a monitor does that has workers; for how many entries they were asked for is taken down."""

    @contextmanager
    def at_work(entries: int) -> Iterator[Workers]:
        asked.append(entries)
        yield workers

    return replace(EVERY, workers=at_work)


@pytest.mark.parametrize("shown", SHOWN)
def test_the_same_is_told(shown: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever reads, a log that grows from some entries to many is told in order, up to what is wrong with it."""
    monkeypatch.setattr(tiles.read.spread, "_BUNDLES", 2)
    rounds = (make_log(*SIZES[:1]), SHOWN[shown], LOG)
    alone = Places(monkeypatch, tmp_path / "alone")
    expected = [read(alone, EVERY, objects) for objects in rounds]
    asked: list[int] = []
    together = Places(monkeypatch, tmp_path / "together")
    with threads(3) as workers:
        assert [read(together, by(workers, asked), objects) for objects in rounds] == expected
    assert asked[:2] == [100, 2900]
    assert expected[-1][2][-1].startswith(b"2999 ")


def test_most_is_read_by_others(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client reads what is not a full bundle, and nothing else."""
    read_here: list[int] = []
    ask = LogClient.entries_at

    def entries_at(client: LogClient, indexes: range) -> Iterator[tuple[int, bytes]]:
        read_here.extend(indexes)
        return ask(client, indexes)

    monkeypatch.setattr(LogClient, "entries_at", entries_at)
    read(places, EVERY, make_log(*SIZES[:1]))
    assert read_here == list(range(100))
    with threads(2) as workers:
        read(places, by(workers, []), LOG)
    assert read_here == [*range(256), *range(2816, 3000)]
