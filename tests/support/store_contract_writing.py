"""What every store promises to those who write. A test file with the fixtures `store` and `locked` takes these in."""

from __future__ import annotations

import threading

import pytest

from tests.support.store_threads import THREADS, at_once, paths
from tiles.errors import Conflict, NotFound
from tiles.store import Differs, Store


def test_is_a_store(store: Store) -> None:
    """It has every method of the Protocol, an address, and a patience in seconds."""
    assert isinstance(store, Store)
    assert store.url
    assert 0 <= store.patience < 10


@pytest.mark.parametrize("size", [0, 1, 8192, 2**20])
def test_create_then_read(store: Store, size: int) -> None:
    """What was created is read back, byte for byte, whatever its size."""
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    store.create({"a/b/c": data})
    found = store.read("a/b/c")
    assert found.data == data
    assert found.modified >= 0


def test_create_many(store: Store) -> None:
    """One call creates objects in many directories; none at all is fine."""
    objects = {f"{i % 7}/x{i % 3}/{i}": b"%d" % i for i in range(100)}
    store.create(objects)
    store.create({})
    assert {path: store.read(path).data for path in paths(store)} == objects


def test_create_again(store: Store) -> None:
    """An object that is there with the same content is done already, alone or among new ones."""
    store.create({"a": b"1"})
    store.create({"a": b"1"})
    store.create({"a": b"1", "b": b"2"})
    assert (store.read("a").data, store.read("b").data) == (b"1", b"2")


@pytest.mark.parametrize(("ours", "found"), [(b"2", b"1"), (b"1+", b"1"), (b"", b"1"), (b"1", b""), (b"1", b"1+")])
def test_create_never_changes(store: Store, ours: bytes, found: bytes) -> None:
    """Another content is refused, shown as evidence, and what is there stays."""
    store.create({"a": found})
    with pytest.raises(Differs) as caught:
        store.create({"a": ours})
    assert (caught.value.path, caught.value.ours, caught.value.found) == ("a", ours, found)
    assert store.read("a").data == found


def test_create_some_differ(store: Store) -> None:
    """One that differs spoils the call; each of the others is there whole or not at all, and can be created again."""
    store.create({"a": b"1", "c": b"3"})
    objects = {"a": b"1", "b": b"2", "c": b"x", "d": b"4"}
    with pytest.raises(Differs) as caught:
        store.create(objects)
    assert caught.value.path == "c"
    with pytest.raises(Differs) as caught:
        store.create(objects | {"a": b"x"})
    assert caught.value.path in ("a", "c")
    store.create(objects | {"c": b"3"})
    assert [store.read(path).data for path in "abcd"] == [b"1", b"2", b"3", b"4"]


def test_create_is_seen_whole_or_not(store: Store) -> None:
    """A reader that looks all the time sees each object whole, or not at all, in `read` and in `list`."""
    data = bytes(256) * 1024
    done = threading.Event()

    def write() -> None:
        try:
            for i in range(20):
                store.create({f"a/{i}": data, f"b/{i}": data})
        finally:
            done.set()

    def look() -> int:
        looks = 0
        while not done.is_set() or not looks:
            for i in range(20):
                try:
                    assert store.read(f"a/{i}").data == data
                except NotFound:
                    break
                looks += 1
            assert all(listed.size == len(data) for listed in store.list(""))
        return looks

    wrote, looks = at_once([write, look])
    assert wrote is None
    assert isinstance(looks, int), looks


def test_create_race_of_different_contents(locked: Store) -> None:
    """Of writers that create one object with different contents one wins, and the others are shown its content."""
    for path in ("a", "b/1", "b/2", "c/d/e"):
        contents = [b"%d" % i for i in range(THREADS)]
        outcomes = at_once([lambda path=path, c=c: locked.create({path: c, f"{path}-too": b"same"}) for c in contents])
        winner = outcomes.index(None)
        for i, outcome in enumerate(outcomes):
            if i != winner:
                assert isinstance(outcome, Differs), outcome
                assert (outcome.path, outcome.ours, outcome.found) == (path, contents[i], contents[winner])
        assert locked.read(path).data == contents[winner]
        assert locked.read(f"{path}-too").data == b"same"


def test_create_race_of_same_content(locked: Store) -> None:
    """Writers that create the same objects all succeed."""
    objects = {f"{i % 5}/{i}": b"%d" % i for i in range(20)}
    assert at_once([lambda: locked.create(objects)] * THREADS) == [None] * THREADS
    assert {path: locked.read(path).data for path in paths(locked)} == objects


@pytest.mark.parametrize("path", ["head", "a/b/c/head"])
def test_swap(store: Store, path: str) -> None:
    """A swap from nothing, then from each version to the next; what it returns is what `read` gives."""
    version = None
    for data in (b"1", b"2", b"", b"\0" * 70_000):
        version = store.swap(path, data, version)
        found = store.read(path)
        assert (found.data, found.version) == (data, version)


def test_swap_conflicts(store: Store) -> None:
    """A swap from a version that is not, or is no longer, the object's changes nothing."""
    with pytest.raises(Conflict):
        store.swap("head", b"x", store.swap("other", b"1", None))
    with pytest.raises(NotFound):
        store.read("head")
    old = store.swap("head", b"1", None)
    new = store.swap("head", b"2", old)
    for version in (old, None):
        with pytest.raises(Conflict):
            store.swap("head", b"3", version)
        assert (store.read("head").data, store.read("head").version) == (b"2", new)


def test_swap_after_delete(store: Store) -> None:
    """An object that was deleted is not there: a swap from its version fails, one from nothing succeeds."""
    version = store.swap("head", b"1", None)
    store.delete(["head"])
    with pytest.raises(Conflict):
        store.swap("head", b"2", version)
    store.swap("head", b"3", None)
    assert store.read("head").data == b"3"


def test_swap_of_a_created_object(store: Store) -> None:
    """An object has a version however it was written."""
    store.create({"head": b"1"})
    with pytest.raises(Conflict):
        store.swap("head", b"2", None)
    store.swap("head", b"2", store.read("head").version)
    assert store.read("head").data == b"2"


def test_swap_from_a_content_that_came_back(store: Store) -> None:
    """After A → B → A a swap from the first A happens or conflicts: versions are of contents or of writes."""
    first = store.swap("head", b"A", None)
    again = store.swap("head", b"A", store.swap("head", b"B", first))
    try:
        store.swap("head", b"C", first)
    except Conflict:
        assert (store.read("head").data, store.read("head").version) == (b"A", again)
    else:
        assert store.read("head").data == b"C"


def test_swap_counts(locked: Store) -> None:
    """Counting by read and swap in many threads loses no count and counts none twice."""
    rounds = 15
    locked.swap("count", b"0", None)

    def count() -> None:
        for _ in range(rounds):
            while True:
                found = locked.read("count")
                try:
                    locked.swap("count", b"%d" % (int(found.data) + 1), found.version)
                    break
                except Conflict:
                    continue

    assert at_once([count] * THREADS) == [None] * THREADS
    assert locked.read("count").data == b"%d" % (rounds * THREADS)


def test_swap_is_seen_whole(store: Store) -> None:
    """A reader that looks all the time sees one of the contents, whole, and never that the object is not there."""
    contents = [bytes([n]) * 100_000 for n in range(2)]
    version = store.swap("head", contents[0], None)
    done = threading.Event()

    def write() -> None:
        try:
            at = version
            for i in range(1, 30):
                at = store.swap("head", contents[i % 2], at)
        finally:
            done.set()

    def look() -> None:
        while not done.is_set():
            assert store.read("head").data in contents

    assert at_once([write, look]) == [None, None]
