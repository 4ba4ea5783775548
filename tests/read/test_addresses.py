"""One log at several addresses: what one lacks, or has wrong, is asked of the next; and who shows another history."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.addresses import SIZE, changed, place
from tests.support.readers import POLICY, Objects, entry, make_log
from tests.support.reference import flipped
from tiles.errors import AccessError, LogError, NotFound, SignatureError, TileError
from tiles.read.addresses import Addresses
from tiles.read.client import LogClient
from tiles.read.tiles import copies_of
from tiles.tree.layout import CHECKPOINT, Tile
from tiles.tree.merkle import leaf_hash

PATHS = ["tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/000", "tile/entries/002.p/88", CHECKPOINT]
DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "missing": lambda _data: None,
    "a bit": lambda data: flipped(data, 8 * (len(data) // 2)),
    "empty": lambda _data: b"",
    "cut short": lambda data: data[:-1],
    "a page": lambda _data: b"<!doctype html><p>hello",
}


def read_all(fetcher: Addresses | Objects) -> None:
    """Read all of a log, and check that it is right."""
    client = LogClient(fetcher, POLICY)
    assert client.find(leaf_hash(entry(599))) == [599]
    assert list(client.entries(0, SIZE)) == [(index, entry(index)) for index in range(SIZE)]


@pytest.mark.parametrize("change", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("path", PATHS)
def test_what_one_address_lacks(path: str, change: Callable[[bytes], bytes | None]) -> None:
    """An object that is missing or wrong at one address is taken from the next, and the report says so."""
    first = place("first", changed(path, change))
    with pytest.raises((LogError, AccessError)):
        read_all(first)
    both = Addresses([first, place("second", make_log(SIZE))])
    read_all(both)
    report = both.report()
    assert report[0].url == "test://first"
    assert report[0].trouble
    if " is " not in report[0].trouble:  # a web page, or empty: such an address is not asked again
        assert report[1].url == "test://second"
        assert 1 <= report[1].objects <= 2  # of the right edge it is not known which tile is wrong
        assert both.taken_from(path) is both.places()[1]


def test_nothing_to_report() -> None:
    """A log that is sound at its first address is read there alone."""
    second = place("second", make_log(SIZE))
    both = Addresses([place("first", make_log(SIZE)), second])
    read_all(both)
    assert both.report() == []
    assert second.asked == []


def test_each_has_another_part() -> None:
    """Three addresses, of which none has the whole log, have it together."""
    whole = make_log(SIZE)
    parts = [
        place(str(number), {path: data for at, (path, data) in enumerate(whole.items()) if at % 3 == number})
        for number in range(3)
    ]
    both = Addresses(parts)
    read_all(both)
    assert all(report.objects for report in both.report())


def test_wrong_everywhere() -> None:
    """What is wrong everywhere is an error, which names the address of the last copy."""
    bundle = "tile/entries/000"
    damaged, short = changed(bundle, DAMAGES["a bit"]), changed(bundle, DAMAGES["cut short"])
    with pytest.raises(TileError, match=r"test://second/tile/entries/000"):
        read_all(Addresses([place("first", damaged), place("second", short)]))
    with pytest.raises(TileError, match=r"test://first/tile/entries/000"):
        read_all(Addresses([place("first", damaged), place("second", damaged)]))


def test_wrong_at_one_and_unreachable_at_another() -> None:
    """A log is not called wrong while one of its addresses cannot be reached; missing says least."""

    def unreachable(_path: str) -> None:
        raise AccessError("no answer")

    dead = place("dead", {})
    dead.before = unreachable
    wrong = place("wrong", changed(CHECKPOINT, DAMAGES["a bit"]))
    with pytest.raises(AccessError, match="no answer"):
        LogClient(Addresses([dead, wrong]), POLICY).visit()
    with pytest.raises(SignatureError, match="test://wrong/checkpoint"):
        LogClient(Addresses([wrong, dead]), POLICY).visit()
    with pytest.raises(SignatureError, match="test://wrong/checkpoint"):
        LogClient(Addresses([place("none", {}), wrong]), POLICY).visit()
    with pytest.raises(NotFound):
        LogClient(Addresses([place("none", {}), place("neither", {})]), POLICY).visit()


def test_an_address_that_cannot_be_reached() -> None:
    """It is asked once, and not for every object."""
    asked: list[str] = []

    def unreachable(path: str) -> None:
        asked.append(path)
        raise AccessError("no answer")

    dead = place("dead", {})
    dead.before = unreachable
    both = Addresses([dead, place("second", make_log(SIZE))])
    read_all(both)
    assert asked == [CHECKPOINT]
    assert both.report()[0].trouble == "no answer"


def test_copies() -> None:
    """Whoever can tell which copy is right gets one of each address, and none twice."""
    objects = make_log(SIZE)
    tile = Tile(0, 1)
    wrong = {**objects, tile.path: b"wrong"}
    both = Addresses([place("first", wrong), place("second", objects)])
    assert list(copies_of(both, tile)) == [b"wrong", objects[tile.path]]
    assert list(copies_of(both, tile, rejected=b"wrong")) == [objects[tile.path]]
    assert both.fetch_anew(tile.path, 10_000, b"wrong") == objects[tile.path]
    assert Addresses([place("first", wrong)]).fetch_anew(tile.path, 10_000, b"wrong") == b"wrong"
