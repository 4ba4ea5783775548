"""From settings to stores: how each object is stored follows from them, and damaged ones are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tiles.errors import Refused, UsageError
from tiles.records.paths import SETTINGS
from tiles.records.settings import MAX_LOCK_DAYS, Settings
from tiles.store import Locks, Served, Store
from tiles.store.memory import MemoryStore
from tiles.write.parts import Parts
from tiles.write.prepare import Wishes, as_public, as_settled, read_settings


class Serving(MemoryStore):
    """A store that serves its objects by itself, and keeps how it was told to."""

    address = "s3://bucket/log"
    told: tuple[Callable[[str], Served], Locks | None] | None = None

    def served(self, serve: Callable[[str], Served], locks: Locks | None = None) -> Store:
        """Return the same store with another memory of what it was told."""
        other = Serving()
        other.told = serve, locks
        return other


@pytest.mark.parametrize("gzip", [False, True])
def test_how_objects_are_stored(gzip: bool) -> None:
    """Bundles gzip-encoded if the log says so; types and caching as readers need them."""
    private = MemoryStore()
    private.swap(SETTINGS, Settings("0.1", gzip=gzip).data, None)
    public = as_settled(Parts(Serving(), private))
    assert isinstance(public, Serving)
    assert public.told is not None
    serve, locks = public.told
    assert locks is None
    assert {path: serve(path).gzip for path in ("tile/entries/000", "tile/0/000", "checkpoint")} == {
        "tile/entries/000": gzip,
        "tile/0/000": False,
        "checkpoint": False,
    }
    assert not serve("tile/0/000").locked
    assert "immutable" in serve("tile/0/000").headers["Cache-Control"]
    assert "no-cache" in serve("checkpoint").headers["Cache-Control"]


def test_without_settings() -> None:
    """A log that has none, and a store that somebody else serves, are stored as ever."""
    assert read_settings(MemoryStore()) == (None, None)
    plain = as_settled(Parts(Serving(), MemoryStore()))
    assert isinstance(plain, Serving)
    assert plain.told is not None
    assert not plain.told[0]("tile/entries/000").gzip
    store = MemoryStore()
    assert as_public(store, Settings("0.1", gzip=True)) is store


def test_damaged_settings() -> None:
    """Nobody guesses what they said."""
    private = MemoryStore()
    private.swap(SETTINGS, b"tiletree-settings/v1\nprobed 0\ngzip maybe\nlock-days 0\n", None)
    with pytest.raises(Refused, match="settings"):
        as_settled(Parts(Serving(), private))


@pytest.mark.parametrize(
    ("wishes", "url", "problem"),
    [
        (Wishes(gzip=True), "memory://log", "only a bucket"),
        (Wishes(lock_days=1), "gs://bucket/log", "only S3"),
        (Wishes(lock_days=-1), "s3://bucket/log", "0 to"),
        (Wishes(lock_days=MAX_LOCK_DAYS + 1), "s3://bucket/log", "0 to"),
    ],
)
def test_wishes(wishes: Wishes, url: str, problem: str) -> None:
    """What a place cannot do is refused before anything is there."""
    store = MemoryStore()
    store.url = url
    with pytest.raises(UsageError, match=problem):
        wishes.check(store)
    Wishes().check(store)
