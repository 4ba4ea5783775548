"""Merkle tree hashing against the RFC's recursive definition and published roots."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.reference import full_tree, split
from tiles.errors import Malformed, UsageError
from tiles.tree.merkle import (
    EMPTY_ROOT,
    EMPTY_TREE,
    Hash,
    TreeHead,
    flat_parents,
    fold_right,
    leaf_hash,
    leaf_hashes,
    node_hash,
    node_root,
    to_hash,
)

# the entries and the roots of size 1 to 8 that Certificate Transparency implementations share as test data
CT_ENTRIES = [
    bytes.fromhex(entry)
    for entry in ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [Hash(bytes([i]) * 32) for i in range(256)]


def root(hashes: list[Hash]) -> Hash:
    """Return MTH over leaf hashes (RFC 6962 §2.1)."""
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return Hash(sha256(b"\x01" + root(hashes[:k]) + root(hashes[k:])).digest())


def complete_subtrees(hashes: list[Hash]) -> list[Hash]:
    """Return the roots of the complete subtrees the list is made of, largest first: one per bit of its length."""
    roots = []
    for height in reversed(range(len(hashes).bit_length())):
        if len(hashes) >> height & 1:
            start = len(hashes) >> height + 1 << height + 1
            roots.append(root(hashes[start : start + (1 << height)]))
    return roots


def test_empty_root_is_the_hash_of_an_empty_string() -> None:
    """RFC 6962 §2.1: MTH({}) = SHA-256()."""
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert TreeHead(0, EMPTY_ROOT) == EMPTY_TREE


@pytest.mark.parametrize("size", range(1, 9))
def test_published_roots(size: int) -> None:
    """The trees of the entries that other implementations test with have the roots they publish."""
    assert root([leaf_hash(entry) for entry in CT_ENTRIES[:size]]).hex() == CT_ROOTS[size - 1]
    assert fold_right(complete_subtrees(leaf_hashes(CT_ENTRIES[:size]))).hex() == CT_ROOTS[size - 1]


@given(st.binary(max_size=300))
def test_leaf_hash_is_domain_separated(entry: bytes) -> None:
    """A leaf hash is SHA-256(0x00 || entry), so no entry can pass for a node."""
    assert leaf_hash(entry) == sha256(b"\x00" + entry).digest() != sha256(b"\x01" + entry).digest()


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_leaf_hashes_keep_order_and_number(entries: list[bytes]) -> None:
    """`leaf_hashes` is `leaf_hash` of each entry, from any iterable."""
    assert leaf_hashes(iter(entries)) == [leaf_hash(entry) for entry in entries]


def test_node_hash_is_domain_separated_and_ordered() -> None:
    """A node hash is SHA-256(0x01 || left || right); left and right are not the same."""
    left, right = HASHES[1:3]
    assert node_hash(left, right) == sha256(b"\x01" + left + right).digest()
    assert node_hash(left, right) != node_hash(right, left)
    assert node_hash(left, right) != leaf_hash(left + right)


@pytest.mark.parametrize("count", range(10))
def test_parents_pair_neighbours_and_leave_an_odd_last_one_out(count: int) -> None:
    """A node without a sibling has no parent yet."""
    pairs = [node_hash(HASHES[2 * i], HASHES[2 * i + 1]) for i in range(count // 2)]
    assert flat_parents(b"".join(HASHES[:count])) == b"".join(pairs)


@pytest.mark.parametrize("height", range(9))
def test_node_root_is_the_root_of_a_complete_tree(height: int) -> None:
    """`node_root` agrees with the recursive definition, and leaves its argument as it was."""
    hashes = HASHES[: 1 << height]
    given_hashes = list(hashes)
    assert node_root(given_hashes) == root(hashes)
    assert given_hashes == hashes


@pytest.mark.parametrize("count", [0, 3, 5, 6, 7, 9, 10, 12, 15, 24, 129, 192, 254, 255])
def test_node_root_refuses_what_is_not_a_power_of_two(count: int) -> None:
    """A node stands on 2^k nodes; anything else is the caller's mistake, not a hash."""
    with pytest.raises(UsageError, match=f"not on {count}$"):
        node_root([HASHES[0]] * count)


def test_fold_right_over_complete_subtrees_is_the_root() -> None:
    """The root of any tree follows from its complete subtrees, largest first (every size to 256)."""
    for size in range(1, 257):
        assert fold_right(complete_subtrees(HASHES[:size])) == root(HASHES[:size])


def test_fold_right_agrees_with_the_oracle() -> None:
    """The oracle and `fold_right` are two different ways to one root (every size to 300)."""
    tree = full_tree(300)
    for size in range(1, 301):
        leaves = [tree.leaf(i) for i in range(size)]
        assert fold_right(complete_subtrees(leaves)) == tree.head(size).root


def test_fold_right_needs_a_hash() -> None:
    """There is no root over nothing; the empty tree's root is EMPTY_ROOT."""
    with pytest.raises(UsageError):
        fold_right([])


@pytest.mark.parametrize("length", [0, 1, 20, 31, 33, 64])
def test_to_hash_refuses_other_lengths(length: int) -> None:
    """A hash is 32 bytes."""
    with pytest.raises(Malformed, match=f"{length} bytes instead of 32"):
        to_hash(bytes(length))


def test_to_hash_gives_immutable_bytes() -> None:
    """A hash made from a buffer does not change when the buffer does."""
    buffer = bytearray(32)
    hash_ = to_hash(buffer)
    buffer[0] = 1
    assert hash_ == bytes(32)
    assert type(hash_) is bytes


def test_tree_heads_are_values() -> None:
    """Tree heads compare by size and root, cannot be changed, and print both."""
    head = TreeHead(3, HASHES[7])
    assert head == TreeHead(3, Hash(bytes([7]) * 32))
    assert head != TreeHead(4, HASHES[7])
    assert str(head) == f"size 3 root {'07' * 32}"
    with pytest.raises(FrozenInstanceError):
        head.size = 4  # type: ignore[misc]
