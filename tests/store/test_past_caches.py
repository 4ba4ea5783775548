"""When an object is asked for once more, and what counts then."""

from __future__ import annotations

import pytest

from tiles.errors import AccessError, Malformed, NotFound, TooLong
from tiles.store import StoreFetcher
from tiles.store.memory import MemoryStore
from tiles.store.past_caches import PastCaches, fetch_for


class Cached:
    """A fetcher that says one thing, and another one past its cache; takes down what it is told was rejected."""

    url, parallel = "test://log", 1

    def __init__(self, kept: bytes | Exception, own: bytes | Exception) -> None:
        self.kept = kept
        self.own = own
        self.rejected: list[bytes | None] = []

    def fetch(self, _path: str, _limit: int) -> bytes:
        return given(self.kept)

    def fetch_anew(self, _path: str, _limit: int, rejected: bytes | None) -> bytes:
        self.rejected.append(rejected)
        return given(self.own)


def given(outcome: bytes | Exception) -> bytes:
    """Return or raise what the test says."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def use(data: bytes) -> str:
    """Take nothing but "right"."""
    if data == b"a page":
        raise AccessError("a page")
    if data != b"right":
        raise Malformed("object", "wrong")
    return "used"


GONE, LONG, BROKEN = NotFound("gone"), TooLong("long"), AccessError("broken")


@pytest.mark.parametrize(
    ("kept", "own", "rejected", "outcome"),
    [
        (b"right", BROKEN, [], "used"),
        (b"wrong", b"right", [b"wrong"], "used"),
        (b"a page", b"right", [b"a page"], "used"),
        (GONE, b"right", [None], "used"),
        (LONG, b"right", [None], "used"),
        (b"wrong", b"wrong", [b"wrong"], Malformed),
        (b"wrong", GONE, [b"wrong"], NotFound),
        (GONE, b"wrong", [None], Malformed),
        (GONE, b"a page", [None], AccessError),
        (b"wrong", BROKEN, [b"wrong"], AccessError),
        (BROKEN, b"right", [], AccessError),
    ],
)
def test_fetch_for(
    kept: bytes | Exception, own: bytes | Exception, rejected: list[bytes | None], outcome: str | type[Exception]
) -> None:
    """What is missing, too long or will not do is asked for once more, and then it counts; what is broken is not."""
    fetcher = Cached(kept, own)
    assert isinstance(fetcher, PastCaches)
    if isinstance(outcome, str):
        assert fetch_for(fetcher, "path", 10, use) == outcome
    else:
        with pytest.raises(outcome) as caught:
            fetch_for(fetcher, "path", 10, use)
        assert type(caught.value) is outcome
    assert fetcher.rejected == rejected


def test_without_caches() -> None:
    """A store is not asked twice: nothing stands between."""
    store = MemoryStore("log")
    fetcher = StoreFetcher(store)
    assert not isinstance(fetcher, PastCaches)
    with pytest.raises(NotFound):
        fetch_for(fetcher, "path", 10, use)
    store.create({"path": b"wrong"})
    with pytest.raises(Malformed):
        fetch_for(fetcher, "path", 10, use)
