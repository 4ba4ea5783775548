"""The right edge of a tree: read back only from the very tiles and bundle that lead to the root."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.numbered_log import content, tree
from tests.support.reference import OTHER_LEAF, flipped, printed_random
from tiles.errors import Malformed, TileError, TilesError
from tiles.tree.bundle import encode_entries
from tiles.tree.edge import EMPTY_EDGE, edge_objects, parse_edge
from tiles.tree.layout import ENTRIES, Tile
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead


@pytest.mark.parametrize("size", [1, 44, 255, 257, 300, 511, 513, 65_535, 65_537])
def test_an_edge_with_any_byte_changed_is_refused(size: int) -> None:
    """A changed bit anywhere in the edge's tiles or the bundle (sampled), or a wrong length, is refused."""
    rng = printed_random()
    contents = {tile: content(tile) for tile in edge_objects(size)}
    head = tree().head(size)
    for tile, data in contents.items():
        for bit in {0, 8 * len(data) - 1, *(rng.randrange(8 * len(data)) for _ in range(60))}:
            with pytest.raises((TileError, Malformed)) as caught:
                parse_edge(head, {**contents, tile: flipped(data, bit)})
            assert tile.path in str(caught.value) or isinstance(caught.value, Malformed)
        for wrong in (data[:-1], data + b"\x00", b"", data + data):
            with pytest.raises((TileError, Malformed)):
                parse_edge(head, {**contents, tile: wrong})


@pytest.mark.parametrize("size", [256, 257, 300])
def test_an_edge_of_another_root_is_refused_with_evidence(size: int) -> None:
    """The error names the tiles and both roots, and carries the tiles."""
    contents = {tile: content(tile) for tile in edge_objects(size)}
    with pytest.raises(TileError, match=f"right edge gives root .* the tree of size {size} has {'5a' * 32}") as caught:
        parse_edge(TreeHead(size, Hash(b"\x5a" * 32)), contents)
    assert caught.value.evidence == {t.path: data for t, data in contents.items() if t.level != ENTRIES}


def test_a_bundle_of_other_entries_is_refused_with_evidence() -> None:
    """Entries that do not have the tile's leaf hashes: the error names the bundle and carries both."""
    bundle, tile = Tile(ENTRIES, 0, 2), Tile(0, 0, 2)
    contents = {tile: content(tile), bundle: encode_entries([b"0", b"2"])}
    with pytest.raises(TileError, match=r"tile/entries/000\.p/2: its entries do not have the leaf hashes of") as caught:
        parse_edge(tree().head(2), contents)
    assert caught.value.evidence == {t.path: data for t, data in contents.items()}
    assert caught.value.path == bundle.path


def test_the_empty_edge() -> None:
    """The empty tree has no edge, and one root."""
    assert edge_objects(0) == []
    assert parse_edge(EMPTY_TREE, {}) == EMPTY_EDGE
    assert EMPTY_EDGE.tree == EMPTY_TREE
    assert EMPTY_EDGE.tiles() == {}
    with pytest.raises(TileError, match="the empty tree: the right edge gives root"):
        parse_edge(TreeHead(0, OTHER_LEAF), {})


@settings(deadline=None)
@given(st.integers(1, 1000), st.data())
def test_an_edge_is_a_value_or_our_error(size: int, data: st.DataObject) -> None:
    """Arbitrary bytes in the place of the edge give our error, whatever they are."""
    contents: Mapping[Tile, bytes] = {
        tile: data.draw(st.binary(min_size=tile.width * 32, max_size=tile.width * 32) | st.binary())
        if tile.width < 20
        else data.draw(st.binary())
        for tile in edge_objects(size)
    }
    try:
        found = parse_edge(TreeHead(size, Hash(b"\x5a" * 32)), contents)
    except TilesError:
        return
    raise AssertionError(f"a root was guessed: {found}")
