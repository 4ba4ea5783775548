"""Inclusion and consistency proofs: built and verified as the RFC's recursive definitions say, at every size."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import FrozenInstanceError
from itertools import pairwise

import pytest

from tests.support.reference import Tree, full_tree, itself, path, printed_random, proof, split
from tests.support.sampling import quickly
from tiles.errors import ProofError, UsageError
from tiles.tree.merkle import MAX_TREE_SIZE, Hash, fold_right
from tiles.tree.proof import (
    Node,
    build_proof,
    consistency_nodes,
    inclusion_nodes,
    root_nodes,
    verify_consistency,
    verify_inclusion,
)

TREE = full_tree(301)
EARLY, LATE = range(1, 101), range(250, 260)  # sizes; a tile becomes full at 256
BLOCKS = quickly([EARLY, range(101, 200), range(200, 250), LATE, range(260, 301)], [EARLY, LATE])  # every size to 300
LARGE = [2**k + d for k in (8, 16, 24, 32, 40, 62) for d in range(-3, 4)]
LARGE += [70_000, 10**12, MAX_TREE_SIZE - 1, MAX_TREE_SIZE]
HASH = Hash(b"\x5a" * 32)


def hash_of(tree: Tree) -> Callable[[Node], Hash]:
    """Return what finds a node's hash in the oracle."""
    return lambda node: tree.mth(range(node.index << node.height, node.end))


def entries(nodes: Sequence[Node]) -> range:
    """Return the entries under neighbouring nodes; fails if they are not complete subtrees of falling size in a row."""
    for left, right in pairwise(nodes):
        assert left.height > right.height
        assert left.end == right.index << right.height
    return range(nodes[0].index << nodes[0].height, nodes[-1].end)


def indexes(size: int, rng: random.Random) -> set[int]:
    """Return entries of a large tree: the ends, both sides of each split on the right edge, and some anywhere."""
    chosen = {0, 1, size - 2, size - 1} | {rng.randrange(size) for _ in range(8)}
    start = 0
    while size - start > 1:
        start += split(size - start)
        chosen |= {start - 1, start}
    return {index for index in chosen if 0 <= index < size}


@pytest.mark.parametrize("sizes", BLOCKS, ids=str)
def test_every_inclusion_proof(sizes: range) -> None:
    """Every entry of every tree to 300: the proof is PATH(m, D[n]), and it verifies."""
    for size in sizes:
        head = TREE.head(size)
        for index in range(size):
            built = build_proof(inclusion_nodes(index, size), hash_of(TREE))
            assert list(built) == TREE.path(index, size)
            verify_inclusion(TREE.leaf(index), index, head, built)


@pytest.mark.parametrize("sizes", BLOCKS, ids=str)
def test_every_consistency_proof(sizes: range) -> None:
    """Every old size of every tree to 300: the proof is PROOF(m, D[n]), and it verifies."""
    for new in sizes:
        head = TREE.head(new)
        for old in range(1, new + 1):
            built = build_proof(consistency_nodes(old, new), hash_of(TREE))
            assert list(built) == TREE.proof(old, new)
            verify_consistency(TREE.head(old), head, built)


def test_every_root() -> None:
    """Every tree to 300: the fold of `root_nodes` is its root; the empty tree has none."""
    assert root_nodes(0) == ()
    for size in range(1, 301):
        assert entries(root_nodes(size)) == range(size)
        assert fold_right([hash_of(TREE)(node) for node in root_nodes(size)]) == TREE.head(size).root


@pytest.mark.parametrize("size", LARGE)
def test_nodes_of_large_trees(size: int) -> None:
    """Trees around 256, 65,536 … 2^40 and the largest: each proof hash is over the entries that the RFC says."""
    rng = printed_random()
    assert entries(root_nodes(size)) == range(size)
    for index in indexes(size, rng):
        assert [entries(part) for part in inclusion_nodes(index, size)] == path(index, range(size), itself)
        assert [entries(part) for part in consistency_nodes(index + 1, size)] == proof(index + 1, range(size), itself)


@pytest.mark.parametrize("size", quickly(LARGE, LARGE[::3]))
def test_proofs_of_large_trees_verify(size: int) -> None:
    """Trees around 256, 65,536 … 2^40 and the largest: proofs verify, and are refused for the neighbouring entry."""
    rng = printed_random()
    for index in indexes(size, rng):
        tree = Tree({index: HASH})
        head = tree.head(size)
        built = build_proof(inclusion_nodes(index, size), hash_of(tree))
        verify_inclusion(HASH, index, head, built)
        for wrong in (index - 1, index + 1):
            with pytest.raises(ProofError):
                verify_inclusion(HASH, wrong, head, built)
        old = tree.head(index + 1)
        verify_consistency(old, head, build_proof(consistency_nodes(old.size, size), hash_of(tree)))


@pytest.mark.parametrize("size", [0, 1, 2, 7, 300, MAX_TREE_SIZE])
def test_consistency_proofs_without_hashes(size: int) -> None:
    """From the empty tree, and from a tree to itself, there is nothing to prove."""
    assert consistency_nodes(0, size) == consistency_nodes(size, size) == []
    assert build_proof([], hash_of(TREE)) == ()


@pytest.mark.parametrize("size", [-1, MAX_TREE_SIZE + 1])
def test_sizes_out_of_range_are_wrong_calls(size: int) -> None:
    """A tree has 0 to MAX_TREE_SIZE entries."""
    for call in (root_nodes, lambda size: inclusion_nodes(0, size), lambda size: consistency_nodes(1, size)):
        with pytest.raises(UsageError, match="tree size"):
            call(size)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (300, 300), (2**63, 5)])
def test_inclusion_nodes_need_an_entry_of_the_tree(index: int, size: int) -> None:
    """There is no proof to build for an entry that the tree does not have."""
    with pytest.raises(UsageError, match=f"no entry {index}$"):
        inclusion_nodes(index, size)


@pytest.mark.parametrize(("old", "new"), [(1, 0), (-1, 5), (301, 300), (2**63, 2**63 - 1)])
def test_consistency_nodes_need_a_prefix(old: int, new: int) -> None:
    """There is no proof to build from a larger tree to a smaller one."""
    with pytest.raises(UsageError, match="cannot be a prefix"):
        consistency_nodes(old, new)


@pytest.mark.parametrize(("height", "index"), [(-1, 0), (0, -1)])
def test_nodes_out_of_range_are_wrong_calls(height: int, index: int) -> None:
    """Heights and indexes count from 0."""
    with pytest.raises(UsageError, match="no node"):
        Node(height, index)


def test_nodes_are_values() -> None:
    """Nodes compare by height and index, and can be kept in a set."""
    assert {Node(1, 2), Node(1, 2), Node(2, 1)} == {Node(2, 1), Node(1, 2)}
    assert sorted([Node(1, 0), Node(0, 5), Node(0, 1)]) == [Node(0, 1), Node(0, 5), Node(1, 0)]
    with pytest.raises(FrozenInstanceError):
        Node(1, 2).index = 3  # type: ignore[misc]
