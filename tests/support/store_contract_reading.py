"""What every store promises to those who read, list and delete. A test file with the fixture `store` takes these in."""

from __future__ import annotations

import pytest

from tests.support.store_threads import paths
from tiles.errors import NotFound, TooLong, UsageError
from tiles.store import RangedStore, Store


def test_read_of_nothing(store: Store) -> None:
    """What is not there is NotFound: in an empty store, beside, below and above objects."""
    for path in ("a", "a/b"):
        with pytest.raises(NotFound):
            store.read(path)
    store.create({"a/b": b""})
    for path in ("a", "a/c", "a/b/c", "c/d"):
        with pytest.raises(NotFound):
            store.read(path)


def test_read_limit(store: Store) -> None:
    """A limit lets through objects of its size, and no longer one."""
    store.create({"a": b"123", "b": b""})
    assert store.read("a", 3).data == b"123"
    assert store.read("b", 0).data == b""
    with pytest.raises(TooLong, match="/a: longer than 2 bytes"):
        store.read("a", 2)


# by path and part: what bytes have to be there; an entry bundle may be stored encoded
PARTS = [("tile/0/000", 10, 20), ("tile/0/000", 0, 100), ("tile/0/000", 99, 100), ("tile/entries/000", 10, 20)]


@pytest.mark.parametrize(("path", "start", "stop"), PARTS)
def test_read_range(store: Store, path: str, start: int, stop: int) -> None:
    """A part has the bytes that were asked for; it may be the whole, but of what is stored as it is, it is not."""
    data = bytes(range(100))
    store.create({path: data})
    assert isinstance(store, RangedStore)
    part = store.read_range(path, start, stop, 100)
    assert part.data[start - part.first : stop - part.first] == data[start:stop]
    assert part.data == data[part.first : part.stop]
    assert len(part.data) == stop - start or path.startswith("tile/entries/")


def test_read_range_of_another_object(store: Store) -> None:
    """Of a shorter object there comes what there is; a longer one is too long, and what is not there is NotFound."""
    assert isinstance(store, RangedStore)
    store.create({"a": b"0123456789"})
    assert store.read_range("a", 8, 20, 30).data[-2:] == b"89"
    beyond = store.read_range("a", 20, 30, 30)
    assert b"0123456789".startswith(beyond.data)
    with pytest.raises(TooLong, match="/a: longer than 9 bytes"):
        store.read_range("a", 2, 4, 9)
    for path in ("b", "a/b"):
        with pytest.raises(NotFound):
            store.read_range(path, 2, 4, 9)
    with pytest.raises(UsageError):
        store.read_range("../a", 2, 4, 10)


def test_list_order(store: Store) -> None:
    """All objects, however deep, in the order of their paths as strings of bytes, with their sizes."""
    files = ["a", "a.b", "a0", "Z", "_"]
    below = ["a-b/c", "a.p/1", "a.p/10", "b/c/d/e", "b/c-d", "b/é", "b/\U0001f332", "b/\uff5a"]
    names = files + below
    store.create({name: name.encode() for name in names})
    listed = list(store.list(""))
    assert [one.path for one in listed] == sorted(names, key=str.encode)
    assert all(one.size == len(one.path.encode()) and one.modified >= 0 for one in listed)


def test_list_prefix(store: Store) -> None:
    """A prefix is a directory: it lists all below it and nothing beside it, and may be empty."""
    inside = ["tile/0/000", "tile/0/x001/000", "tile/1/000"]
    store.create(dict.fromkeys([*inside, "tiles/0/000", "tile-0", "a/tile/0"], b""))
    assert paths(store, "tile/") == inside
    assert paths(store, "tile/0/") == inside[:2]
    assert paths(store, "tile/0/x001/") == ["tile/0/x001/000"]
    assert paths(store, "til/") == []
    assert paths(store, "tile-0/") == []


def test_list_sees_the_latest(store: Store) -> None:
    """A list shows what was created, swapped and deleted before it, and an empty store is empty."""
    assert paths(store) == []
    store.create({"a": b"1", "b": b"2"})
    version = store.swap("head", b"", None)
    assert paths(store) == ["a", "b", "head"]
    store.swap("head", b"123", version)
    store.delete(["a"])
    assert [(one.path, one.size) for one in store.list("")] == [("b", 1), ("head", 3)]


def test_delete(store: Store) -> None:
    """Deleting is deleting: again, of what never was, of nothing, of many; and the name is free again."""
    store.delete(["never", "never/there"])
    store.delete([])
    store.create({"a/1": b"1", "a/2": b"2", "b": b"3"})
    store.delete(["a/1", "never", "b"])
    store.delete(["a/1", "b/below"])
    assert paths(store) == ["a/2"]
    with pytest.raises(NotFound):
        store.read("a/1")
    store.create({"a/1": b"another"})
    assert store.read("a/1").data == b"another"


def test_barrier(store: Store) -> None:
    """A barrier can be called at any time, and changes nothing."""
    store.barrier()
    store.create({"a/b": b"1", "c": b"2"})
    store.swap("d/head", b"1", None)
    store.delete(["c"])
    store.barrier()
    store.barrier()
    assert paths(store) == ["a/b", "d/head"]


ODD = ["", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a/..", "a\0b", ".tmp", ".tmp/a", "a\ud800"]


@pytest.mark.parametrize("path", ODD, ids=ascii)
def test_odd_paths(store: Store, path: str) -> None:
    """A path that leaves the store, or that not every store can have, is a wrong call, and nothing is written."""
    for call in (
        lambda: store.read(path),
        lambda: store.create({"good": b"", path: b""}),
        lambda: store.swap(path, b"", None),
        lambda: store.delete([path]),
    ):
        with pytest.raises(UsageError):
            call()
    assert paths(store) == []


@pytest.mark.parametrize("prefix", ["a", "/", "//", "a//", "../", "a/../", ".tmp/", "/a/", "a\0/"], ids=ascii)
def test_odd_prefixes(store: Store, prefix: str) -> None:
    """A prefix is empty, or a path and "/"; anything else is a wrong call."""
    with pytest.raises(UsageError):
        list(store.list(prefix))


def test_paths_with_dots_and_spaces(store: Store) -> None:
    """Names that only look odd are names."""
    names = ["...", "..a", ".hidden", "a b/c d", "b/.tmp/c", "per%20cent", "plus+and&"]
    store.create({name: name.encode() for name in names})
    assert paths(store) == sorted(names)
    assert all(store.read(name).data == name.encode() for name in names)


def test_folders(store: Store) -> None:
    """The elements right below a prefix that have more below them, in order; nothing below is no error."""
    store.create(dict.fromkeys(("a", "b/1", "b/2/3", "c/d/e", "c-d/e", "inbox/ann/1", "inbox/bob/1"), b"1"))
    assert list(store.folders("")) == ["b", "c", "c-d", "inbox"]
    assert list(store.folders("b/")) == ["2"]
    assert list(store.folders("inbox/")) == ["ann", "bob"]
    assert list(store.folders("nothing/")) == []
    with pytest.raises(UsageError):
        store.folders("inbox")
