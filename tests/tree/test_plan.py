"""Planning a batch: every tile, bundle and root against the definitions, whatever the batches it came in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.numbered_log import LARGE, content, entries, tree
from tests.support.reference import Tree, printed_random
from tiles.errors import UsageError
from tiles.tree.bundle import MAX_ENTRY_SIZE, encode_entries
from tiles.tree.edge import EMPTY_EDGE, Edge, edge_objects, parse_edge
from tiles.tree.layout import ENTRIES, Tile, levels, parse_tile_path, tile_at, tiles_of
from tiles.tree.merkle import MAX_TREE_SIZE, Hash
from tiles.tree.plan import Plan, plan


@cache
def edge(size: int) -> Edge:
    """Return the right edge of the tree of that size, planned in one batch."""
    return plan(EMPTY_EDGE, entries(0, size)).edge if size else EMPTY_EDGE


def changed_tiles(base: int, size: int) -> Iterator[Tile]:
    """Yield the tiles and bundles that a tree of `size` has and one of `base` has not."""
    for level in (ENTRIES, *levels(size)):
        before = set(tiles_of(base, level))
        yield from (tile for tile in tiles_of(size, level) if tile not in before)


def check_plan(planned: Plan, base: int, count: int) -> None:
    """Hold a plan against the definitions: exactly the new tiles, with their content, and the root."""
    size = base + count
    assert (planned.base, planned.count) == (base, count)
    assert planned.tree == tree().head(size)
    assert b"".join(planned.pieces) == encode_entries(entries(base, size))
    assert dict(planned.objects) == {tile.path: content(tile) for tile in changed_tiles(base, size)}
    assert {tile.path: data for tile, data in planned.edge.tiles().items()} == {
        tile.path: content(tile) for tile in edge_objects(size) if tile.level != ENTRIES
    }


def check_append(base: int, count: int) -> None:
    """Plan one batch on a log of `base` entries, read back from its edge, and hold it against the definitions."""
    before = edge(base)
    assert parse_edge(tree().head(base), {tile: content(tile) for tile in edge_objects(base)}) == before
    check_plan(plan(before, entries(base, base + count)), base, count)


@pytest.mark.parametrize("base", [0, 1, 2, 254, 255, 256, 257, 511, 512, 513, 600])
@pytest.mark.parametrize("count", [1, 2, 10, 255, 256, 257, 511, 512, 513])
def test_a_batch_around_the_ends_of_tiles(base: int, count: int) -> None:
    """Sizes and batches around 256 and 512 give exactly the tiles of the definitions."""
    check_append(base, count)


def test_a_batch_on_any_size() -> None:
    """Any base to 600 and any batch to 600 (sampled) give exactly the tiles of the definitions."""
    rng = printed_random()
    for base in range(601):
        check_append(base, rng.randint(1, 600))


@pytest.mark.parametrize("base", LARGE)
@pytest.mark.parametrize("count", [1, 2, 255, 256, 257])
def test_a_batch_where_a_level_begins(base: int, count: int) -> None:
    """Around 65,536 entries a tile of level 2 begins, and a full one of level 1 stays as it is."""
    check_append(base, count)


@pytest.mark.parametrize("size", [256, *LARGE])
def test_a_batch_from_nothing(size: int) -> None:
    """One batch that makes a whole tree gives all its tiles."""
    check_append(0, size)


@settings(deadline=None)
@given(st.lists(st.integers(1, 600), min_size=2, max_size=5))
def test_batches_add_up(counts: list[int]) -> None:
    """A tree does not tell in which batches it came: the edge is the same, and all tiles that both ways write."""
    total = sum(counts)
    at_once = plan(EMPTY_EDGE, entries(0, total))
    written: dict[str, bytes] = {}
    last = EMPTY_EDGE
    for start, stop in pairwise([0, *(sum(counts[: i + 1]) for i in range(len(counts)))]):
        planned = plan(last, entries(start, stop))
        assert all(written.get(path, data) == data for path, data in planned.objects.items())
        written |= planned.objects
        last = planned.edge
    assert last == at_once.edge
    assert at_once.objects.items() <= written.items()
    extra = [parse_tile_path(path) for path in written.keys() - at_once.objects.keys()]
    assert all(not tile.is_full for tile in extra)
    for tile in extra:
        now = tile_at(total, tile.level, tile.index).path
        assert written[now].startswith(written[tile.path])


# ---- what cannot be planned


def test_a_batch_is_not_empty() -> None:
    """Nothing to add is not a batch."""
    with pytest.raises(UsageError, match="at least one entry"):
        plan(EMPTY_EDGE, [])


def test_an_entry_is_at_most_65535_bytes() -> None:
    """The longest entry there is, and one byte more."""
    assert b"".join(plan(EMPTY_EDGE, [b"x" * MAX_ENTRY_SIZE]).pieces) == b"\xff\xff" + b"x" * MAX_ENTRY_SIZE
    with pytest.raises(UsageError, match="entry 1 of the batch has 65536 bytes, 65535 is the most"):
        plan(EMPTY_EDGE, [b"", b"x" * (MAX_ENTRY_SIZE + 1)])


def test_a_tree_is_not_larger_than_its_limit() -> None:
    """Sizes end at 2^63 - 1."""
    other = Tree({})
    size = MAX_TREE_SIZE - 1
    contents = {
        tile: b"\x00\x00" * tile.width if tile.level == ENTRIES else other.tile(tile) for tile in edge_objects(size)
    }
    hashes = [contents[tile] for tile in edge_objects(size) if tile.level != ENTRIES]
    levels_ = tuple(tuple(Hash(data[i : i + 32]) for i in range(0, len(data), 32)) for data in hashes)
    last = Edge(size, levels_, contents[Tile(ENTRIES, size // 256, size % 256)])
    assert last.tree == other.head(size)
    assert plan(last, [b"one"]).tree.size == MAX_TREE_SIZE
    with pytest.raises(UsageError, match="is larger than"):
        plan(last, [b"one", b"two"])
