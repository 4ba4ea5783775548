"""One log at several addresses: what one lacks, or has wrong, is asked of the next; and who shows another history."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.support.readers import POLICY, Objects, entry, make_log
from tests.support.reference import flipped
from tiles.errors import AccessError, ForkError, LogError, NotFound, SignatureError, TileError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.fork_evidence import check_fork
from tiles.notes.keys import VerifierKey
from tiles.read.addresses import Addresses
from tiles.read.client import LogClient
from tiles.read.elsewhere import compare
from tiles.read.tiles import copies_of
from tiles.tree.layout import CHECKPOINT, Tile
from tiles.tree.merkle import leaf_hash

SIZE = 600
PATHS = ["tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/000", "tile/entries/002.p/88", CHECKPOINT]
DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "missing": lambda _data: None,
    "a bit": lambda data: flipped(data, 8 * (len(data) // 2)),
    "empty": lambda _data: b"",
    "cut short": lambda data: data[:-1],
    "a page": lambda _data: b"<!doctype html><p>hello",
}


def place(name: str, objects: Mapping[str, bytes]) -> Objects:
    """Return one address."""
    made = Objects(objects)
    made.url = f"test://{name}"
    return made


def changed(path: str, change: Callable[[bytes], bytes | None], *sizes: int) -> dict[str, bytes]:
    """Return a log of which one object is changed."""
    objects = make_log(*(sizes or (SIZE,)))
    data = change(objects.pop(path))
    return objects if data is None else {**objects, path: data}


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


# ---- what the other addresses show


class Kept:
    """A memory that only keeps evidence."""

    def __init__(self) -> None:
        self.evidence: list[Mapping[str, bytes]] = []

    def last(self, key: VerifierKey) -> SignedCheckpoint | None:  # noqa: ARG002
        """Return nothing."""
        return None

    def remember(self, key: VerifierKey, signed: SignedCheckpoint, since: SignedCheckpoint | None) -> bool:  # noqa: ARG002
        """Say that it was done."""
        return True

    def save_evidence(self, key: VerifierKey, evidence: Mapping[str, bytes]) -> object:  # noqa: ARG002
        """Keep it."""
        self.evidence.append(evidence)
        return "here"


def compared(*places: Objects) -> list[tuple[int | None, str]]:
    """Return the sizes that the addresses of a log show, and the problems."""
    client = LogClient(Addresses(places), POLICY)
    client.visit()
    return [(shown.tree and shown.tree.size, shown.problem) for shown in compare(client, Kept())]


def test_other_sizes() -> None:
    """The log is read from its first address; a larger tree elsewhere is said, if it extends that one."""
    first, second, third = place("1", make_log(300)), place("2", make_log(300, SIZE)), place("3", make_log(100))
    client = LogClient(Addresses([first, second, third]), POLICY)
    assert client.visit().signed.tree.size == 300
    assert [shown.tree and shown.tree.size for shown in compare(client, None)] == [300, 600, 100]


def test_one_address() -> None:
    """A log with one address is not compared with anything."""
    client = LogClient(place("1", make_log(300)), POLICY)
    client.visit()
    assert compare(client, None) == []


@pytest.mark.parametrize("size", [300, 299, 301, SIZE])
def test_another_history(size: int) -> None:
    """A log that shows another history at another address has forked, with evidence that anyone can check."""
    other = place("other", make_log(size, tag="other", same_up_to=200))
    client = LogClient(Addresses([place("first", make_log(300)), other]), POLICY)
    client.visit()
    kept = Kept()
    with pytest.raises(ForkError, match=r"test://other/checkpoint: .* shows two histories") as raised:
        compare(client, kept)
    check_fork(raised.value.evidence, POLICY)
    assert kept.evidence == [raised.value.evidence]


def test_what_cannot_be_compared() -> None:
    """A checkpoint of somebody else, none, or one without its tiles, shows nothing."""
    bare = {CHECKPOINT: make_log(300, SIZE)[CHECKPOINT]}
    forged = changed(CHECKPOINT, DAMAGES["a bit"], 300)
    found = compared(place("1", make_log(300)), place("2", bare), place("3", forged), place("4", {}))
    assert [size for size, _ in found] == [300, None, None, None]
    assert "nothing shows that it is of the same history" in found[1][1]
    assert found[2][1]
    assert found[3][1] == "there is no checkpoint"
