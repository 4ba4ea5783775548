"""How many writes to a bucket are under way: by the least time that one alone took."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.object_server import ObjectServer
from tests.support.object_server_stores import open_on
from tiles.errors import Conflict, NotFound
from tiles.parallel import BUCKET_REQUESTS, MOST_BUCKET_REQUESTS, bucket_requests
from tiles.store import bucket
from tiles.store.bucket_clients import Pace


@pytest.mark.parametrize(
    ("latency", "expected"),
    [
        (0.0, 64),
        (0.0005, 64),
        (0.0129, 64),
        (0.0131, 65),
        (0.0201, 100),
        (0.0301, 150),
        (0.0343, 171),
        (0.035, 172),
        (1.0, 172),
        (120.0, 172),
    ],
)
def test_requests_by_latency(latency: float, expected: int) -> None:
    """As many as keep the processor busy, within bounds."""
    assert bucket_requests(latency) == expected
    assert BUCKET_REQUESTS <= expected <= MOST_BUCKET_REQUESTS


def timed(*seen: tuple[bool, float]) -> Pace:
    """Return what has seen requests: whether each was a write, and how many seconds it took."""
    times = iter([at for _, took in seen for at in (100.0, 100.0 + took)])
    pace = Pace(lambda: next(times))
    for write, _ in seen:
        with pace.seen(write=write):
            pass
    return pace


def test_the_least_time_counts() -> None:
    """That of a write, if one was seen; before anything was, no time is taken for granted."""
    assert timed().most == 64
    assert timed((False, 0.03), (False, 0.021), (False, 2.0)).most == 105
    assert timed((False, 0.001), (True, 0.031), (True, 0.021)).most == 105
    assert timed((True, 0.021), (False, 0.031)).most == 105


def test_what_fails_is_not_seen() -> None:
    """It may not have got to the bucket."""
    times = iter([0.0, 0.03, 1.0, 1.0001])
    pace = Pace(lambda: next(times))
    with pace.seen(write=True):
        pass
    with pytest.raises(OSError, match="away"), pace.seen(write=True):
        raise OSError("away")
    assert pace.most == 150


def test_a_bucket_is_written_to_at_its_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read and replaced is seen, whoever serves the objects; what is created goes by that."""
    under_way: list[int] = []
    all_done = bucket.all_done

    def counted(job: Callable[[object], object], items: dict[str, bytes], most: int) -> list[object]:
        under_way.append(most)
        return all_done(job, items, most)

    monkeypatch.setattr(bucket, "all_done", counted)
    with ObjectServer() as server:
        store = open_on(server)
        store.create({"a": b"1"})
        with monkeypatch.context() as slow:
            times = iter(number * 0.03001 for number in range(100))
            slow.setattr(store._clients.pace, "_now", lambda: next(times))
            with pytest.raises(NotFound):
                store.read("head")
            store.create({"b": b"2"})
            store.read("a")
            store.create({"c": b"3"})
            served = store.served(lambda _path: bucket.Plain())
            version = served.swap("head", b"4", None)
            with pytest.raises(Conflict):
                served.swap("head", b"5", None)
            served.create({"d": b"6"})
            assert served.swap("head", b"5", version) != version
    assert under_way == [64, 64, 150, 150]
