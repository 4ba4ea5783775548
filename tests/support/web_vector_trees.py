"""Vectors of trees: proofs, tiles that were tampered with, whole logs and their histories, another project's log."""

from __future__ import annotations

import random
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.readers import OTHER_KEY, POLICY, entry
from tests.support.reference import Tree, flipped, full_tree
from tests.support.signed_text import LOG
from tests.support.spoiled_proofs import spoiled
from tests.support.web_answers import Cases, b64
from tiles.notes.keys import parse_vkey
from tiles.notes.policy import policy_for
from tiles.tree.bundle import encode_entries
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import EMPTY_ROOT, MAX_TREE_SIZE, Hash, TreeHead, leaf_hash
from tiles.tree.reader import entry_tiles

TREE = full_tree(301)


def add_to(made: Cases, shared: Path | None) -> None:
    """Add all of them; shared: data of other projects, if it is there."""
    proofs = Proofs(made)
    for part in (_sampled, _odd):
        part(proofs)
    for add in (_shapes, _tampered_tiles, _logs, _changed_logs, _histories, _files):
        add(made)
    if shared:
        _golden(made, shared)


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


CHANGES: dict[str, Callable[[bytes], bytes | None]] = {
    "first byte": lambda data: flipped(data, 0),
    "byte in the middle": lambda data: flipped(data, 8 * (len(data) // 2) + 7),
    "last byte": lambda data: flipped(data, 8 * len(data) - 6),
    "cut short": lambda data: data[:-1],
    "empty": lambda _data: b"",
    "longer": lambda data: data + b"\0",
    "a page": lambda _data: b"<!doctype html><title>Not here</title>",
    "gone": lambda _data: None,
}


def _adder(made: Cases) -> Callable[..., None]:
    def add(expect: str | None, what: str, name: str, call: str, changes: Any = None, **arguments: Any) -> None:
        arguments = {"visits": [name], "changes": changes or {}, "policy": b64(POLICY.data), "call": call, **arguments}
        made.add("log", expect, what, **arguments)

    return add


def _logs(made: Cases) -> None:
    add = _adder(made)
    for size in (1, 2, 255, 256, 257, 600):
        for index in sorted({0, 1, 3, 254, 255, 256, 512, size - 1, size}):
            expect = "ok" if index < size else "UsageError"
            add(expect, "entry", made.log(size), "entry", index=str(index))
            add(expect, "prove", made.log(size), "prove", index=str(index))
    six = made.log(600)
    paths = [path for path in made.logs[six] if path.startswith("tile/") or path == CHECKPOINT]
    for path in paths:
        for what, change in CHANGES.items():
            changed = change(b64decode(made.logs[six][path]))
            changes = {path: None if changed is None else b64(changed)}
            for index in (3, 300, 599):
                add(None, f"{path} {what}", six, "entry", changes, index=str(index))
                add(None, f"{path} {what}", six, "prove", changes, index=str(index))
            add(None, f"{path} {what}", six, "find", changes, leaf=b64(leaf_hash(entry(1))))
    for wanted, name in ((599, six), (600, six), (0, made.log(0)), (3, six)):
        add("ok", f"find {wanted}", name, "find", leaf=b64(leaf_hash(entry(wanted))))


def _changed_logs(made: Cases) -> None:
    add, six = _adder(made), made.log(600)
    same = made.log(300, tag="same", same_up_to=250)
    add("ok", "find many", same, "find", leaf=b64(leaf_hash(b"same")))
    add("ok", "empty", made.log(0), "visit")
    add("UsageError", "empty", made.log(0), "entry", index="0")
    others = b64encode(encode_entries([entry(i) if i != 300 else b"other" for i in range(256, 512)])).decode()
    add("TileError", "other entries", six, "entry", {"tile/entries/001": others}, index="300")
    add(
        "TileError",
        "other tiles",
        made.log(600, tag="other"),
        "prove",
        {"checkpoint": made.logs[six]["checkpoint"]},
        index="1",
    )
    add("SignatureError", "wrong key", made.log(600, key=OTHER_KEY), "visit")
    add("PolicyError", "wrong origin", six, "visit", origin="other.example.com")
    grown, old = made.log(300, 600), made.log(300)
    gone = {path: None for path in made.logs[grown] if ".p/44" in path} | {"checkpoint": made.logs[old]["checkpoint"]}
    for index in (0, 255, 256, 299):
        add("ok", "partial tiles gone", grown, "prove", gone, index=str(index))
        add("ok", "partial tiles gone", grown, "entry", gone, index=str(index))
    for full in ("tile/0/001", "tile/entries/001"):
        for what, change in CHANGES.items():
            changed = change(b64decode(made.logs[grown][full]))
            changes = gone | {full: None if changed is None else b64(changed)}
            add(None, f"partial tiles gone, full one {what}", grown, "entry", changes, index="280")


def _histories(made: Cases) -> None:
    def add(expect: str | None, what: str, *names: str, changes: Any = None, policy: bytes = POLICY.data) -> None:
        made.add("log", expect, what, visits=names, changes=changes or {}, policy=b64(policy), call="visit")

    for old, new in [(0, 5), (0, 0), (1, 2), (255, 256), (256, 257), (256, 600), (511, 512), (300, 600)]:
        add("ok", "grown", made.log(old), made.log(old, new))
        if old > 0:
            add("ok", "old copy", made.log(old, new), made.log(old, new), changes=None)
            whole, before = made.log(old, new), made.log(old)
            add("ok", "old copy", whole, whole, changes={"checkpoint": made.logs[before]["checkpoint"]})
            add("AccessError", "old copy, nothing shown", whole, before)
    for old, new in [(5, 5), (600, 600), (4, 5), (255, 256), (256, 257), (256, 512), (300, 600)]:
        ours, theirs = made.log(old), made.log(new, tag="other")
        add("ForkError", "fork, grows", ours, theirs)
        add("ForkError" if old == new else "AccessError", "fork, shrinks", theirs, ours)
        shrunk = {path: data for path, data in made.logs[theirs].items() if path not in made.logs[ours]}
        shrunk["checkpoint"] = made.logs[ours]["checkpoint"]
        add(
            None,
            "fork, shrinks, new tiles there",
            theirs,
            theirs,
            changes={"checkpoint": made.logs[ours]["checkpoint"]},
        )
    policy = f"log {LOG.verifier.vkey}\nlog {OTHER_KEY.verifier.vkey}\nquorum none\n".encode()
    by_one, by_other = made.log(600), made.log(600, tag="x", key=OTHER_KEY)
    for first, second in ((by_one, by_other), (by_other, by_one)):
        add("ForkError", "two keys", first, second, policy=policy)
    damaged = {"tile/1/000.p/2": b64(bytes(64))}
    add("TileError", "damaged tiles are no fork", made.log(300), made.log(300, 600), changes=damaged)


def _files(made: Cases) -> None:
    for size in (0, 1, 55, 56, 63, 64, 65, 65_535, 65_536, 200_000):
        made.add("digest_entry", "ok", f"{size} bytes", data=b64(bytes(at * 7 % 251 for at in range(size))))


def _golden(made: Cases, shared: Path) -> None:
    """Another implementation's log, in each of its sizes."""
    folder = shared / "tessera-golden-log"
    vkey = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
    policy = b64(policy_for(parse_vkey(vkey)).data)
    files = {
        path.relative_to(folder).as_posix(): b64(path.read_bytes()) for path in folder.rglob("*") if path.is_file()
    }
    for size in range(16):
        made.logs[f"golden {size}"] = {**files, "checkpoint": files[f"checkpoint.{size}"]}
        for index in range(size):
            for call in ("entry", "prove"):
                arguments = {"visits": [f"golden {size}"], "changes": {}, "policy": policy, "call": call}
                made.add("log", "ok", f"golden {index} of {size}", index=str(index), **arguments)
        for old in range(size):
            visits = [f"golden {old}", f"golden {size}"]
            made.add("log", "ok", f"golden {old} to {size}", visits=visits, changes={}, policy=policy, call="visit")
