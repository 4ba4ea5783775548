"""An index whose records others compute is the same index, and what is wrong with the log is said as ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cache

import pytest

import tiles.index.spread
from tests.support.indexed import KINDS, client_of, entry_of
from tests.support.signed_text import LOG
from tests.support.web_logs import log_of
from tiles.errors import TileError, TilesError
from tiles.index.build import IndexBuilder
from tiles.index.spread import SpreadLog
from tiles.notes.index_head import sign_index_head
from tiles.read.runs import Hands
from tiles.store.memory import MemoryStore
from tiles.workers import HERE, Workers, threads

SIZE = 13_000
SPAN = 4096


@pytest.fixture(autouse=True)
def small_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the steps of a small log be what workers compute."""
    monkeypatch.setattr("tiles.index.build.STEP", SPAN)
    monkeypatch.setattr(tiles.index.spread, "SPAN", SPAN)


@cache
def objects() -> dict[str, bytes]:
    """Return a log of numbers and named files."""
    return dict(log_of([entry_of(index) for index in range(SIZE)]))


def built(kind: str, workers: Workers, found: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """Return the objects of an index."""
    store = MemoryStore()
    client = client_of(found or objects())
    with closing(SpreadLog(client, Hands(workers))) as log:
        IndexBuilder(store, log, lambda head: sign_index_head(head, LOG).data, LOG.verifier).build(LOG.name, kind)
    return {listed.path: store.read(listed.path).data for listed in store.list("")}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_index(kind: str) -> None:
    """Whoever computes the records, heads and runs are the same bytes."""
    expected = built(kind, HERE)
    assert len(expected) > 3
    with threads(3) as workers:
        assert built(kind, workers) == expected


def test_records_come_from_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever builds does not compute what was computed for it, and steps are computed ahead."""
    client = client_of(objects())
    with (
        ThreadPoolExecutor(1) as executor,
        closing(SpreadLog(client, Hands(Workers(executor, 1, is_here=True)))) as log,
    ):
        monkeypatch.setattr(type(client), "entries", None)
        monkeypatch.setattr(type(client), "leaves", None)
        for kind in KINDS:
            for start in range(0, SIZE - SPAN, SPAN):
                assert log.records(kind, start, start + SPAN)
        assert log.records("local.example/1", 0, SPAN) is None
        assert log.records(KINDS[0], 1, SPAN + 1) is None
        assert log.records(KINDS[0], 0, SPAN - 1) is None
        assert log.records(KINDS[0], SPAN, 2 * SPAN) == log.records(KINDS[0], SPAN, 2 * SPAN)


@pytest.mark.parametrize(("kind", "path"), [("leaf/1", "tile/0/020"), ("name/1", "tile/entries/020")])
def test_a_damaged_log(kind: str, path: str) -> None:
    """The error says what is wrong with the log, whoever has read it first."""
    damaged = {**objects(), path: objects()[path][:-1] + b"?"}

    def error(workers: Workers) -> TilesError:
        with pytest.raises(TileError, match=path) as caught:
            built(kind, workers, damaged)
        return caught.value

    with threads(3) as workers:
        assert error(workers).message == error(HERE).message
