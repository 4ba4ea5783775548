"""The oracle: RFC 6962 section 2.1 written down as it stands there, recursive and slow, with hashlib and nothing else.

D[n] is a Python `range` over entry indexes, so D[0:k] is `d[:k]` and D[k:n] is `d[k:]`, at any size. Each function
takes the hash of a list of entries as an argument: `Tree.mth` gives hashes, `itself` gives the ranges themselves.
"""

from __future__ import annotations

import os
import random
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from hashlib import sha256
from typing import TypeVar

from tiles.tree.layout import Tile
from tiles.tree.merkle import Hash, TreeHead

T = TypeVar("T")

OTHER_LEAF = Hash(sha256(b"\x00every other entry").digest())


def split(n: int) -> int:
    """Return k, "the largest power of two smaller than n (i.e., k < n <= 2k)" (§2.1), n > 1."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def path(m: int, d: range, mth: Callable[[range], T]) -> list[T]:
    """Return PATH(m, D[n]) (§2.1.1)."""
    n = len(d)
    if n == 1:
        return []  # PATH(0, {d(0)}) = {}
    k = split(n)
    if m < k:
        return [*path(m, d[:k], mth), mth(d[k:])]
    return [*path(m - k, d[k:], mth), mth(d[:k])]


def proof(m: int, d: range, mth: Callable[[range], T]) -> list[T]:
    """Return PROOF(m, D[n]) (§2.1.2), 0 < m <= n."""
    return subproof(m, d, True, mth)


def subproof(m: int, d: range, b: bool, mth: Callable[[range], T]) -> list[T]:
    """Return SUBPROOF(m, D[n], b) (§2.1.2)."""
    n = len(d)
    if m == n:
        return [] if b else [mth(d)]
    k = split(n)
    if m <= k:
        return [*subproof(m, d[:k], b, mth), mth(d[k:])]
    return [*subproof(m - k, d[k:], False, mth), mth(d[:k])]


def itself(d: range) -> range:
    """Return the list of entries a hash would be over."""
    return d


class Tree:
    """A log of any size: `leaves` by index, and one and the same leaf hash everywhere else.

    Lists without any of `leaves` hash alike if they are as long, so a tree of 2^40 entries costs no more than
    its few special leaves.
    """

    def __init__(self, leaves: Mapping[int, Hash]) -> None:
        self.leaves = dict(leaves)
        self._special = sorted(self.leaves)
        self._memo: dict[int | range, Hash] = {}

    def mth(self, d: range) -> Hash:
        """Return MTH(D[n]) (§2.1)."""
        key = d if self._is_special(d) else len(d)
        if key not in self._memo:
            self._memo[key] = self._mth(d)
        return self._memo[key]

    def _mth(self, d: range) -> Hash:
        n = len(d)
        if n == 0:
            return Hash(sha256().digest())
        if n == 1:
            return self.leaf(d[0])
        k = split(n)
        return Hash(sha256(b"\x01" + self.mth(d[:k]) + self.mth(d[k:])).digest())

    def _is_special(self, d: range) -> bool:
        at = bisect_left(self._special, d.start)
        return at < len(self._special) and self._special[at] < d.stop

    def leaf(self, index: int) -> Hash:
        """Return the leaf hash of an entry."""
        return self.leaves.get(index, OTHER_LEAF)

    def head(self, size: int) -> TreeHead:
        """Return the tree head of the first `size` entries."""
        return TreeHead(size, self.mth(range(size)))

    def path(self, index: int, size: int) -> list[Hash]:
        """Return the inclusion proof of an entry."""
        return path(index, range(size), self.mth)

    def proof(self, old: int, new: int) -> list[Hash]:
        """Return the consistency proof between two sizes."""
        return proof(old, range(new), self.mth)

    def tile(self, tile: Tile) -> bytes:
        """Return a tile: "the n-th tile at level l is the sequence of … MTH(D[(n * 256 + i) * 256**l : …])"."""
        step = 256**tile.level
        first = tile.index * 256 * step
        return b"".join(self.mth(range(first + i * step, first + (i + 1) * step)) for i in range(tile.width))

    def read(self, tiles: Iterable[Tile]) -> dict[Tile, bytes]:
        """Return what an honest log serves for some tiles."""
        return {tile: self.tile(tile) for tile in tiles}


@cache
def full_tree(size: int) -> Tree:
    """Return a log of `size` entries that are all different: entry i is i in decimal. It remembers its hashes."""
    return Tree({i: Hash(sha256(b"\x00%d" % i).digest()) for i in range(size)})


def printed_random() -> random.Random:
    """Return a generator whose seed is printed, so that a failure can be repeated with TILETREE_SEED=<seed>."""
    seed = int(os.environ.get("TILETREE_SEED") or random.SystemRandom().randrange(2**32))
    print(f"TILETREE_SEED={seed}")
    return random.Random(seed)


def flipped(data: bytes, bit: int) -> bytes:
    """Return data with one bit changed."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
