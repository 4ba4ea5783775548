"""Reading what somebody else may have written: nothing is believed that does not lead to the root."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.support.reference import Tree, flipped, full_tree, printed_random
from tests.support.sampling import one_in, quickly
from tiles.errors import TileError, UsageError
from tiles.tree.bundle import encode_entries
from tiles.tree.layout import ENTRIES, Tile, edge_tiles
from tiles.tree.merkle import Hash, fold_right, node_root
from tiles.tree.places import entry_tiles
from tiles.tree.proof import Node
from tiles.tree.reader import TreeReader, cut, cut_from_larger
from tiles.tree.tile import parse_tile

SMALL = full_tree(1100)
BIG = Tree({i: Hash(bytes([i]) * 32) for i in range(70)} | {65_600: Hash(b"a" * 32), 69_999: Hash(b"b" * 32)})
BIG_SIZE = 70_000  # full tiles 0/0 to 0/272 and 1/0; the edge is 0/273 (112 wide), 1/1 (17 wide), 2/0 (1 wide)


def with_byte_changed(contents: Mapping[Tile, bytes], tile: Tile, at: int, bit: int) -> dict[Tile, bytes]:
    """Return the tiles with one bit of one byte changed."""
    return {**contents, tile: flipped(contents[tile], at * 8 + bit)}


@pytest.mark.parametrize(("size", "n"), [(1, 1), (100, 4), (300, 8), *quickly([(100, 1), (300, 1)], [])])
def test_any_byte_of_any_tile(size: int, n: int) -> None:
    """Small trees: any byte of any tile (one in n) changed makes `accept` fail and name that tile."""
    rng = printed_random()
    contents = SMALL.read(entry_tiles(0, size))
    for tile, data in contents.items():
        for at in one_in(n, range(len(data))):
            refuse(TreeReader(SMALL.head(size)), with_byte_changed(contents, tile, at, rng.randrange(8)), tile)


@pytest.mark.parametrize(
    ("size", "index"), quickly([(BIG_SIZE, 0), (BIG_SIZE, 65_600), (2**40 + 65_537, 2**39)], [(BIG_SIZE, 65_600)])
)
def test_any_hash_of_any_tile(size: int, index: int) -> None:
    """Larger trees: a byte of any hash of any tile changed, two hashes swapped: `accept` fails and names that tile."""
    rng = printed_random()
    tree = Tree({index: Hash(b"x" * 32), size - 1: Hash(b"y" * 32)})
    contents = tree.read(entry_tiles(index, size))
    known = TreeReader(tree.head(size))
    known.accept(tree.read(edge_tiles(size)))
    for tile, data in contents.items():
        for start in range(0, len(data), 32):
            changed = with_byte_changed(contents, tile, start + rng.randrange(32), rng.randrange(8))
            refuse(TreeReader(tree.head(size)), changed, tile)
            swapped = data[:start] + data[start + 32 : start + 64] + data[start : start + 32] + data[start + 64 :]
            if swapped != data:
                refuse(TreeReader(tree.head(size)), {**contents, tile: swapped}, tile)
        if not tile.is_full:
            refuse(known, {tile: flipped(data, 9)}, tile)


def refuse(reader: TreeReader, contents: dict[Tile, bytes], bad: Tile) -> None:
    """Hold the rule: a TileError that names the bad tile, or for the edge all tiles of it that were given."""
    named = ", ".join(tile.path for tile in edge_tiles(reader.tree.size) if tile in contents)
    with pytest.raises(TileError) as caught:
        reader.accept(contents)
    assert caught.value.path == (bad.path if bad.is_full else named)
    evidence = caught.value.evidence
    assert evidence[bad.path] == contents[bad]
    assert evidence["expected"] != evidence["computed"]
    if bad.is_full:
        assert bad in reader.wanted([first_node(bad)])


def first_node(tile: Tile) -> Node:
    """Return the node that is a tile's first hash."""
    return Node(8 * tile.level, 256 * tile.index)


def test_evidence_of_a_full_tile() -> None:
    """The evidence can be recomputed by anyone: the tile's bytes, what they hash to, what the parent says."""
    contents = with_byte_changed(BIG.read(entry_tiles(300, BIG_SIZE)), Tile(0, 1), 40, 3)
    with pytest.raises(TileError, match="tile/1/000 says") as caught:
        TreeReader(BIG.head(BIG_SIZE)).accept(contents)
    evidence = caught.value.evidence
    assert set(evidence) == {"expected", "computed", "tile/0/001"}
    assert evidence["computed"] == node_root(parse_tile(evidence["tile/0/001"], 256))
    assert evidence["expected"] == BIG.mth(range(256, 512))
    assert evidence["expected"].hex() in caught.value.problem
    assert evidence["computed"].hex() in caught.value.problem


def test_evidence_of_the_edge() -> None:
    """The evidence of a wrong edge has all its tiles, the root expected and the root computed."""
    contents = with_byte_changed(SMALL.read(edge_tiles(257)), Tile(1, 0, 1), 0, 0)
    with pytest.raises(TileError, match="does not lead to the root of the tree of size 257") as caught:
        TreeReader(SMALL.head(257)).accept(contents)
    assert caught.value.path == "tile/0/001.p/1, tile/1/000.p/1"
    assert caught.value.evidence == {
        "expected": SMALL.head(257).root,
        "computed": fold_right([Hash(contents[Tile(1, 0, 1)]), Hash(contents[Tile(0, 1, 1)])]),
        **{tile.path: data for tile, data in contents.items()},
    }


def test_what_did_not_verify_is_not_kept() -> None:
    """After a failure the parents that verified are known, the bad tile and its children are not."""
    nodes = [Node(0, 300)]
    contents = BIG.read(entry_tiles(300, BIG_SIZE))
    reader = TreeReader(BIG.head(BIG_SIZE))
    with pytest.raises(TileError, match=r"^tile/1/000: "):
        reader.accept(with_byte_changed(contents, Tile(1, 0), 8000, 7))
    assert reader.edge() == []
    assert reader.wanted(nodes) == [Tile(1, 0), Tile(0, 1)]
    for node in (Node(8, 0), Node(0, 300)):
        with pytest.raises(UsageError, match="is not known"):
            reader.hash(node)
    reader.accept({tile: contents[tile] for tile in reader.wanted(nodes)})
    assert reader.hash(Node(0, 300)) == BIG.leaf(300)


def test_a_wrong_edge_is_not_kept() -> None:
    """A wrong edge leaves nothing behind, and the right one is accepted afterwards."""
    reader = TreeReader(BIG.head(BIG_SIZE))
    contents = BIG.read(reader.wanted([Node(0, 0)]))
    with pytest.raises(TileError):
        reader.accept(with_byte_changed(contents, Tile(2, 0, 1), 31, 0))
    assert reader.wanted([Node(0, 0)]) == list(contents)
    reader.accept(contents)
    assert reader.hash(Node(0, 0)) == BIG.leaf(0)


def test_a_known_tile_is_not_replaced() -> None:
    """A tile that is known stays what it is when a changed copy comes, and the changed copy is refused."""
    contents = BIG.read(entry_tiles(300, BIG_SIZE))
    reader = TreeReader(BIG.head(BIG_SIZE))
    reader.accept(contents)
    for tile, data in contents.items():
        reader.accept({tile: data})  # again: nothing happens
        with pytest.raises(TileError):
            reader.accept({tile: flipped(data, 0)})
    for tile in contents:
        assert reader.hash(first_node(tile)) == contents[tile][:32]


def test_a_consistent_lie_is_refused() -> None:
    """Tiles that agree with each other and belong to another tree are refused at the edge, or at their parent."""
    other = Tree(BIG.leaves | {300: Hash(b"!" * 32)})
    tiles = entry_tiles(300, BIG_SIZE)
    with pytest.raises(TileError, match="right edge"):
        TreeReader(BIG.head(BIG_SIZE)).accept(other.read(tiles))
    edge = BIG.read(edge_tiles(BIG_SIZE))
    with pytest.raises(TileError, match=r"^tile/1/000: "):
        TreeReader(BIG.head(BIG_SIZE)).accept(other.read(tiles) | edge)
    with pytest.raises(TileError, match="right edge"):
        TreeReader(BIG.head(BIG_SIZE - 1)).accept(other.read(edge_tiles(BIG_SIZE - 1)))


def test_a_tile_of_another_place_is_refused() -> None:
    """A tile served in place of its neighbour is refused, though it is a tile of this very tree."""
    contents = SMALL.read(entry_tiles(0, 1100)) | SMALL.read([Tile(0, 1)])
    contents[Tile(0, 0)], contents[Tile(0, 1)] = contents[Tile(0, 1)], contents[Tile(0, 0)]
    with pytest.raises(TileError, match=r"^tile/0/000: "):
        TreeReader(SMALL.head(1100)).accept(contents)


@pytest.mark.parametrize("change", [b"", b"short", b"\x00" * 31, b"\x00" * 8191, b"\x00" * 8193, b"\x00" * 16384])
@pytest.mark.parametrize("tile", entry_tiles(0, 300), ids=lambda tile: tile.path)
def test_a_tile_of_another_length_is_refused(tile: Tile, change: bytes) -> None:
    """A tile is exactly 32 bytes per hash; nothing is believed of a call with one that is not."""
    reader = TreeReader(SMALL.head(300))
    contents = SMALL.read(entry_tiles(0, 300))
    with pytest.raises(TileError, match=f"{len(change)} bytes instead of {32 * tile.width}") as caught:
        reader.accept({**contents, tile: change})
    assert caught.value.path == tile.path
    assert caught.value.evidence == {tile.path: change}
    assert reader.wanted([Node(0, 0)]) == list(contents)


def test_a_full_tile_in_place_of_a_partial_one() -> None:
    """Where the partial tile is gone, the beginning of the full one does; uncut it is refused."""
    partial = Tile(0, 1, 44)
    full = SMALL.tile(Tile(0, 1))
    assert cut(partial, full) == SMALL.tile(partial)
    reader = TreeReader(SMALL.head(300))
    contents = SMALL.read(edge_tiles(300))
    with pytest.raises(TileError, match="8192 bytes instead of 1408"):
        reader.accept(contents | {partial: full})
    reader.accept(contents | {partial: cut(partial, full)})
    assert reader.hash(Node(0, 299)) == SMALL.leaf(299)
    assert cut(Tile(0, 1), full) == full


@pytest.mark.parametrize("length", [0, 44 * 32, 8191, 8193])
def test_cut_needs_a_full_tile(length: int) -> None:
    """What is at the full tile's path has the length of a full tile, or is refused under that path."""
    with pytest.raises(TileError, match=f"{length} bytes instead of 8192") as caught:
        cut(Tile(0, 1, 44), bytes(length))
    assert caught.value.path == "tile/0/001"


# ---- wrong calls


def reader_of_300() -> TreeReader:
    """Return a reader that believes all tiles of the tree of 300."""
    reader = TreeReader(SMALL.head(300))
    reader.accept(SMALL.read(reader.wanted([Node(0, 0), Node(0, 299)])))
    return reader


def test_a_part_of_the_edge_is_a_wrong_call() -> None:
    """The edge is checked as a whole: with a part of it missing there is nothing to check it against."""
    contents = BIG.read(edge_tiles(BIG_SIZE))
    for missing in contents:
        reader = TreeReader(BIG.head(BIG_SIZE))
        with pytest.raises(UsageError, match=f"without {missing.path}$"):
            reader.accept({tile: data for tile, data in contents.items() if tile != missing})
        assert reader.edge() == list(contents)


def test_a_tile_without_its_parent_is_a_wrong_call() -> None:
    """Nothing is believed before its parent, and a wrong call leaves nothing behind."""
    reader = TreeReader(BIG.head(BIG_SIZE))
    edge = BIG.read(edge_tiles(BIG_SIZE))
    with pytest.raises(UsageError, match=r"^tile/0/000 cannot be checked without tile/1/000$"):
        reader.accept(edge | BIG.read([Tile(0, 0)]))
    with pytest.raises(UsageError, match=r"^tile/1/000 cannot be checked without tile/2/000\.p/1$"):
        reader.accept(BIG.read([Tile(1, 0), Tile(0, 0)]))
    assert reader.edge() == list(edge)


@pytest.mark.parametrize(
    "tile",
    [
        *[Tile(0, 1), Tile(0, 1, 43), Tile(0, 1, 45), Tile(0, 0, 44), Tile(0, 2), Tile(1, 0), Tile(1, 0, 2)],
        *[Tile(2, 0, 1), Tile(ENTRIES, 0), Tile(ENTRIES, 1, 44)],
    ],
    ids=lambda tile: tile.path,
)
def test_tiles_that_the_tree_does_not_have(tile: Tile) -> None:
    """A tree of 300 has tiles 0/0, 0/1 (44 wide) and 1/0 (1 wide); giving it others, or bundles, is a wrong call."""
    reader = TreeReader(SMALL.head(300))
    with pytest.raises(UsageError):
        reader.accept(SMALL.read(edge_tiles(300)) | {tile: bytes(32 * tile.width)})
    assert reader.edge()


@pytest.mark.parametrize("node", [Node(0, 300), Node(8, 1), Node(9, 0), Node(2, 75), Node(64, 0)])
def test_nodes_that_are_not_complete(node: Node) -> None:
    """A node that is not a complete subtree of this tree has no hash in it."""
    reader = reader_of_300()
    for call in (reader.hash, lambda node: reader.wanted([node])):
        with pytest.raises(UsageError, match="is not in a tree of size 300"):
            call(node)


def test_hashes_of_unknown_tiles() -> None:
    """Nothing is answered from a tile that was not accepted, of the edge or below it."""
    reader = TreeReader(SMALL.head(300))
    for node in (Node(0, 299), Node(8, 0), Node(0, 0)):
        with pytest.raises(UsageError, match="is not known"):
            reader.hash(node)
    with pytest.raises(UsageError, match="is not known"):
        reader.leaf_hashes(Tile(ENTRIES, 1, 44))


@pytest.mark.parametrize("bundle", [Tile(ENTRIES, 1), Tile(ENTRIES, 1, 43), Tile(1, 0, 1), Tile(1, 1, 44), Tile(0, 2)])
def test_leaf_hashes_of_what_is_no_bundle(bundle: Tile) -> None:
    """Only a bundle or level-0 tile as this tree has it has leaf hashes."""
    reader = reader_of_300()
    with pytest.raises(UsageError):
        reader.leaf_hashes(bundle)


def test_cutting_bundles() -> None:
    """A bundle is cut by entries, and only from one of 256 entries; a larger one that is damaged may hold enough."""
    entries = [b"%d" % number for number in range(256)]
    partial = Tile(ENTRIES, 1, 44)
    assert cut(partial, encode_entries(entries)) == encode_entries(entries[:44])
    for wrong in (b"", encode_entries(entries[:255]), encode_entries(entries) + b"\0\0", b"\0"):
        with pytest.raises(TileError):
            cut(partial, wrong)
    assert cut_from_larger(partial, encode_entries(entries[:45])) == encode_entries(entries[:44])
    assert cut_from_larger(partial, encode_entries(entries[:43])) is None
    assert cut_from_larger(partial, b"\0") is None
    assert cut_from_larger(Tile(0, 1, 2), bytes(64)) == bytes(64)
    assert cut_from_larger(Tile(0, 1, 3), bytes(64)) is None


def test_entries_out_of_range() -> None:
    """An entry that the tree does not have has no tiles."""
    for index in (-1, 300):
        with pytest.raises(UsageError, match="no entry"):
            entry_tiles(index, 300)
