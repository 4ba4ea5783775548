"""Vectors of trees: proofs, the shapes of trees and tiles, tiles that were tampered with."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.support.reference import Tree, flipped, full_tree
from tests.support.spoiled_proofs import spoiled
from tests.support.web_answers import Cases, b64
from tiles.tree.bundle import encode_entries
from tiles.tree.merkle import EMPTY_ROOT, MAX_TREE_SIZE, Hash, TreeHead
from tiles.tree.places import entry_tiles

TREE = full_tree(301)


def add_to(made: Cases) -> None:
    """Add all of them."""
    proofs = Proofs(made)
    for part in (_sampled, _odd):
        part(proofs)
    _shapes(made)
    _tampered_tiles(made)


def head(one: TreeHead) -> dict[str, str]:
    """Return a tree head as a case has it."""
    return {"size": str(one.size), "root": b64(one.root)}


class Proofs:
    """Proofs, and each of them spoiled in many ways."""

    def __init__(self, made: Cases) -> None:
        self.made = made
        self.rng = random.Random(4)

    def inclusion(self, leaf: Hash, index: int, tree_head: TreeHead, proof: Iterable[Hash], expect: str | None) -> None:
        """Add an inclusion proof."""
        arguments = {"leaf": b64(leaf), "index": str(index), "head": head(tree_head), "proof": [*map(b64, proof)]}
        self.made.add("inclusion", expect, f"{index} of {tree_head.size}", **arguments)

    def consistency(self, old: TreeHead, latest: TreeHead, proof: Iterable[Hash], expect: str | None) -> None:
        """Add a consistency proof."""
        arguments = {"old": head(old), "latest": head(latest), "proof": [*map(b64, proof)]}
        self.made.add("consistency", expect, f"{old.size} to {latest.size}", **arguments)

    def wrong(self, built: Sequence[Hash], bits: Sequence[int]) -> list[list[Hash]]:
        """Return a proof, spoiled: hashes dropped, added, swapped, a bit flipped; up to 60 of all ways."""
        all_ = [bad for _, bad in spoiled(built)]
        for at, one in enumerate(built):
            all_ += [[*built[:at], Hash(flipped(one, bit)), *built[at + 1 :]] for bit in bits]
        return self.rng.sample(all_, min(len(all_), 60))

    def spoil(self, source: Tree, index: int, size: int, bits: Sequence[int]) -> None:
        """Add one inclusion proof, and what must be refused in its place."""
        leaf, built, tree = source.leaf(index), source.path(index, size), source.head(size)
        self.inclusion(leaf, index, tree, built, "ok")
        for bad in self.wrong(built, bits):
            self.inclusion(leaf, index, tree, bad, "ProofError")
        for bit in bits:
            self.inclusion(Hash(flipped(leaf, bit)), index, tree, built, "ProofError")
            self.inclusion(leaf, index, replace(tree, root=Hash(flipped(tree.root, bit))), built, "ProofError")
        for other in (-1, index - 1, index + 1, size, 2**63):
            self.inclusion(leaf, other, tree, built, "ProofError")
        for other in (size - 1, size + 1):
            self.inclusion(leaf, index, source.head(other), built, "ProofError")

    def spoil_growth(self, source: Tree, old: int, size: int, bits: Sequence[int]) -> None:
        """Add one consistency proof, and what must be refused in its place."""
        before, after, built = source.head(old), source.head(size), source.proof(old, size)
        self.consistency(before, after, built, "ok")
        for bad in self.wrong(built, bits):
            self.consistency(before, after, bad, "ProofError")
        for bit in bits:
            self.consistency(replace(before, root=Hash(flipped(before.root, bit))), after, built, "ProofError")
            self.consistency(before, replace(after, root=Hash(flipped(after.root, bit))), built, "ProofError")
        self.consistency(source.head(old - 1), after, built, "ProofError")
        self.consistency(before, source.head(size + 1), built, "ProofError")


def _sampled(proofs: Proofs) -> None:
    for size in range(1, 10):
        for index in range(size):
            proofs.spoil(TREE, index, size, proofs.rng.sample(range(256), 2))
            if index:
                proofs.spoil_growth(TREE, index, size, proofs.rng.sample(range(256), 2))
    for _ in range(12):
        size = proofs.rng.randrange(10, 300)
        proofs.spoil(TREE, proofs.rng.randrange(size), size, [proofs.rng.randrange(256)])
        proofs.spoil_growth(TREE, proofs.rng.randrange(1, size), size, [proofs.rng.randrange(256)])
    for size in (2**40 + 3, 2**52 + 77, 2**60 + 12_345):
        index = proofs.rng.randrange(size)
        tall = Tree(
            {at: Hash(proofs.rng.randbytes(32)) for at in (*range(index - 2, index + 3), size - 2, size - 1, size)}
        )
        proofs.spoil(tall, index, size, [7])
        proofs.spoil_growth(tall, index + 1, size, [7])


def _odd(proofs: Proofs) -> None:
    empty, short, big = TreeHead(0, EMPTY_ROOT), Hash(bytes(31)), MAX_TREE_SIZE + 1
    root = TREE.head(1).root
    for size in (0, 1, 2, 7, 300):
        proofs.consistency(empty, TREE.head(size), [], "ok")
        proofs.consistency(empty, TREE.head(size), [root], "ProofError")
        proofs.consistency(TreeHead(0, root), TREE.head(size), [], "ProofError")
        proofs.consistency(TREE.head(size), TREE.head(size), [], "ok")
        proofs.consistency(TREE.head(size), TREE.head(size), [root], "ProofError")
        proofs.consistency(TreeHead(size, root if size != 1 else EMPTY_ROOT), TREE.head(size), [], "ProofError")
    proofs.consistency(TreeHead(0, root), TreeHead(0, root), [], "ProofError")
    proofs.consistency(TREE.head(5), TREE.head(4), [], "UsageError")
    for bad in (TreeHead(1, short), TreeHead(big, root), TreeHead(-1, root)):
        proofs.inclusion(root, 0, bad, [], "UsageError")
        proofs.consistency(bad, TREE.head(9), [], "UsageError")
        proofs.consistency(TREE.head(1), bad, [], "UsageError")
    proofs.inclusion(short, 0, TREE.head(1), [], "UsageError")
    for length in (0, 31, 33, 64):
        for at in range(4):
            built = TREE.path(4, 9)
            proofs.inclusion(
                TREE.leaf(4), 4, TREE.head(9), [*built[:at], Hash(bytes(length)), *built[at + 1 :]], "ProofError"
            )
            grown = TREE.proof(4, 9)
            proofs.consistency(
                TREE.head(4), TREE.head(9), [*grown[:at], Hash(bytes(length)), *grown[at + 1 :]], "ProofError"
            )


def _shapes(made: Cases) -> None:
    for size in range(34):
        for index in range(-1, size + 2):
            made.add("inclusion_nodes", None, f"{index} of {size}", index=str(index), size=str(size))
            made.add("consistency_nodes", None, f"{index} to {size}", old=str(index), size=str(size))
    for size in (255, 256, 257, 65_537, 2**40 + 1, 2**53 + 5, MAX_TREE_SIZE, MAX_TREE_SIZE + 1):
        for index in (0, 1, size // 3, size // 2, size - 1, size):
            made.add("inclusion_nodes", None, f"{index} of {size}", index=str(index), size=str(size))
            made.add("consistency_nodes", None, f"{index} to {size}", old=str(index), size=str(size))
        for level in (-1, 0, 1, 2, 5):
            for index in (0, 1, 255, 256, 999, 1000, 999_999, 1_000_000, (size >> 8 * max(level, 0)) // 256):
                made.add("tile_path", None, f"{level} {index}", size=str(size), level=level, index=str(index))
    entries = [b"", b"a", b"bc", bytes(65_535), "ö".encode()]
    whole = encode_entries(entries)
    for width in (1, 4, 5, 6, 256):
        made.add("bundle", "ok" if width == 5 else "Malformed", f"width {width}", data=b64(whole), width=width)
    for data in (b"", b"\0", whole[:-1], whole + b"\0", whole + b"\0\0", b"\xff\xff", b"\0\1"):
        made.add("bundle", "Malformed", f"{len(data)} bytes", data=b64(data), width=5)


def _tampered_tiles(made: Cases) -> None:
    rng = random.Random(5)
    small = full_tree(1100)
    big = Tree({i: Hash(bytes([i]) * 32) for i in range(70)} | {65_600: Hash(b"a" * 32), 69_999: Hash(b"b" * 32)})
    tall = Tree({2**39: Hash(b"x" * 32), 2**40 + 65_536: Hash(b"y" * 32)})
    trees = [
        (small, 0, 1),
        (small, 0, 100),
        (small, 0, 300),
        (small, 290, 300),
        (big, 0, 70_000),
        (big, 65_600, 70_000),
    ]
    for tree, index, size in [*trees, (tall, 2**39, 2**40 + 65_537)]:
        good = {tile: tree.tile(tile) for tile in entry_tiles(index, size)}
        head, name = {"size": str(size), "root": b64(tree.head(size).root)}, f"tiles of {index} in {size}"
        made.logs[name] = {tile.path: b64(data) for tile, data in good.items()}
        same = {"head": head, "wanted": str(index), "tiles": name}

        def add(changed: Mapping[Any, bytes], expect: str, same: Mapping[str, Any] = same) -> None:
            changes = {tile.path: b64(data) for tile, data in changed.items()}
            made.add("tiles", expect, f"{[*changes]}", **same, changes=changes)

        add({}, "ok")
        for tile, data in good.items():
            for start in range(0, len(data), 32 if len(data) < 1000 else 32 * 19):
                bit = 8 * (start + rng.randrange(32)) + rng.randrange(8)
                add({tile: flipped(data, bit)}, "TileError")
                swapped = data[:start] + data[start + 32 : start + 64] + data[start : start + 32] + data[start + 64 :]
                if swapped != data:
                    add({tile: swapped}, "TileError")
            for change in (b"", b"short", bytes(31), bytes(8191), bytes(8193), bytes(16384), data[:-1], data + b"\0"):
                add({tile: change}, "TileError")
    other = Tree(big.leaves | {300: Hash(b"!" * 32)})
    tiles = entry_tiles(300, 70_000)
    lie, honest = other.read(tiles), big.read(tiles)
    edge = {tile: honest[tile] for tile in tiles if not tile.is_full}
    head = {"size": "70000", "root": b64(big.head(70_000).root)}
    made.logs["tiles of a lie"] = {tile.path: b64(data) for tile, data in lie.items()}
    for true, expect in ((honest, "ok"), ({}, "TileError"), (edge, "TileError")):
        changes = {tile.path: b64(data) for tile, data in true.items()}
        lied = {"head": head, "wanted": "300", "tiles": "tiles of a lie", "changes": changes}
        made.add("tiles", expect, "a consistent lie", **lied)
    empty = {"head": {"size": "0", "root": head["root"]}, "wanted": "0", "tiles": "tiles of a lie", "changes": {}}
    made.add("tiles", "TileError", "an empty tree with another root", **empty)
