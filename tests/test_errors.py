"""Errors as values: they pass from one process to another."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tiles.errors import Malformed, TilesError, Unfinished


def kinds(kind: type[TilesError] = TilesError) -> Iterator[type[TilesError]]:
    """Yield all errors there are."""
    yield kind
    for each in kind.__subclasses__():
        yield from kinds(each)


@pytest.mark.parametrize("kind", list(kinds()))
def test_every_error_can_be_passed_on(kind: type[TilesError]) -> None:
    """Whatever its constructor takes, an error arrives with all that it says."""
    error = kind.__new__(kind, "message")
    error.__dict__.update({"message": "message", "hint": "next", "evidence": {"a": b"b"}, "count": 3})
    passed = pickle.loads(pickle.dumps(error))
    assert (type(passed), passed.args, passed.__dict__) == (kind, ("message",), error.__dict__)


def unfinished() -> None:
    """Fail as a run does that could not publish."""
    raise Unfinished("committed", first_index=5, count=2, published=False, hint="run again") from Malformed("a", "b")


def test_a_pool_of_processes_survives() -> None:
    """Whoever writes in processes of a pool is told where the entries are."""
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as pool,
        pytest.raises(Unfinished, match="committed") as caught,
    ):
        pool.submit(unfinished).result()
    assert (caught.value.first_index, caught.value.count, caught.value.hint) == (5, 2, "run again")
