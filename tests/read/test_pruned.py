"""Reading a log that has pruned its beginning: what is missing is named, and all that can be had still is."""

from __future__ import annotations

import pytest

from tests.support.pruned_log import SIZE, pruned
from tests.support.readers import POLICY, Objects, entry, make_log
from tiles.errors import NotFound, UsageError
from tiles.read.client import LogClient
from tiles.read.consistency import prove_consistency
from tiles.read.pruned import check_minimum, explained, is_pruned
from tiles.tree.layout import ENTRIES, Tile


@pytest.mark.parametrize(
    ("tile", "end"),
    [
        (Tile(0, 0), 256),
        (Tile(ENTRIES, 0), 256),
        (Tile(0, 3), 1024),
        (Tile(ENTRIES, 3), 1024),
        (Tile(1, 0), 65_536),
        (Tile(1, 1), 131_072),
        (Tile(2, 0), 1 << 24),
    ],
)
def test_which_objects_may_be_missing(tile: Tile, end: int) -> None:
    """A full one whose end index is at most the minimum index, and never a partial one."""
    assert not is_pruned(tile, end - 1)
    assert is_pruned(tile, end)
    assert not is_pruned(Tile(tile.level, tile.index, 255), 1 << 40)
    assert not is_pruned(tile, 0)


@pytest.mark.parametrize("minimum", [256, 511, 512, 700, 768, SIZE])
def test_all_above_the_minimum_index(minimum: int) -> None:
    """Entries from there on, their proofs, and consistency between trees of that size or more: all are obtained."""
    objects = pruned(minimum)
    assert len(objects) < len(make_log(SIZE))
    client = LogClient(Objects(objects), POLICY)
    for index in range(minimum, SIZE, 37):
        assert client.entry(index) == entry(index)
        assert client.prove(index).index == index
    for first in range(minimum, SIZE + 1, 61):
        assert client.tree_at(first).size == first
        assert prove_consistency(client, first, SIZE).newer == client.tree


def test_what_is_below_is_named() -> None:
    """What is missing is called pruned where the minimum index allows that, and nothing else is."""
    client = LogClient(Objects(pruned(512)), POLICY)
    with pytest.raises(NotFound) as caught:
        client.entry(5)
    assert explained(caught.value, 0, "u") is caught.value
    assert explained(caught.value, 255, "u") is caught.value
    error = explained(caught.value, 512, "u")
    assert "was pruned: all of it is below the minimum index 512" in error.message
    with pytest.raises(NotFound) as caught:
        LogClient(Objects(pruned(512) | {"tile/0/000": b""}), POLICY).prove(300)
    assert "was pruned" in explained(caught.value, 512, "u").message
    for path in ("tile/0/000.p/5", "tile/0/0000", "tile/99/000", "tile/entries/x001/001", "checkpoint"):
        other = NotFound(f"u/{path}: not found")
        assert explained(other, 512, "u") is other


@pytest.mark.parametrize("minimum", [SIZE + 1, -1])
def test_what_no_minimum_index_is(minimum: int) -> None:
    """It is at most the size of the tree."""
    check_minimum(SIZE, SIZE)
    with pytest.raises(UsageError):
        check_minimum(minimum, SIZE)
