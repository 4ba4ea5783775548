"""Recovering a tree: signed root → right edge → tiles, parents first → bundles; each proven before it is used.

A tile is proven by the hash that its parent, proven itself, holds for it; the right edge by the root; a bundle by its
leaf hashes. So the bytes may come from anyone: those that have the hash in a proven parent are right. A wrong tile is
computed from what is below it, which is judged as an audit does; a partial one is cut from a larger one; the rest is
taken from a mirror. Memory holds a tile for each level, and the few objects that are being fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, product

from tiles.read.tiles import copies_of
from tiles.store import Fetcher
from tiles.tree.blame import (
    Finding,
    Hashes,
    Stated,
    children,
    choose_edge,
    complete,
    edge_options,
    judge_edge,
    judge_tile,
    leads_to_root,
)
from tiles.tree.layout import TILE_WIDTH, Tile, edge_tiles
from tiles.tree.merkle import Hash, TreeHead, node_root
from tiles.tree.tile import parse_tile
from tiles.upkeep.audit import Walk, is_sound, is_sound_at
from tiles.upkeep.candidates import Sources, claimed_size, cut_at, fetched, hashes_in, leaves_in
from tiles.upkeep.objects import MISSING, Objects
from tiles.workers import HERE

BELOW = "computed from what is below it"
CUT = "cut from a larger one"
MIRROR = "from the mirror"

_MOST_OPEN = 8  # pairs of tile and bundle below one tile that disagree; all combinations of them are tried

Put = Callable[[str, bytes, str], None]  # path, content, where it is from


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be recovered.

    tree       from a checkpoint that a policy has accepted
    committed  the size of the committed tree, at least that of `tree`: its tiles may be stored already
    """

    tree: TreeHead
    committed: int


class Recovery:
    """Goes through one tree, and hands to `put` what has to be put right.

    put        is called for each object that is wrong or missing, with its path, its right content and the source
    progress   is called with how many more entries were checked

    findings   what is wrong and could not be recovered
    """

    def __init__(self, sources: Sources, wanted: Wanted, put: Put, progress: Callable[[int], None] | None) -> None:
        self.findings: list[Finding] = []
        self._sources = sources
        self._here = sources.here
        self._tree = wanted.tree
        self._mirror = mirror = sources.mirror
        self._larger = [(self._here, wanted.committed, CUT)]
        if mirror is not None:
            self._larger.append((mirror, max(claimed_size(mirror), wanted.tree.size), MIRROR))
        self._put = put
        self._progress = progress

    def run(self) -> None:
        """Recover the right edge, and then whatever is below it."""
        edge = self._edge()
        for tile in reversed(edge_tiles(self._tree.size)) if edge else ():  # leftmost entries first
            above = Stated(tile, edge[tile.level], believed=True)
            if tile.level > 0:
                self._below(above)
            else:
                self._last_bundle(above)

    # ---- the right edge, proven by the root

    def _edge(self) -> dict[int, Hashes]:
        """Return the hashes of the edge tiles by level, put right; {} if nothing leads to the root."""
        tiles = {tile.level: tile for tile in edge_tiles(self._tree.size)}
        walk = self._walk()
        stated = walk.edge()
        if leads_to_root(self._tree, stated):
            return {level: hashes for level, hashes in stated.items() if hashes is not None}
        computed = walk.below_edge(stated, believed=False)
        options = {
            level: [*edge_options(stated[level], computed[level]), *self._completions(tile, computed[level])]
            for level, tile in tiles.items()
        }
        right, how = choose_edge(self._tree, options), BELOW
        for fetcher, size, source in self._larger:
            copies = {level: _larger(fetcher, size, tile) for level, tile in tiles.items()}
            # one more of each at a time: those past every cache are fetched if the first will not do
            while right is None and any(more := [list(islice(each, 1)) for each in copies.values()]):
                for level, found in zip(tiles, more, strict=True):
                    options[level] = list(dict.fromkeys([*found, *options[level]]))
                right, how = choose_edge(self._tree, options), source
        if right is None:
            self.findings += [*walk.findings, *judge_edge(self._tree, stated, computed)]
            return {}
        for level, tile in tiles.items():
            if stated[level] != right[level]:
                self._put(tile.path, b"".join(right[level]), how)
        return right

    def _last_bundle(self, above: Stated) -> None:
        """Check the last bundle, which is partial, by the leaf hashes above it."""
        (bundle,) = children(above.tile, 0)
        self._count(bundle.width)
        problem = f"does not have the leaf hashes of {above.tile.path}"
        data = fetched(self._here, bundle)
        if data is None:
            problem = MISSING
        elif leaves_in(bundle, data) == above.hashes:
            return
        for fetcher, size, source in self._larger:
            for data in cut_at(fetcher, size, bundle):
                if leaves_in(bundle, data) == above.hashes:
                    self._put(bundle.path, data, source)
                    return
        self.findings.append(Finding(bundle.path, problem))

    # ---- full tiles, proven by their parents

    def _below(self, above: Stated) -> None:
        """Check, and put right, what is below a proven tile of level 1 or higher."""
        if above.tile.level == 1:
            self._run(above)
            return
        hands = self._sources.hands
        if above.tile.level > 2 or hands.workers is HERE:
            for proven in self._proven(above):
                self._below(proven)
            return
        runs, share = list(self._proven(above)), hands.share(self._sources.log)
        here, there = partial(is_sound, self._sources.log, share), partial(is_sound_at, hands.url, share)
        for proven, sound in zip(runs, hands.workers.each(runs, here, there), strict=True):
            if sound:
                self._count(proven.tile.width * TILE_WIDTH)
            else:
                self._run(proven)

    def _proven(self, above: Stated) -> Iterator[Stated]:
        """Yield the tiles below a proven one of level 2 or higher, proven and put right, but for what cannot be."""
        found: list[Finding] = []
        objects = Objects(self._here, found)
        below = (child for at in range(above.tile.width) for child in children(above.tile, at))
        for position, (tile, data) in enumerate(objects.fetch_all(below)):
            found.clear()
            stated = objects.stated(above, position, tile, data)
            proven = stated if stated.believed else self._recovered(stated, found)
            if proven is not None:
                yield proven

    def _recovered(self, stated: Stated, found: Sequence[Finding]) -> Stated | None:
        """Return the right content of a wrong tile, and put it right; None, and findings, if it cannot be recovered.

        found   what is known to be wrong with the tile
        """
        expected, tile = stated.expected, stated.tile
        walk = self._walk()
        computed = walk.below(stated)
        options = self._completions(tile, computed)
        hashes, how = next((each for each in options if node_root(each) == expected), None), BELOW
        if hashes is None:
            hashes, how = self._mirrored(tile, expected), MIRROR
        if hashes is None:
            self.findings += [*found, *walk.findings, *judge_tile(stated, computed)[1]]
            return None
        self._put(tile.path, b"".join(hashes), how)
        return Stated(tile, hashes, expected, expected, trusted=True, believed=True, parent=stated.parent)

    def _run(self, above: Stated) -> None:
        """Check, and put right, the level-0 tiles and bundles below a proven tile of level 1."""
        found: list[Finding] = []
        broken: list[_Broken] = []
        objects = Objects(self._here, found)
        for position, contents in enumerate(objects.pairs(above)):
            tile, bundle = children(above.tile, position)
            pair = objects.pair(above, position, *contents)
            found += pair.findings
            wrong = {finding.path for finding in pair.findings}
            is_right = pair.is_whole and tile.path not in wrong
            right = None if bundle.path in wrong else pair.leaves
            if right is None or not is_right:
                broken.append(_Broken(above.says(position), tile, is_right, bundle, right))
        self._count(above.tile.width * TILE_WIDTH)
        mended = self._mend(broken)
        self.findings += [finding for finding in found if finding.path not in mended]

    def _mend(self, broken: Sequence[_Broken]) -> set[str]:
        """Put right pairs of a tile and its bundle as far as possible, and return the paths that were put right."""
        mended: set[str] = set()
        lacking = (pair.bundle for pair in broken if pair.leaves is None)
        mirrored = Objects(self._mirror, []) if self._mirror else None
        offered = mirrored.fetch_all(lacking) if mirrored else iter(())
        for pair in broken:
            leaves = pair.leaves
            if leaves is None and mirrored is not None:
                proven = mirrored.proven(*next(offered), pair.expected)
                if proven is not None:
                    data, leaves = proven
                    self._put(pair.bundle.path, data, MIRROR)
                    mended.add(pair.bundle.path)
            if pair.is_right:
                continue
            hashes, how = (leaves, BELOW) if leaves is not None else (self._mirrored(pair.tile, pair.expected), MIRROR)
            if hashes is not None:
                self._put(pair.tile.path, b"".join(hashes), how)
                mended.add(pair.tile.path)
        return mended

    def _completions(self, tile: Tile, computed: Sequence[Hash | None]) -> list[Hashes]:
        """Return the possible contents of a tile, by what is below: if tile and bundle disagree, either may be right.

        computed   the hash of each node below it; None where it is not known
        """
        if (hashes := complete(computed)) is not None:
            return [hashes]
        still_open = [position for position, hash_ in enumerate(computed) if hash_ is None]
        if tile.level != 1 or len(still_open) > _MOST_OPEN:
            return []
        choices = []
        for position in still_open:
            below, bundle = children(tile, position)
            data, entries = fetched(self._here, below), fetched(self._here, bundle)
            rows = (hashes_in(below, data), None if entries is None else leaves_in(bundle, entries))
            choices.append([node_root(row) for row in rows if row is not None])
        filled = []
        for choice in product(*choices):
            chosen = iter(choice)
            filled.append(tuple(next(chosen) if hash_ is None else hash_ for hash_ in computed))
        return filled

    def _mirrored(self, tile: Tile, expected: Hash | None) -> Hashes | None:
        """Return the hashes in the mirror's copy of a full tile, if one is the right one."""
        for data in copies_of(self._mirror, tile) if self._mirror else ():
            hashes = hashes_in(tile, data)
            if hashes is not None and node_root(hashes) == expected:
                return hashes
        return None

    def _walk(self) -> Walk:
        return Walk(self._here, self._tree)

    def _count(self, entries: int) -> None:
        if self._progress is not None:
            self._progress(entries)


def _larger(fetcher: Fetcher, size: int, tile: Tile) -> Iterator[Hashes]:
    """Yield the contents that an edge tile may have, cut from a larger tree's tile or, at level 0, bundle."""
    for data in cut_at(fetcher, size, tile):
        yield parse_tile(data, tile.width)
    for bundle in children(tile, 0) if tile.level == 0 else ():
        for data in cut_at(fetcher, size, bundle):
            if (leaves := leaves_in(bundle, data)) is not None:
                yield leaves


@dataclass(frozen=True, slots=True)
class _Broken:
    """A full level-0 tile and its bundle, one of which at least is wrong.

    expected   what both hash to if they are right
    is_right   whether the tile is
    leaves     the bundle's leaf hashes, if it is right
    """

    expected: Hash | None
    tile: Tile
    is_right: bool
    bundle: Tile
    leaves: Sequence[Hash] | None
