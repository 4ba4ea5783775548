"""Where entries are that somebody wants logged: a wrong index never says that one is where it is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.support.indexed import changed, client_of, entry_of, numbers, with_index, without
from tests.support.ranges import Counting
from tests.support.signed_text import LOG
from tests.support.web_logs import log_of
from tiles.errors import AccessError, TilesError
from tiles.index import known as module
from tiles.index.known import KnownEntries, find_in
from tiles.notes.keys import signing_key
from tiles.store import StoreFetcher
from tiles.store.memory import MemoryStore
from tiles.tree.edge import Edge, edge_objects, parse_edge
from tiles.tree.merkle import Hash, leaf_hash
from tiles.write.once import Found

SIZE, COVERED = 5000, 4096
HEAD = "index/leaf/1/head"
ABSENT = leaf_hash(b"nowhere")

Objects = Mapping[str, bytes]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let these logs be large ones, whose index is used."""
    monkeypatch.setattr(module, "SCAN_LIMIT", 100)
    monkeypatch.setattr(module, "MAX_TAIL", 1000)


def leaves(*indexes: int) -> set[Hash]:
    """Return leaf hashes of entries of `numbers`."""
    return {leaf_hash(entry_of(index)) for index in indexes}


def edge_of(objects: Objects) -> Edge:
    """Return the right edge of a log."""
    tree = client_of(objects).tree
    return parse_edge(tree, {tile: objects[tile.path] for tile in edge_objects(tree.size)})


def find(
    objects: Objects, wanted: set[Hash], since: int = 0, catch_up: Callable[[], object] = lambda: None
) -> tuple[Found, list[str]]:
    """Ask as the writer does; return what is found, and which objects were read for that."""
    known = KnownEntries(MemoryStore("log"), LOG.verifier, catch_up)
    counting = Counting(objects)
    known._fetcher = counting  # type: ignore[assignment]
    return known.find(wanted, edge_of(objects), since), counting.asked


def where(found: Found) -> list[int]:
    """Return the indexes that were found."""
    return sorted(found.indexes.values())


@pytest.mark.parametrize("wanted", [(0,), (4095,), (4096,), (4999,), (0, 17, 4090, 4500), tuple(range(0, 5000, 3))])
def test_in_the_index_and_after_it(wanted: tuple[int, ...]) -> None:
    """Few and many are found, by the index and among the last entries, by a writer and a reader."""
    found, _ = find(numbers(SIZE, COVERED), {*leaves(*wanted), ABSENT})
    assert where(found) == list(wanted)
    assert all(leaf_hash(entry_of(index)) == leaf for leaf, index in found.indexes.items())
    assert found.complete
    assert find_in(client_of(numbers(SIZE, COVERED)), {*leaves(*wanted), ABSENT}) == found


def test_since() -> None:
    """After another writer was faster, only what came since is looked at: neither head nor run is read."""
    found, asked = find(numbers(SIZE, COVERED), leaves(10, 4990, 4999), since=4991)
    assert (where(found), found.complete) == ([4999], True)
    assert [path for path in asked if path.startswith("index/")] == []
    assert find(numbers(SIZE, COVERED), leaves(1), since=SIZE) == (Found({}), [])
    assert find(numbers(SIZE, COVERED), set()) == (Found({}), [])


def test_how_much_is_read() -> None:
    """For one entry: the head, a part of each run, and what comes after them but the right edge, which is known."""
    _, asked = find(numbers(SIZE, COVERED), {ABSENT})
    assert sorted(asked) == [RUN, HEAD, "tile/0/016", "tile/0/017", "tile/0/018"]


def test_without_an_index() -> None:
    """The last entries are looked at; that the others were not is said."""
    plain = without(numbers(SIZE, COVERED), [HEAD])
    found, _ = find(plain, leaves(10, 3999, 4000, 4500))
    assert (where(found), found.complete) == ([4000, 4500], False)
    small = log_of([entry_of(index) for index in range(100)])
    assert find(small, leaves(10, 99))[0] == Found({leaf_hash(entry_of(index)): index for index in (10, 99)})


def test_catching_up() -> None:
    """An index that is far behind covers a step more first; if that fails, or does not help, it is said."""
    objects = {**without(numbers(SIZE, COVERED), [HEAD])}

    def build() -> None:
        objects[HEAD] = numbers(SIZE, COVERED)[HEAD]

    def fail() -> None:
        raise AccessError("no")

    assert not find(objects, leaves(10), catch_up=fail)[0].complete
    found, _ = find(objects, leaves(10), catch_up=build)
    assert (where(found), found.complete) == ([10], True)
    assert find(objects, leaves(10), catch_up=lambda: pytest.fail("it is not behind"))[0].complete


RUN = "index/leaf/1/0/000/000"
OTHER = signing_key(LOG.verifier.name, b"\x09" * 32)


def of_entry_0(run: bytes) -> bytes:
    """Return a run with the same keys, in order, all of entry 0."""
    return b"".join(run[at : at + 10] + bytes(6) for at in range(0, len(run), 16))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda objects: {**objects, HEAD: b"junk"},
        lambda objects: changed(objects, "leaf/1", by=[OTHER]),
        lambda objects: {**objects, HEAD: objects["index/sha256/1/head"]},
        lambda objects: without(objects, [RUN]),
        lambda objects: {**objects, RUN: objects[RUN][:-16]},
        lambda objects: {**objects, RUN: objects[RUN][::-1]},
        lambda objects: {**objects, RUN: of_entry_0(objects[RUN])},
    ],
    ids=["junk", "another's head", "another kind's", "no run", "a short run", "not in order", "other entries"],
)
def test_an_index_that_is_wrong(spoil: Callable[[Objects], dict[str, bytes]]) -> None:
    """Nothing is believed of it, and nothing raised: it is not used, or what it says is looked up and not there."""
    objects = spoil(numbers(SIZE, COVERED))
    found, _ = find(objects, leaves(10, 4500))
    assert all(leaf_hash(entry_of(index)) == leaf for leaf, index in found.indexes.items())
    assert where(found) in ([4500], [10, 4500])  # what is left of a run may lead to an entry
    many, _ = find(objects, leaves(*range(SIZE)))
    assert all(leaf_hash(entry_of(index)) == leaf for leaf, index in many.indexes.items())
    assert not many.complete or len(many.indexes) == SIZE


def test_an_entry_that_is_there_often() -> None:
    """One of its places is enough, and not all are read."""
    entries = [b"the same"] * 4096 + [b"another"]
    objects = with_index(log_of(entries), "leaf/1")
    found, _ = find(objects, {leaf_hash(b"the same"), leaf_hash(b"another")})
    assert found.complete
    assert set(found.indexes) == {leaf_hash(b"the same"), leaf_hash(b"another")}


def test_a_log_that_cannot_be_believed() -> None:
    """A tile that does not lead to the root is an error, not an entry that is new."""
    objects = numbers(SIZE, COVERED)
    with pytest.raises(TilesError):
        find({**objects, "tile/0/017": bytes(8192)}, leaves(4500))
    known = KnownEntries(MemoryStore("log"), LOG.verifier, lambda: None)
    assert isinstance(known._fetcher, StoreFetcher)
