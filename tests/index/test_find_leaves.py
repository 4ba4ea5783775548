"""Many leaf hashes at once: what a dictionary has, in few requests for few and in one pass for many."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.support.indexed import client_of, entry_of, numbers, with_index
from tests.support.ranges import Counting
from tests.support.web_logs import log_of
from tiles.errors import NotFound, TileError, UsageError
from tiles.index.find_leaves import MOST, find_leaves
from tiles.index.opened import Index, open_index
from tiles.tree.merkle import Hash, leaf_hash

SIZE, COVERED = 20_700, 20_480  # a run of 16,384 entries, and one of 4096


def index_of(objects: dict[str, bytes], kind: str = "leaf/1") -> tuple[Index, Counting]:
    """Return an index, and what counts its requests from now on."""
    client = client_of(objects)
    index = open_index(client, kind)
    assert index is not None
    fetcher = client.fetcher
    assert isinstance(fetcher, Counting)
    fetcher.asked.clear()
    return index, fetcher


def expected(leaves: Iterable[Hash], covered: int) -> dict[Hash, list[int]]:
    """Return what has to be found."""
    wanted = set(leaves)
    every = {leaf_hash(entry_of(index)): [index] for index in range(covered)}
    return {leaf: indexes for leaf, indexes in every.items() if leaf in wanted}


@pytest.mark.parametrize("count", [0, 1, 40, 2000])
@pytest.mark.parametrize("proven", [False, True])
def test_as_a_dictionary(count: int, proven: bool) -> None:
    """Half of them are there; one in what is not covered is not found here."""
    leaves = [leaf_hash(b"%d" % index if index % 2 else entry_of(index)) for index in range(5, 5 + 2 * count, 2)]
    leaves += [leaf_hash(b"absent %d" % index) for index in range(count)] + [leaf_hash(entry_of(SIZE - 1))]
    index, fetcher = index_of(numbers(SIZE, COVERED))
    assert find_leaves(index, leaves, proven=proven) == expected(leaves, COVERED)
    # two runs of one file each: the file is read once, and a tile if more than one leaf hash is looked for; of the
    # larger one a part for each of a few
    assert len(fetcher.asked) <= 2 * (2 if proven or count else 1) + 2 * (count == 1)
    assert count == 1 or len(set(fetcher.asked)) == len(fetcher.asked)


def test_one_that_was_logged_often() -> None:
    """The newest are named."""

    objects = with_index(log_of([b"same"] * 4100), "leaf/1")
    for others in (0, 70):
        index, _ = index_of(objects)
        leaves = [leaf_hash(b"same"), *(leaf_hash(b"%d" % n) for n in range(others))]
        assert find_leaves(index, leaves) == {leaf_hash(b"same"): list(range(4095, 4095 - MOST, -1))}


def test_damaged() -> None:
    """A run that is wrong or gone is said; an index of other keys has no leaf hashes."""
    objects = numbers()
    path = "index/leaf/1/0/000/000"
    for data, error in ((None, NotFound), (bytes(len(objects[path])), TileError)):
        index, fetcher = index_of(objects)
        fetcher.objects = {**objects, path: data} if data is not None else {}
        for count in (1, 100):
            with pytest.raises(error):
                find_leaves(index, [leaf_hash(b"%d" % n) for n in range(count)], proven=True)
    index, _ = index_of(objects, "name/1")
    with pytest.raises(UsageError, match="no leaf hashes"):
        find_leaves(index, [])
