"""Merkle tree hashing (https://www.rfc-editor.org/rfc/rfc6962#section-2.1), and the hashes' own type.

A tree of size n is written D[0:n]. A complete subtree of 2^k entries is a *node*: (height k, index i) is the
hash of D[i * 2^k : (i + 1) * 2^k]. Everything here is pure.

Many hashes at once are *flat*: one after the other, 32 bytes each, as a tile stores them. The native part, where there
is one, computes those; it gives the same bytes as the code here, and of a tree nothing but this module and the bundle
knows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from struct import unpack
from typing import NewType, cast

from tiles.errors import Malformed, UsageError
from tiles.native import compiled

Hash = NewType("Hash", bytes)  # 32 bytes, SHA-256

HASH_SIZE = 32  # bytes
MAX_TREE_SIZE = 2**63 - 1  # entries; tlog-cosignature signs sizes as signed 64-bit numbers

_CHUNK = 256 * HASH_SIZE  # bytes of hashes whose parents are computed at once
_SUBTREES = 64  # whose roots are kept; a right edge has at most 63 of them, each of at most 4 KiB in its tile

EMPTY_ROOT = Hash(sha256(b"").digest())  # §2.1: the hash of an empty list is the hash of an empty string


def leaf_hash(entry: bytes) -> Hash:
    """Return SHA-256(0x00 || entry) (§2.1)."""
    return Hash(sha256(b"\x00" + entry).digest())


def leaf_hashes(entries: Iterable[bytes]) -> list[Hash]:
    """Return `leaf_hash` of each entry, in order."""
    if compiled is not None:
        return split_hashes(compiled.leaf_hashes(list(entries)))
    # `leaf_hash` is not called for each: the calls would be a fifth of the cost
    return cast("list[Hash]", [sha256(b"\x00" + entry).digest() for entry in entries])


def flat_leaves(entries: Sequence[bytes]) -> bytes:
    """Return `leaf_hash` of each entry, in order, flat."""
    if compiled is not None:
        return compiled.leaf_hashes(list(entries))
    return b"".join([sha256(b"\x00" + entry).digest() for entry in entries])


def node_hash(left: Hash, right: Hash) -> Hash:
    """Return SHA-256(0x01 || left || right) (§2.1)."""
    return Hash(sha256(b"\x01" + left + right).digest())


def node_above(node: Hash, siblings: Sequence[Hash], sides: Sequence[bool]) -> Hash:
    """Return the node that the way up from another one leads to.

    siblings   the node beside each one on the way, from below
    sides      whether it stands left of it; as many
    """
    if compiled is not None:
        return Hash(compiled.node_above(node, list(siblings), list(sides)))
    found: bytes = node
    for sibling, is_left in zip(siblings, sides, strict=True):  # the calls of `node_hash` would be a third of it
        found = sha256(b"\x01" + sibling + found if is_left else b"\x01" + found + sibling).digest()
    return Hash(found)


def flat_parents(data: bytes) -> bytes:
    """Return the nodes one height above neighbouring nodes, flat; an even number of hashes, or the last has none yet.

    data   flat hashes
    """
    if compiled is not None:
        return compiled.parents(data)
    chunks = range(0, len(data) - HASH_SIZE, _CHUNK)
    return b"".join([sha256(node).digest() for start in chunks for node in _to_hash(data[start : start + _CHUNK])])


def _to_hash(data: bytes) -> tuple[bytes, ...]:
    """Return 0x01 || left || right for each pair of neighbours; all at once, which costs a third of one by one."""
    count = len(data) // (2 * HASH_SIZE)
    pairs = unpack("64s" * count, data[: 2 * HASH_SIZE * count])
    return unpack("65s" * count, b"\x01" + b"\x01".join(pairs))


def flat_root(data: bytes) -> Hash:
    """Return the node above 2^k neighbouring nodes, k ≥ 0.

    data   flat hashes
    Raises UsageError for any other number of hashes.
    """
    _check_power_of_two(len(data) / HASH_SIZE)
    if compiled is not None:
        return Hash(compiled.root(data))
    while len(data) > HASH_SIZE:
        data = flat_parents(data)
    return Hash(data)


@lru_cache(maxsize=_SUBTREES)
def edge_root(data: bytes) -> Hash:
    """Return `flat_root`, and keep the last ones: most subtrees of a right edge stay from one commit to the next."""
    return flat_root(data)


def split_hashes(data: bytes) -> list[Hash]:
    """Return flat hashes one by one."""
    return cast("list[Hash]", [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)])


def node_root(hashes: Sequence[Hash]) -> Hash:
    """Return the node above 2^k neighbouring nodes, k ≥ 0.

    Raises UsageError for any other number of hashes.
    """
    return flat_root(b"".join(hashes))


def fold_right(hashes: Sequence[Hash]) -> Hash:
    """Return the root over complete subtrees of falling size, largest first (§2.1, k < n ≤ 2k).

    Raises UsageError if there is none.
    """
    if not hashes:
        raise UsageError("no hashes to fold")
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def to_hash(data: bytes) -> Hash:
    """Return data as a Hash. Raises Malformed unless it is 32 bytes long."""
    if len(data) != HASH_SIZE:
        raise Malformed("hash", f"{len(data)} bytes instead of {HASH_SIZE}", data)
    return Hash(bytes(data))


def _check_power_of_two(count: float) -> None:
    if count < 1 or not float(count).is_integer() or int(count) & (int(count) - 1):
        raise UsageError(f"a node stands on a power of two of hashes, not on {count:g}")


@dataclass(frozen=True, slots=True)
class TreeHead:
    """The first `size` entries of a log, 0 ≤ size ≤ MAX_TREE_SIZE, and the root hash over them."""

    size: int
    root: Hash

    def __str__(self) -> str:
        return f"size {self.size} root {self.root.hex()}"


EMPTY_TREE = TreeHead(0, EMPTY_ROOT)
