"""The reading plan: which tiles are fetched, what is answered from them, and how long they are kept."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.reference import Tree, flipped, full_tree, printed_random
from tiles.errors import TileError, UsageError
from tiles.tree.layout import ENTRIES, Tile, edge_tiles, tile_at, tiles_of
from tiles.tree.merkle import EMPTY_ROOT, EMPTY_TREE, MAX_TREE_SIZE, Hash, TreeHead
from tiles.tree.places import entry_tiles
from tiles.tree.proof import Node, build_proof, consistency_nodes, inclusion_nodes, verify_consistency, verify_inclusion
from tiles.tree.reader import TreeReader

SMALL = full_tree(1100)
BIG = Tree({i: Hash(bytes([i]) * 32) for i in range(70)} | {65_600: Hash(b"a" * 32), 69_999: Hash(b"b" * 32)})
BIG_SIZE = 70_000  # full tiles 0/0 to 0/272 and 1/0; the edge is 0/273 (112 wide), 1/1 (17 wide), 2/0 (1 wide)
SIZES = [1, 2, 255, 256, 257, 300, 511, 512, 65_535, 65_536, 65_537, BIG_SIZE]
SIZES += [256**k + d for k in (3, 4, 5, 7) for d in (-1, 0, 1, 12_345)] + [100_000_000, MAX_TREE_SIZE]


def entry_nodes(index: int, size: int) -> list[Node]:
    """Return the nodes of an entry and of its inclusion proof."""
    return [Node(0, index), *(node for part in inclusion_nodes(index, size) for node in part)]


def fed(tree: Tree, size: int, nodes: Sequence[Node], max_full_tiles: int = 1024) -> TreeReader:
    """Return a reader that believes the tiles of `nodes`."""
    reader = TreeReader(tree.head(size), max_full_tiles=max_full_tiles)
    reader.accept(tree.read(reader.wanted(nodes)))
    return reader


def nodes_of(tile: Tile) -> list[Node]:
    """Return the nodes that are the hashes of a tile."""
    return [Node(8 * tile.level, tile.index * 256 + position) for position in range(tile.width)]


def sampled_indexes(size: int, rng: random.Random) -> list[int]:
    """Return the first and the last entry, entries at the edge's ends, and some anywhere."""
    ends = {(size >> 8 * level) - 1 << 8 * level for level in range(8)} | {size - 1, 0, size // 2}
    return sorted({index for index in ends | {rng.randrange(size) for _ in range(3)} if 0 <= index < size})


# ---- the plan


@pytest.mark.parametrize("size", SIZES)
def test_an_inclusion_proof_from_wanted_tiles_alone(size: int) -> None:
    """The tiles that `wanted` says are enough for the leaf hash and its proof, at any size."""
    rng = printed_random()
    for index in sampled_indexes(size, rng):
        tree = Tree({index: Hash(rng.randbytes(32)), size - 1: Hash(rng.randbytes(32))})
        reader = fed(tree, size, entry_nodes(index, size))
        assert reader.hash(Node(0, index)) == tree.leaf(index)
        verify_inclusion(tree.leaf(index), index, reader.tree, build_proof(inclusion_nodes(index, size), reader.hash))


@pytest.mark.parametrize("size", SIZES)
def test_the_path_of_an_entry_has_its_inclusion_proof(size: int) -> None:
    """What `inclusion` returns is what the nodes of the proof make, once the tiles of the `path` are known."""
    rng = printed_random()
    for index in sampled_indexes(size, rng):
        tree = Tree({index: Hash(rng.randbytes(32)), size - 1: Hash(rng.randbytes(32))})
        reader = TreeReader(tree.head(size))
        assert reader.inclusion(index) is None
        assert set(reader.wanted(reader.path(index))) == set(entry_tiles(index, size))
        reader.accept(tree.read(reader.wanted(reader.path(index))))
        proof = build_proof(inclusion_nodes(index, size), fed(tree, size, entry_nodes(index, size)).hash)
        assert reader.inclusion(index) == (tree.leaf(index), proof)
    for index in (-1, size):
        with pytest.raises(UsageError, match="has no entry"):
            reader.inclusion(index)
        with pytest.raises(UsageError, match="has no entry"):
            reader.path(index)


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 257, 300])
def test_every_entry_of_small_trees(size: int) -> None:
    """Also where the edge is all that there is."""
    reader = TreeReader(SMALL.head(size))
    for index in range(size):
        reader.accept(SMALL.read(reader.wanted(reader.path(index))))
        found = reader.inclusion(index)
        assert found is not None
        verify_inclusion(SMALL.leaf(index), index, reader.tree, found[1])
        assert found[0] == SMALL.leaf(index)


def test_a_path_wants_a_parent_again() -> None:
    """A proof takes hashes of the parent, which may have been dropped while its child was kept."""
    reader = fed(BIG, BIG_SIZE, [Node(0, 0)], max_full_tiles=2)
    reader.wanted([])
    reader.accept(BIG.read([Tile(0, 256)]))
    assert reader.inclusion(0) is None
    assert reader.wanted(reader.path(0)) == [Tile(1, 0)]


@pytest.mark.parametrize("size", SIZES)
def test_a_proof_needs_at_most_a_tile_per_level_beyond_the_edge(size: int) -> None:
    """At most ⌈log₂₅₆ N⌉ full tiles beyond the edge: one chain from the entry's tile upwards, each tile once."""
    rng = printed_random()
    bound = next(levels for levels in range(9) if 256**levels >= size)
    for index in sampled_indexes(size, rng):
        tiles = TreeReader(BIG.head(size)).wanted(entry_nodes(index, size))
        edge, full = tiles[: len(edge_tiles(size))], tiles[len(edge_tiles(size)) :]
        assert edge == edge_tiles(size)
        assert len(full) <= bound
        assert full == [Tile(level, index >> 8 * level + 8) for level in reversed(range(len(full)))]
        assert tiles == entry_tiles(index, size)


@pytest.mark.parametrize("size", [300, 65_537, BIG_SIZE, 256**3 + 12_345])
def test_no_wanted_tile_is_superfluous(size: int) -> None:
    """Without any one of the tiles that `wanted` says, the proof cannot be believed: a wrong call, not a hash."""
    for index in (0, size // 2, size - 1):
        nodes = entry_nodes(index, size)
        contents = BIG.read(TreeReader(BIG.head(size)).wanted(nodes))
        for left_out in contents:
            reader = TreeReader(BIG.head(size))
            with pytest.raises(UsageError):
                [reader.accept({k: v for k, v in contents.items() if k != left_out}), *map(reader.hash, nodes)]
            assert left_out in reader.wanted(nodes)


@pytest.mark.parametrize("new", [1, 255, 256, 257, 700, 1025])
def test_consistency_from_the_new_tree_alone(new: int) -> None:
    """A client that knows the old root proves the growth from the new tree's tiles."""
    for old in range(1, new + 1, 1 if new < 300 else 13):
        parts = consistency_nodes(old, new)
        reader = fed(SMALL, new, [node for part in parts for node in part])
        verify_consistency(SMALL.head(old), reader.tree, build_proof(parts, reader.hash))


@pytest.mark.parametrize(
    ("old", "new"), [(70_000, 2**40 + 5), (65_536, 65_537), (2**40, 2**40 + 1), (1, MAX_TREE_SIZE)]
)
def test_consistency_of_large_trees(old: int, new: int) -> None:
    """The same at sizes nobody can hold, from a few tiles."""
    tree = Tree({0: Hash(b"0" * 32), old - 1: Hash(b"1" * 32), new - 1: Hash(b"2" * 32)})
    parts = consistency_nodes(old, new)
    reader = fed(tree, new, [node for part in parts for node in part])
    verify_consistency(tree.head(old), reader.tree, build_proof(parts, reader.hash))


def test_the_edge_is_wanted_first_and_once() -> None:
    """The edge is asked for until it is known; what is known is not asked for again, what is below it is."""
    reader = TreeReader(BIG.head(BIG_SIZE))
    assert reader.edge() == edge_tiles(BIG_SIZE) == reader.wanted([])
    reader.accept(BIG.read(reader.edge()))
    assert reader.edge() == reader.wanted([]) == []
    assert reader.wanted([Node(0, 5)]) == [Tile(1, 0), Tile(0, 0)]
    reader.accept(BIG.read([Tile(1, 0)]))
    nodes = [Node(0, 5), Node(3, 1), Node(0, 300), Node(8, 4), Node(0, 69_999)]
    assert reader.wanted(nodes) == [Tile(0, 0), Tile(0, 1)]


def test_parents_come_before_children() -> None:
    """In any plan a tile's parent comes earlier, or is known."""
    plan = TreeReader(BIG.head(BIG_SIZE)).wanted(Node(0, index) for index in range(0, BIG_SIZE, 700))
    for at, tile in enumerate(plan):
        if tile.is_full:
            level, index, _ = tile.parent
            assert tile_at(BIG_SIZE, level, index) in plan[:at]
    assert len(plan) == len(set(plan))


@pytest.mark.parametrize("size", [256, 512, 65_536, 2 * 65_536])
def test_levels_of_full_tiles_only_have_no_edge(size: int) -> None:
    """Where the last tile of a level is full, the level is not of the edge; it is read like any other."""
    reader = TreeReader(BIG.head(size))
    assert [tile.level for tile in reader.edge()] == [1 if size < 65_536 else 2]
    reader.accept(BIG.read(reader.wanted(entry_nodes(size - 1, size))))
    assert reader.hash(Node(0, size - 1)) == BIG.leaf(size - 1)


@pytest.mark.parametrize("size", [1, 300, 512, 1025])
def test_every_node_of_a_tree(size: int) -> None:
    """`hash` is right for every complete subtree, whatever its height."""
    nodes = [Node(height, index) for height in range(size.bit_length()) for index in range(size >> height)]
    reader = fed(SMALL, size, nodes)
    for node in nodes:
        assert reader.hash(node) == SMALL.mth(range(node.index << node.height, node.end))


@pytest.mark.parametrize("size", [1, 255, 256, 300, 1025])
def test_leaf_hashes_of_every_bundle(size: int) -> None:
    """`leaf_hashes` has the leaf hashes of a bundle's entries, by the bundle or by the tile at its place."""
    reader = fed(SMALL, size, [Node(0, index) for index in range(size)])
    found: list[Hash] = []
    for bundle in tiles_of(size, ENTRIES):
        found += reader.leaf_hashes(bundle)
        assert reader.leaf_hashes(bundle) == reader.leaf_hashes(Tile(0, bundle.index, bundle.width))
    assert found == [SMALL.leaf(index) for index in range(size)]


def test_the_empty_tree() -> None:
    """An empty tree has nothing to read, and one root only."""
    reader = TreeReader(EMPTY_TREE)
    assert reader.edge() == reader.wanted([]) == []
    reader.accept({})
    with pytest.raises(TileError, match=r"^checkpoint: ") as caught:
        TreeReader(TreeHead(0, Hash(bytes(32))))
    assert caught.value.evidence == {"expected": EMPTY_ROOT, "computed": bytes(32)}


# ---- any order, any combination, flat memory


@settings(max_examples=30)
@given(st.data())
def test_any_order_and_combination(data: st.DataObject) -> None:
    """However the tiles come, cut into whatever calls, the same hashes are known at the end and never a wrong one."""
    size = data.draw(st.sampled_from([300, 1025, 1100]))
    contents = SMALL.read([tile for level in range(2) for tile in tiles_of(size, level)])
    reader = TreeReader(SMALL.head(size))
    for _ in range(data.draw(st.integers(0, 6))):
        chosen = data.draw(st.permutations(sorted(contents)))[: data.draw(st.integers(0, len(contents)))]
        given_ = {tile: contents[tile] for tile in chosen}
        if chosen and data.draw(st.booleans()):
            given_[chosen[0]] = flipped(given_[chosen[0]], data.draw(st.integers(0, 255)))
        try:
            reader.accept(given_)
        except UsageError:
            assert reader.edge()
        except TileError as error:
            assert chosen[0].path in error.path.split(", ")  # noqa: PT017
        for tile in contents:
            if tile not in reader.wanted(nodes_of(tile)):
                assert b"".join(map(reader.hash, nodes_of(tile))) == contents[tile]
    for tile in sorted(contents):
        reader.accept({other: contents[other] for other in reader.wanted(nodes_of(tile))})
        assert b"".join(map(reader.hash, nodes_of(tile))) == contents[tile]


def test_buffers_are_copied() -> None:
    """What was believed does not change when the caller's buffer does."""
    contents = {tile: bytearray(data) for tile, data in SMALL.read(edge_tiles(300)).items()}
    reader = TreeReader(SMALL.head(300))
    reader.accept(contents)  # type: ignore[arg-type]
    for buffer in contents.values():
        buffer[:] = bytes(len(buffer))
    assert reader.hash(Node(0, 299)) == SMALL.leaf(299)


@pytest.mark.slow
def test_memory_stays_flat() -> None:
    """A reader keeps as many full tiles as its cap, the last used ones, and never forgets the edge."""
    reader = TreeReader(BIG.head(BIG_SIZE), max_full_tiles=8)
    for index in range(30):
        reader.accept(BIG.read(reader.wanted([Node(0, index * 256)])))
        assert reader.hash(Node(0, index * 256)) == BIG.leaf(index * 256)
        assert len(known(reader)) <= 8
    assert known(reader) == {Tile(1, 0), *(Tile(0, index) for index in range(23, 30))}
    assert reader.edge() == []


def known(reader: TreeReader) -> set[Tile]:
    """Return the full tiles that a reader of BIG does not want again."""
    every = [Tile(1, 0), *(Tile(0, index) for index in range(273))]
    return set(every) - set(reader.wanted(nodes_of(tile)[0] for tile in every))


def test_one_batch_may_exceed_the_cap() -> None:
    """What one `wanted` asked for can all be used after it was accepted, in one call or one by one."""
    nodes = [Node(0, index) for index in range(0, 256 * 20, 256)]
    for at_once in (True, False):
        reader = TreeReader(BIG.head(BIG_SIZE), max_full_tiles=4)
        reader.accept(BIG.read(reader.wanted([Node(0, 256)])))
        plan = BIG.read(reader.wanted(nodes))
        for part in [plan] if at_once else [{tile: data} for tile, data in plan.items()]:
            reader.accept(part)
        assert [reader.hash(node) for node in nodes] == [BIG.leaf(node.index) for node in nodes]


def test_a_batch_nobody_asked_for_may_exceed_the_cap() -> None:
    """What one `accept` was given can all be used until the next."""
    reader = TreeReader(BIG.head(BIG_SIZE), max_full_tiles=4)
    reader.accept(BIG.read(edge_tiles(BIG_SIZE)))
    reader.accept(BIG.read([Tile(1, 0), *(Tile(0, index) for index in range(20))]))
    for index in range(20):
        assert reader.leaf_hashes(Tile(ENTRIES, index))[0] == BIG.leaf(index * 256)
    reader.accept(BIG.read([Tile(0, 30)]))
    assert len(known(reader)) <= 4


@pytest.mark.parametrize(
    "use",
    [
        lambda reader: reader.hash(Node(0, 0)),
        lambda reader: reader.leaf_hashes(Tile(ENTRIES, 0)),
        lambda reader: reader.wanted([Node(0, 0)]),
        lambda reader: reader.inclusion(0),
    ],
    ids=["hash", "leaf_hashes", "wanted", "inclusion"],
)
def test_use_keeps_a_tile(use: Callable[[TreeReader], object]) -> None:
    """The tile that goes is the one least recently used."""
    reader = fed(BIG, BIG_SIZE, [Node(0, 0), Node(0, 256), Node(0, 512)], max_full_tiles=4)
    use(reader)
    reader.wanted([])
    reader.accept(BIG.read([Tile(0, 3)]))
    assert known(reader) == {Tile(1, 0), Tile(0, 0), Tile(0, 2), Tile(0, 3)}


def test_children_keep_their_parent() -> None:
    """A parent is used by each child that is accepted, so a long row of children never loses it."""
    reader = fed(BIG, BIG_SIZE, [Node(8, 0)], max_full_tiles=4)
    for index in range(10):
        reader.accept(BIG.read([Tile(0, index)]))
    assert Tile(1, 0) in known(reader)


def test_a_known_tile_needs_its_parent_no_more() -> None:
    """A tile that is known is not checked again, so a parent that was dropped is not fetched for it."""
    reader = fed(BIG, BIG_SIZE, [Node(0, 0)], max_full_tiles=2)
    reader.wanted([])
    reader.accept(BIG.read([Tile(0, 256)]))
    assert reader.wanted([Node(8, 0)]) == [Tile(1, 0)]
    assert reader.wanted([Node(0, 0)]) == []
