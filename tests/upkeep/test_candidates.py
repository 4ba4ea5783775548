"""What can be had of a log's tiles: cut from larger ones, decoded, and read where single objects cannot be reached."""

from __future__ import annotations

import pytest

from tests.support.caches import Caching
from tests.support.readers import Objects, make_log
from tiles.errors import AccessError, NotFound
from tiles.store import StoreFetcher
from tiles.store.memory import MemoryStore
from tiles.store.ranges import WORTH_A_RANGE
from tiles.tree.layout import CHECKPOINT, ENTRIES, Tile
from tiles.tree.merkle import leaf_hash
from tiles.upkeep.candidates import Reachable, Sources, claimed_size, cut_at, fetched, hashes_in, leaves_in

LOG = make_log(300)
WIDE = LOG["tile/0/001.p/44"]


class Broken(Objects):
    """A fetcher that cannot reach some objects."""

    def __init__(self, broken: set[str]) -> None:
        super().__init__(LOG)
        self.broken = broken

    def fetch(self, path: str, limit: int) -> bytes:
        """Return an object, or none."""
        self.fail(path)
        return super().fetch(path, limit)

    def fail(self, path: str) -> None:
        """Raise for an object that cannot be reached."""
        if path in self.broken:
            raise AccessError(f"{path}: connection reset")


@pytest.mark.parametrize("lasting", [True, False])
def test_a_few_objects_that_cannot_be_reached(lasting: bool) -> None:
    """They are not there, with the reason; what is reached, or not there, in between starts the count again."""
    reader = Reachable(Broken({"a"}), lasting=lasting)
    assert (reader.url, reader.parallel, reader.trouble) == ("test://log", 1, "")
    for between in (CHECKPOINT, "not there", CHECKPOINT):
        for _ in range(3):
            with pytest.raises(NotFound, match="a: connection reset"):
                reader.fetch("a", 100)
        assert reader.trouble == "a: connection reset"
        if between == CHECKPOINT:
            assert reader.fetch(between, 1000) == LOG[CHECKPOINT]
        else:
            with pytest.raises(NotFound, match="not there"):
                reader.fetch(between, 1000)


def test_a_way_that_is_broken() -> None:
    """After four in a row the log itself is out of reach; a mirror has nothing any more, and is not asked again."""
    log, mirror = Broken({"a"}), Broken({"a"})
    sources = Sources.of(log, mirror)
    assert sources.mirror is not None
    assert Sources.of(log, None).mirror is None
    for reader in (sources.here, sources.mirror):
        for _ in range(3):
            with pytest.raises(NotFound):
                reader.fetch("a", 100)
    with pytest.raises(AccessError) as caught:
        sources.here.fetch("a", 100)
    assert not isinstance(caught.value, NotFound)
    for path in ("a", CHECKPOINT):
        with pytest.raises(NotFound):
            sources.mirror.fetch(path, 1000)
    assert mirror.asked == []


@pytest.mark.parametrize(
    ("tile", "data"),
    [
        (Tile(0, 1, 44), WIDE),
        (Tile(0, 1, 7), WIDE[: 7 * 32]),
        (Tile(0, 1), None),
        (Tile(0, 2, 1), None),
        (Tile(0, 0, 5), LOG["tile/0/000"][: 5 * 32]),
        (Tile(ENTRIES, 1, 1), LOG["tile/entries/001.p/44"][: 2 + int.from_bytes(LOG["tile/entries/001.p/44"][:2])]),
    ],
)
def test_cut_at(tile: Tile, data: bytes | None) -> None:
    """A tile or bundle is the beginning of what a tree of 300 has in its place."""
    if data is None:
        assert list(cut_at(Objects(LOG), 300 if tile.index == 2 else 0, tile)) == []
    else:
        assert list(cut_at(Objects(LOG), 300, tile)) == [data]
        assert list(cut_at(Objects({}), 300, tile)) == []


def test_what_is_read() -> None:
    """What is not there, or cannot be cut, is None; so are bytes that are no tile or bundle."""
    assert fetched(Objects(LOG), Tile(0, 1, 44)) == WIDE
    assert fetched(Objects({"tile/0/001": b"short"}), Tile(0, 1, 44)) is None
    assert fetched(Objects({}), Tile(0, 1, 44)) is None
    assert hashes_in(Tile(0, 1, 44), WIDE) == tuple(WIDE[at : at + 32] for at in range(0, len(WIDE), 32))
    for data in (None, b"", WIDE[:-1], WIDE[:-32]):
        assert hashes_in(Tile(0, 1, 44), data) is None
    assert leaves_in(Tile(ENTRIES, 0, 2), b"\0\1a\0\0") == (leaf_hash(b"a"), leaf_hash(b""))
    for data in (b"", b"\0\1a", b"\0\1a\0\1"):
        assert leaves_in(Tile(ENTRIES, 0, 2), data) is None


def test_a_part() -> None:
    """A part is read with the same patience."""
    objects = Broken({"a"})
    objects.objects = {"big": bytes(WORTH_A_RANGE + 1)}
    store = MemoryStore()
    store.create(objects.objects)
    for place, first in ((objects, 0), (StoreFetcher(store), 9)):
        assert Reachable(place, lasting=False).fetch_range("big", 9, 10, WORTH_A_RANGE + 1).first == first
    with pytest.raises(NotFound, match="a: connection reset"):
        Reachable(objects, lasting=False).fetch_range("a", 9, 10, WORTH_A_RANGE + 1)


def test_past_a_cache() -> None:
    """An object is read past a cache with the same patience; where there is none, what was fetched is what there is."""
    reader = Reachable(Objects(LOG), lasting=True)
    assert reader.fetch_anew(CHECKPOINT, 1000, b"rejected") == b"rejected"
    with pytest.raises(NotFound):
        reader.fetch_anew(CHECKPOINT, 1000, None)
    cached = Caching(LOG, {"a": b"kept"})
    reader = Reachable(cached, lasting=False)
    assert reader.fetch_anew(CHECKPOINT, 1000, LOG[CHECKPOINT]) == LOG[CHECKPOINT]
    cached.before = Broken({"a"}).fail
    for _ in range(6):
        with pytest.raises(NotFound, match="a: connection reset"):
            reader.fetch_anew("a", 100, b"kept")
    assert cached.anew == [CHECKPOINT, *["a"] * 4]
    assert claimed_size(Caching(LOG, {CHECKPOINT: b"<html>"})) == 300


def test_claimed_size() -> None:
    """What a mirror's checkpoint says, whoever signed it; 0 without one that can be read."""
    assert claimed_size(Objects(LOG)) == 300
    assert claimed_size(Broken({CHECKPOINT})) == 0
    assert claimed_size(Objects({CHECKPOINT: b"damaged"})) == 0
    assert claimed_size(Objects({CHECKPOINT: bytes(2 << 20)})) == 0
    assert claimed_size(Objects({})) == 0
