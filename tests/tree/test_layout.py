"""Tile coordinates and paths: the specification's examples, round trips, and paths that nobody prints."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tiles.errors import Malformed, UsageError
from tiles.records.paths import checkpoint_path
from tiles.tree.layout import (
    ENTRIES,
    Tile,
    edge_tiles,
    full_paths,
    index_path,
    level_size,
    levels,
    parse_tile_path,
    tile_at,
    tiles_of,
)
from tiles.tree.merkle import MAX_TREE_SIZE

# sizes where a level begins, fills up or starts its next tile
BOUNDARIES = {256**k + d for k in range(6) for d in (-2, -1, 0, 1, 2)} - {-1, 0}
SIZES = sorted(BOUNDARIES | {300, 511, 512, 513, 70_000, 2**40 - 256, MAX_TREE_SIZE})

tiles = st.builds(
    Tile,
    level=st.integers(ENTRIES, 63),
    index=st.one_of(st.integers(0, 3000), st.integers(0, MAX_TREE_SIZE)),
    width=st.integers(1, 256),
)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 273, 112), "tile/0/273.p/112"),
        (Tile(1, 1, 17), "tile/1/001.p/17"),
        (Tile(2, 0, 1), "tile/2/000.p/1"),
        (Tile(0, 999), "tile/0/999"),
        (Tile(0, 1000), "tile/0/x001/000"),
        (Tile(0, 999_999), "tile/0/x999/999"),
        (Tile(0, 1_000_000), "tile/0/x001/x000/000"),
        (Tile(63, 1_234_067), "tile/63/x001/x234/067"),
        (Tile(ENTRIES, 1_234_067), "tile/entries/x001/x234/067"),
        (Tile(ENTRIES, 1_234_067, 255), "tile/entries/x001/x234/067.p/255"),
        (Tile(9, MAX_TREE_SIZE), "tile/9/x009/x223/x372/x036/x854/x775/807"),
    ],
)
def test_paths(tile: Tile, path: str) -> None:
    """Paths are as tlog-tiles writes them: groups of three digits, .p/<W> for partial tiles only."""
    assert tile.path == path
    assert parse_tile_path(path) == tile


def test_a_tree_of_70000() -> None:
    """tlog-tiles, "Partial Tiles": the example of a tree of size 70,000."""
    level_0, level_1, level_2 = (list(tiles_of(70_000, level)) for level in range(3))
    assert [tile.is_full for tile in level_0] == [True] * 273 + [False]
    assert level_0[-1] == Tile(0, 273, 112)
    assert level_1 == [Tile(1, 0), Tile(1, 1, 17)]
    assert level_2 == [Tile(2, 0, 1)]
    assert levels(70_000) == range(3)
    assert edge_tiles(70_000) == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert list(tiles_of(70_000, ENTRIES))[-1] == Tile(ENTRIES, 273, 112)


@pytest.mark.parametrize("first", [0, 7, 998, 999, 1000, 999_998, 1_000_000])
@pytest.mark.parametrize("level", [ENTRIES, 0, 12])
def test_paths_of_full_tiles_beside_each_other(level: int, first: int) -> None:
    """They are those of the tiles, past each thousand."""
    assert list(islice(full_paths(level, first), 1003)) == [Tile(level, first + at).path for at in range(1003)]


def test_a_tree_of_256() -> None:
    """tlog-tiles: a tree of size 256 is "a full level 0 tile and a partial level 1 tile of width 1"."""
    assert [list(tiles_of(256, level)) for level in levels(256)] == [[Tile(0, 0)], [Tile(1, 0, 1)]]
    assert edge_tiles(256) == [Tile(1, 0, 1)]


def test_an_empty_tree_has_nothing() -> None:
    """Empty tiles are never served, so an empty tree has no tile, no bundle and no level."""
    assert edge_tiles(0) == []
    assert levels(0) == range(0)
    assert list(tiles_of(0, 0)) == list(tiles_of(0, ENTRIES)) == []


@pytest.mark.parametrize("size", SIZES)
def test_partial_tiles_have_the_specified_width(size: int) -> None:
    """A partial tile of a tree of size s "has floor(s / 256**l) mod 256 entries"; there is none for 0."""
    widths = {tile.level: tile.width for tile in edge_tiles(size)}
    assert widths == {level: size // 256**level % 256 for level in range(8) if size // 256**level % 256}
    assert [tile.level for tile in edge_tiles(size)] == sorted(widths)


@pytest.mark.parametrize("size", SIZES)
def test_levels_end_where_nothing_is_left(size: int) -> None:
    """A level exists if a tile of it holds a hash, and its last tile is the one `tile_at` says."""
    assert levels(size) == range(sum(size // 256**level > 0 for level in range(9)))
    for level in (ENTRIES, *levels(size)):
        count = level_size(size, level)
        last = tile_at(size, level, (count - 1) // 256)
        assert last.index * 256 + last.width == count
        with pytest.raises(UsageError):
            tile_at(size, level, last.index + 1)
    with pytest.raises(UsageError):
        tile_at(size, len(levels(size)), 0)


@pytest.mark.parametrize("size", [size for size in SIZES if size <= 70_000])
def test_tiles_of_a_level_hold_every_hash_once(size: int) -> None:
    """The tiles of a level stand side by side, all full but perhaps the last."""
    for level in (ENTRIES, *levels(size)):
        found = list(tiles_of(size, level))
        assert [tile.index for tile in found] == list(range(len(found)))
        assert all(tile.is_full for tile in found[:-1])
        assert sum(tile.width for tile in found) == level_size(size, level)
        assert found == [tile_at(size, level, tile.index) for tile in found]


@pytest.mark.parametrize("size", SIZES)
def test_the_edge_is_what_is_partial(size: int) -> None:
    """The edge holds the last tile of a level exactly if that is partial."""
    last = [tile_at(size, level, (level_size(size, level) - 1) // 256) for level in levels(size)]
    assert edge_tiles(size) == [tile for tile in last if not tile.is_full]


@given(tiles.filter(lambda tile: 0 <= tile.level < 63))
def test_a_full_tile_stands_in_its_parent(tile: Tile) -> None:
    """The root of a full tile is the hash at `position` of the tile above it."""
    level, index, position = tile.parent
    assert level == tile.level + 1
    assert index * 256 + position == tile.index
    assert 0 <= position < 256


@given(tiles)
def test_the_full_tile_is_at_the_same_place(tile: Tile) -> None:
    """A partial tile and the full one differ in the path by .p/<W> only."""
    assert (tile.full.level, tile.full.index, tile.full.width) == (tile.level, tile.index, 256)
    assert tile.path.split(".p/")[0] == tile.full.path
    assert tile.is_full == (tile == tile.full)


@given(tiles)
def test_path_round_trip(tile: Tile) -> None:
    """Every tile's path parses to that tile, and to no other."""
    assert parse_tile_path(tile.path) == tile


@given(tiles, tiles)
def test_no_two_tiles_share_a_path(one: Tile, other: Tile) -> None:
    """Different tiles have different paths, and none is a folder of another."""
    if one != other:
        assert one.path != other.path
        assert not other.path.startswith(one.path + "/")


HOSTILE = [
    "",
    "/",
    "tile",
    "tile/",
    "tile/0",
    "tile/0/",
    "/tile/0/000",
    "tile/0/000/",
    "tile//000",
    "tile/0//000",
    "./tile/0/000",
    "tile/0/../0/000",
    "tile/0/..",
    "tile/0/000\n",
    "\ntile/0/000",
    "tile/0/000\x00",
    " tile/0/000",
    "tile/0/000 ",
    "TILE/0/000",
    "tile/Entries/000",
    "tile/data/000",
    "tile/names/000",
    # level: "with no additional leading zeroes", 0 to 63
    "tile/00/000",
    "tile/01/000",
    "tile/64/000",
    "tile/99/000",
    "tile/100/000",
    "tile/-1/000",
    "tile/+1/000",
    "tile/1.0/000",
    "tile/0x1/000",
    "tile/１/000",
    "tile/٣/000",
    "tile/²/000",
    # index: zero-padded groups of three digits, "all but the last path element MUST begin with an x"
    "tile/0/0",
    "tile/0/00",
    "tile/0/0000",
    "tile/0/1000",
    "tile/0/-01",
    "tile/0/+01",
    "tile/0/0_1",
    "tile/0/x000",
    "tile/0/x001",
    "tile/0/001/000",
    "tile/0/x001/x000",
    "tile/0/X001/000",
    "tile/0/x001x000/000",
    "tile/0/x000/000",
    "tile/0/x000/001",
    "tile/0/x000/x001/000",
    "tile/0/x1/000",
    "tile/0/x0001/000",
    "tile/0/٠٠١",
    "tile/0/００１",
    "tile/0/x٠٠١/000",
    "tile/9/x009/x223/x372/x036/x854/x775/808",
    "tile/0/x999/x999/x999/x999/x999/x999/999",
    "tile/0/x001/x000/x000/x000/x000/x000/x000/000",
    "tile/0/" + "x999/" * 10_000 + "999",
    # width: "a decimal ASCII integer between 1 and 255, with no additional leading zeroes"
    "tile/0/000.p",
    "tile/0/000.p/",
    "tile/0/000.p/0",
    "tile/0/000.p/00",
    "tile/0/000.p/01",
    "tile/0/000.p/007",
    "tile/0/000.p/256",
    "tile/0/000.p/257",
    "tile/0/000.p/999",
    "tile/0/000.p/1000",
    "tile/0/000.p/-1",
    "tile/0/000.p/+1",
    "tile/0/000.p/1 ",
    "tile/0/000.p/1_0",
    "tile/0/000.p/٣",
    "tile/0/000.p/１",
    "tile/0/000.p/1/",
    "tile/0/000.p/1.p/1",
    "tile/0/000.P/1",
    "tile/0/000p/1",
    "tile/0/000,p/1",
    "tile/0/x001.p/1/000",
    "tile/entries/0",
    "tile/entries/000.p/256",
    "tile/entries.p/1",
    "checkpoint",
    "tile/0/" + "9" * 100_000,
    "tile/" + "9" * 100_000 + "/000",
    "tile/0/000.p/" + "9" * 100_000,
]


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: ascii(path[:50]))
def test_hostile_paths_are_malformed(path: str) -> None:
    """A path that no tile prints is refused, with our error."""
    with pytest.raises(Malformed, match=r"^malformed tile path: "):
        parse_tile_path(path)


def parses_or_is_malformed(path: str) -> None:
    """Hold the rule: the one tile that prints this path, or Malformed."""
    with suppress(Malformed):
        assert parse_tile_path(path).path == path


@given(st.text())
@example("tile/0/000")
def test_arbitrary_text_is_a_tile_or_malformed(path: str) -> None:
    """Any text whatever gives the tile that prints it, or Malformed."""
    parses_or_is_malformed(path)


@given(st.from_regex(r"\Atile/(entries|[0-9]{1,3})/(x?[0-9]{2,4}/){0,8}x?[0-9]{2,4}(\.p/[0-9]{0,4})?\n?\Z"))
def test_text_like_a_path_is_a_tile_or_malformed(path: str) -> None:
    """Text that is nearly a path (unicode digits, too many digits) gives the tile that prints it, or Malformed."""
    parses_or_is_malformed(path)


@given(tiles, st.data())
def test_a_path_with_one_character_changed(tile: Tile, data: st.DataObject) -> None:
    """One character replaced, inserted or left out: another tile that prints exactly that, or Malformed."""
    path = tile.path
    at = data.draw(st.integers(0, len(path) - 1))
    new = data.draw(st.sampled_from(["", *"0123456789x/.p-+_ \n٣é"]))
    parses_or_is_malformed(path[:at] + new + path[at + data.draw(st.integers(0, 1)) :])


@pytest.mark.parametrize(
    ("level", "index", "width"),
    [(-2, 0, 1), (64, 0, 1), (0, -1, 1), (0, MAX_TREE_SIZE + 1, 1), (0, 0, 0), (0, 0, -1), (0, 0, 257)],
)
def test_tiles_out_of_range_are_wrong_calls(level: int, index: int, width: int) -> None:
    """A tile that no path can name cannot be made."""
    with pytest.raises(UsageError, match=r"is not between"):
        Tile(level, index, width)


@pytest.mark.parametrize(
    ("size", "level", "index"), [(0, 0, 0), (255, 1, 0), (256, 0, 1), (256, ENTRIES, 1), (9, 0, -1)]
)
def test_tiles_a_tree_does_not_have(size: int, level: int, index: int) -> None:
    """Asking for a tile outside the tree is a wrong call."""
    with pytest.raises(UsageError):
        tile_at(size, level, index)


def test_published_checkpoints_are_kept_by_size() -> None:
    """A checkpoint of a size is kept under that size, written like a tile's index."""
    assert checkpoint_path(0) == "checkpoints/000"
    assert checkpoint_path(1_234_067) == "checkpoints/x001/x234/067"


@given(st.integers(0, MAX_TREE_SIZE))
def test_index_path_is_the_number_in_groups(n: int) -> None:
    """The groups, read together, are the number; every group has three digits; there is no group too many."""
    groups = index_path(n).split("/")
    assert int("".join(group.lstrip("x") for group in groups)) == n
    assert all(group.startswith("x") and len(group) == 4 for group in groups[:-1])
    assert len(groups[-1]) == 3
    assert len(groups) == max(1, -(-len(str(n)) // 3))
