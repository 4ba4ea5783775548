"""Recomputing all of a log: entries → leaf hashes → tiles → root, each compared with what is published.

Tiles are read from the root downwards, so that the hash which each must have is known when it is read. They are judged
from the entries upwards (`tiles.tree.blame`). A run of 65,536 entries, those below one tile of level 1, depends on
nothing else: runs go to an executor, if there is one, 256 at a time. Memory holds at most 65,536 hashes for each level
of tiles, and the few bundles that are being fetched, whatever the size of the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache, partial
from struct import unpack

from tiles.errors import Malformed, NotFound, TileError
from tiles.notes.policy import Policy
from tiles.read.fetcher import open_log
from tiles.read.log_formats import MAX_BUNDLE_SIZE
from tiles.read.tiles import fetch_tile, fetch_tiles
from tiles.store import Fetcher, Store
from tiles.tree.blame import Finding, Hashes, Stated, children, judge_edge, judge_pair, judge_tile, leads_to_root
from tiles.tree.bundle import parse_bundle
from tiles.tree.layout import TILE_WIDTH, Tile, edge_tiles
from tiles.tree.merkle import HASH_SIZE, Hash, TreeHead, leaf_hashes
from tiles.tree.tile import parse_tile
from tiles.upkeep.strays import take_inventory

MISSING = "is not there"

Run = tuple[list[Hash | None], list[Finding]]  # the hash of each tile below one of level 1; the findings


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found; a sound log has no findings."""

    tree: TreeHead
    findings: tuple[Finding, ...]


def audit(
    fetcher: Fetcher,
    tree: TreeHead,
    *,
    store: Store | None = None,
    policy: Policy | None = None,
    progress: Callable[[int], None] | None = None,
    executor: Executor | None = None,
    url: str | None = None,
) -> Report:
    """Recompute the tree of a checkpoint that was accepted, and return every finding, not only the first.

    store      lists the log: then everything else below tile/ and checkpoints/ is checked too
    policy     verifies the log's signatures on the checkpoints that are kept in `store`; None leaves them unverified
    progress   is called with how many more entries were recomputed
    executor   recomputes runs of 65,536 entries; its workers may be other processes
    url        what other processes open, as `open_log` takes it; None for `fetcher.url`, which has no credentials

    What cannot be checked because a tile is damaged is not reported as well. Raises AccessError if reading fails.
    """
    roomy = _Roomy(fetcher)
    walk = Walk(roomy, tree, progress, Workers(executor, url or fetcher.url) if executor else None)
    walk.walk()
    if store is not None:
        damaged = {finding.path for finding in walk.findings}
        walk.findings += take_inventory(store, roomy, tree, policy, damaged)
    return Report(tree, tuple(walk.findings))


@dataclass(frozen=True, slots=True)
class Workers:
    """Processes that recompute runs of entries.

    url   what each of them opens to read the log, as `open_log` takes it
    """

    executor: Executor
    url: str


class Walk:
    """One audit, in the process that collects the findings."""

    def __init__(
        self,
        fetcher: Fetcher,
        tree: TreeHead,
        progress: Callable[[int], None] | None = None,
        workers: Workers | None = None,
    ) -> None:
        self._fetcher = fetcher
        self._tree = tree
        self._progress = progress
        self._workers = workers
        self.findings: list[Finding] = []

    def walk(self) -> None:
        """Recompute what is below each tile of the right edge, then judge the edge by the root."""
        stated = {tile.level: self.edge_hashes(tile) for tile in edge_tiles(self._tree.size)}
        computed = self.below_edge(stated, believed=leads_to_root(self._tree, stated))
        self.findings += judge_edge(self._tree, stated, computed)

    def below_edge(self, stated: Mapping[int, Hashes | None], *, believed: bool) -> dict[int, Sequence[Hash | None]]:
        """Recompute what is below the edge tiles, given by level, and return the hash of each node."""
        computed: dict[int, Sequence[Hash | None]] = {}
        for tile in reversed(edge_tiles(self._tree.size)):  # the entries from left to right
            below = self.below if tile.level > 0 else self._last_leaves
            computed[tile.level] = below(Stated(tile, stated[tile.level], believed=believed))
        return computed

    def below(self, above: Stated) -> list[Hash | None]:
        """Recompute the nodes below a tile of level 1 or higher, and return the hash of each."""
        level = above.tile.level
        if level == 1:
            return self._taken(recompute_run(self._fetcher, above))
        if level > 2:
            return [self._judged(below, self.below(below)) for below in self._children(above)]
        stated = list(self._children(above))
        run = partial(recompute_run, self._fetcher)
        workers = self._workers
        runs = workers.executor.map(partial(_recompute_run_at, workers.url), stated) if workers else map(run, stated)
        return [self._judged(below, self._taken(run)) for below, run in zip(stated, runs, strict=True)]

    def _children(self, above: Stated) -> Iterator[Stated]:
        tiles = (child for at in range(above.tile.width) for child in children(above.tile, at))
        objects = Objects(self._fetcher, self.findings)
        for position, (tile, data) in enumerate(objects.fetch_all(tiles)):
            yield above.below(position, tile, objects.hashes(tile, data))

    def _judged(self, stated: Stated, computed: Sequence[Hash | None]) -> Hash | None:
        found, findings = judge_tile(stated, computed)
        self.findings += findings
        return found

    def _taken(self, run: Run) -> list[Hash | None]:
        computed, findings = run
        self.findings += findings
        self._count(len(computed) * TILE_WIDTH)
        return computed

    def edge_hashes(self, tile: Tile) -> Hashes | None:
        """Return the hashes in an edge tile; None, and a finding, if it is missing or malformed."""
        data = self._edge_object(tile)
        return None if data is None else Objects(self._fetcher, self.findings).hashes(tile, data)

    def _last_leaves(self, above: Stated) -> Sequence[Hash | None]:
        """Return the leaf hashes of the last bundle, which is partial."""
        (bundle,) = children(above.tile, 0)
        data = self._edge_object(bundle)
        leaves = None if data is None else Objects(self._fetcher, self.findings).leaves(bundle, data)
        self._count(bundle.width)
        return leaves or [None] * bundle.width

    def _edge_object(self, tile: Tile) -> bytes | None:
        """Return a partial tile or bundle, cut from the full one if need be."""
        try:
            return fetch_tile(self._fetcher, tile)
        except NotFound:
            self.findings.append(Finding(tile.path, MISSING))
        except TileError as error:
            self.findings.append(Finding(error.path, error.problem))
        return None

    def _count(self, entries: int) -> None:
        if self._progress:
            self._progress(entries)


def recompute_run(fetcher: Fetcher, above: Stated) -> Run:
    """Recompute the level-0 tiles below a tile of level 1 from their entries.

    Returns the hash of each, None where it is not known, and the findings.
    """
    findings: list[Finding] = []
    computed = []
    objects = Objects(fetcher, findings)
    contents = objects.fetch_all(child for at in range(above.tile.width) for child in children(above.tile, at))
    for position, ((tile, data), (bundle, entries)) in enumerate(zip(contents, contents, strict=True)):
        found, wrong = judge_pair(above, position, objects.whole(tile, data), objects.leaves(bundle, entries))
        computed.append(found)
        findings += wrong
    return computed, findings


def _recompute_run_at(url: str, above: Stated) -> Run:
    """Call `recompute_run` in another process, which opens the log itself: a fetcher cannot be sent to it."""
    return recompute_run(_opened(url), above)


_opened = lru_cache(maxsize=1)(open_log)


class _Roomy:
    """A fetcher that also returns objects much too long for a tile, so that they are found to be wrong."""

    def __init__(self, fetcher: Fetcher) -> None:
        self.url = fetcher.url
        self.parallel = fetcher.parallel
        self._fetcher = fetcher

    def fetch(self, path: str, limit: int) -> bytes:  # noqa: ARG002
        """Return an object (Fetcher)."""
        return self._fetcher.fetch(path, MAX_BUNDLE_SIZE)


class Objects(_Roomy):
    """Fetches full tiles and bundles, and records which are missing or malformed instead of raising."""

    def __init__(self, fetcher: Fetcher, findings: list[Finding]) -> None:
        super().__init__(fetcher)
        self._findings = findings
        self._missing: set[str] = set()

    def fetch_all(self, tiles: Iterable[Tile]) -> Iterator[tuple[Tile, bytes]]:
        """Yield full tiles and bundles with their contents; b"" for what is not there."""
        return fetch_tiles(self, tiles)

    def fetch(self, path: str, limit: int) -> bytes:
        """Return an object, b"" if it is not there (Fetcher)."""
        try:
            return super().fetch(path, limit)
        except NotFound:
            self._missing.add(path)
            return b""

    def hashes(self, tile: Tile, data: bytes) -> Hashes | None:
        """Return the hashes in a tile; None, and a finding, if these are not the bytes of one."""
        try:
            return parse_tile(data, tile.width)
        except Malformed as error:
            self._wrong(tile, error)
            return None

    def whole(self, tile: Tile, data: bytes) -> bytes | None:
        """Return the bytes of a tile as they are; None, and a finding, if they are too few or too many."""
        if len(data) == tile.width * HASH_SIZE:
            return data
        self.hashes(tile, data)
        return None

    def leaves(self, bundle: Tile, data: bytes) -> list[Hash] | None:
        """Return the leaf hashes of the entries in a bundle; None, and a finding, if these are not the bytes of one."""
        try:
            return leaf_hashes(_entries(data, bundle.width))
        except Malformed as error:
            self._wrong(bundle, error)
            return None

    def _wrong(self, tile: Tile, error: Malformed) -> None:
        self._findings.append(Finding(tile.path, MISSING if tile.path in self._missing else error.problem))


def _entries(data: bytes, width: int) -> Sequence[bytes]:
    """Do what `parse_bundle` does, at a tenth of its cost where all entries have one length, as in many logs."""
    stride = 2 + int.from_bytes(data[:2], "big")
    if len(data) == width * stride and data[::stride] + data[1::stride] == data[:1] * width + data[1:2] * width:
        return unpack(f"2x{stride - 2}s" * width, data)
    return parse_bundle(data, width)
