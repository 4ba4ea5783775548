"""The tiles and bundles that an audit or a repair judges, as the log's own server has them.

What is missing or will not do is fetched once more past every cache between us and the log, and only what comes then is
judged: a cache may have kept what the log has mended, or never had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice, repeat, tee
from typing import TypeVar

from tiles.errors import Malformed, NotFound, TileError
from tiles.parallel import in_parallel
from tiles.read.fetcher import is_local
from tiles.read.log_formats import MAX_BUNDLE_SIZE, ROOMY, TLOG_TILES, LogFormat
from tiles.read.tiles import fetch_tile, fetch_tile_anew
from tiles.store import Fetcher, StoreFetcher
from tiles.tree.blame import Finding, Hashes, Stated, children, judge_pair, leads_to_root
from tiles.tree.bundle import agreed_roots, bundle_leaves
from tiles.tree.layout import ENTRIES, TILE_WIDTH, Tile, edge_tiles, full_paths
from tiles.tree.merkle import HASH_SIZE, Hash, TreeHead, flat_root, node_root, split_hashes
from tiles.tree.tile import parse_tile

T = TypeVar("T")
Contents = Mapping[Tile, bytes]

MISSING = "is not there"


@dataclass(frozen=True, slots=True)
class Pair:
    """A full level-0 tile and its bundle.

    root      what both hash to; None if that is not known
    is_whole  whether the tile has the length of one
    leaves    the leaf hashes of the bundle; None if it is missing or malformed
    findings  what `judge_pair` says
    """

    root: Hash | None
    is_whole: bool
    leaves: Sequence[Hash] | None
    findings: Sequence[Finding]


class Objects:
    """Fetches tiles and bundles, and records which are missing or malformed instead of raising."""

    def __init__(
        self,
        fetcher: Fetcher,
        findings: list[Finding],
        log_format: LogFormat = TLOG_TILES,
        parallel: int | None = None,
    ) -> None:
        self._fetcher = fetcher
        self._parallel = parallel or fetcher.parallel
        self._format = log_format
        self._roomy = ROOMY if log_format is TLOG_TILES else log_format
        self._findings = findings
        self._missing: dict[Tile, Finding] = {}

    def fetch(self, tile: Tile) -> bytes:
        """Return a tile or bundle, b"" if it is not there; a partial one may be cut from the full one."""
        return self._or_nothing(tile, lambda: fetch_tile(self._fetcher, tile, self._roomy))

    def fetch_all(self, tiles: Iterable[Tile]) -> Iterator[tuple[Tile, bytes]]:
        """Yield tiles and bundles in order, each with what `fetch` returns."""
        if is_local(self._fetcher):
            return self._fetch_here(self._fetcher, tiles)
        return in_parallel(lambda tile: (tile, self.fetch(tile)), tiles, self._parallel)

    def _fetch_here(self, fetcher: StoreFetcher, tiles: Iterable[Tile]) -> Iterator[tuple[Tile, bytes]]:
        """Do the same for a log on a disk, at a third of the cost for each object; for one in trouble as ever."""
        wanted, named = tee(tiles)
        found = fetcher.fetch_each((self._format.path(tile), self._roomy.limit(tile)) for tile in named)
        for tile, data in zip(wanted, found, strict=True):
            yield tile, self.fetch(tile) if data is None else data

    def pairs(self, above: Stated) -> Iterator[tuple[bytes, bytes]]:
        """Yield each level-0 tile below a tile of level 1, and the bundle in its place; b"" for what is not there."""
        tile = above.tile
        if not (self._format is TLOG_TILES and is_local(self._fetcher)):
            contents = self.fetch_all(child for at in range(tile.width) for child in children(tile, at))
            yield from ((data, bundle) for (_, data), (_, bundle) in zip(contents, contents, strict=True))
            return
        first = tile.index * TILE_WIDTH
        paths = zip(full_paths(0, first), full_paths(ENTRIES, first), strict=True)
        wanted = zip(islice(chain.from_iterable(paths), 2 * tile.width), repeat(MAX_BUNDLE_SIZE), strict=False)
        found = self._fetcher.fetch_each(wanted)
        for at, (data, bundle) in enumerate(zip(found, found, strict=True), first):
            yield (
                self.fetch(Tile(0, at)) if data is None else data,
                self.fetch(Tile(ENTRIES, at)) if bundle is None else bundle,
            )

    def agreed_roots(self, first: int, pairs: Sequence[tuple[bytes, bytes]]) -> list[Hash | None]:
        """Return the hash of each full level-0 tile whose bundle has its leaf hashes; else None.

        first   the index of the first tile
        `pair` says what is wrong with the others. Looking at many at once takes half its time.
        """
        if self._format is TLOG_TILES:
            return agreed_roots([bundle for _, bundle in pairs], [tile for tile, _ in pairs])
        return [self._agreed_root(Tile(ENTRIES, at), *pair) for at, pair in enumerate(pairs, first)]

    def _agreed_root(self, bundle: Tile, tile: bytes, data: bytes) -> Hash | None:
        with suppress(Malformed):
            return flat_root(tile) if self._flat_leaves(bundle, data) == tile else None
        return None

    # ---- judged, and once more if need be

    def edge(self, tree: TreeHead) -> dict[int, Hashes | None]:
        """Return the hashes of the edge tiles of a tree by level; None for one that is missing or malformed."""
        return self._judged(
            {tile: self.fetch(tile) for tile in edge_tiles(tree.size)},
            lambda contents: {tile.level: self.hashes(tile, data) for tile, data in contents.items()},
            lambda stated: leads_to_root(tree, stated),
        )

    def stated(self, above: Stated, position: int, tile: Tile, data: bytes) -> Stated:
        """Return a full tile of level 1 or higher, which is below the hash at a position."""
        return self._judged(
            {tile: data},
            lambda contents: above.below(position, tile, self.hashes(tile, contents[tile])),
            lambda stated: stated.believed or (stated.hashes is not None and stated.expected is None),
        )

    def pair(self, above: Stated, position: int, data: bytes, entries: bytes) -> Pair:
        """Return what a full level-0 tile and its bundle are, which are below the hash at a position."""
        tile, bundle = children(above.tile, position)

        def judge(contents: Contents) -> Pair:
            whole, leaves = self._whole(tile, contents[tile]), self.leaves(bundle, contents[bundle])
            root, findings = judge_pair(above, position, whole, leaves)
            return Pair(root, whole is not None, leaves, findings)

        return self._judged({tile: data, bundle: entries}, judge, lambda pair: not pair.findings)

    def last_leaves(self, bundle: Tile, above: Hashes | None) -> list[Hash] | None:
        """Return the leaf hashes of the last bundle, which is partial; None if it is missing or malformed.

        above   the hashes that the level-0 tile in its place has; None if they are not known
        """
        return self._judged(
            {bundle: self.fetch(bundle)},
            lambda contents: self.leaves(bundle, contents[bundle]),
            lambda leaves: above is None or leaves is None or tuple(leaves) == above,
        )

    def proven(self, bundle: Tile, data: bytes, expected: Hash | None) -> tuple[bytes, list[Hash]] | None:
        """Return a full bundle and its leaf hashes if they hash to what is expected; None if there is no such copy."""

        def judge(contents: Contents) -> tuple[bytes, list[Hash]] | None:
            leaves = self.leaves(bundle, contents[bundle])
            return (contents[bundle], leaves) if leaves is not None and node_root(leaves) == expected else None

        return self._judged({bundle: data}, judge, lambda found: found is not None)

    def _judged(self, contents: Contents, judge: Callable[[Contents], T], will_do: Callable[[T], bool]) -> T:
        """Return what `judge` makes of objects; if they are malformed or will not do, of those past every cache."""
        before = len(self._findings)
        judged = judge(contents)
        if len(self._findings) == before and will_do(judged):
            return judged
        anew = {tile: self._anew(tile, data) for tile, data in contents.items()}
        if anew == contents:
            return judged
        del self._findings[before:]
        return judge(anew)

    def _anew(self, tile: Tile, rejected: bytes) -> bytes:
        if tile in self._missing:
            return rejected  # it was asked for past every cache already
        return self._or_nothing(tile, lambda: fetch_tile_anew(self._fetcher, tile, rejected, self._roomy))

    def _or_nothing(self, tile: Tile, fetch: Callable[[], bytes]) -> bytes:
        try:
            return fetch()
        except NotFound:
            self._missing[tile] = Finding(self._format.path(tile), MISSING)
        except TileError as error:
            self._missing[tile] = Finding(error.path, error.problem)
        return b""

    # ---- parsed

    def hashes(self, tile: Tile, data: bytes) -> Hashes | None:
        """Return the hashes in a tile; None, and a finding, if these are not the bytes of one."""
        try:
            return parse_tile(data, tile.width)
        except Malformed as error:
            self._wrong(tile, error)
            return None

    def leaves(self, bundle: Tile, data: bytes) -> list[Hash] | None:
        """Return the leaf hashes of the entries in a bundle; None, and a finding, if these are not the bytes of one."""
        try:
            return split_hashes(self._flat_leaves(bundle, data))
        except Malformed as error:
            self._wrong(bundle, error)
            return None

    def _flat_leaves(self, bundle: Tile, data: bytes) -> bytes:
        """Return the leaf hashes of the entries in a bundle, one after the other. Raises Malformed."""
        if self._format is TLOG_TILES:
            return bundle_leaves(data, bundle.width)
        return b"".join(self._format.leaf_hashes(self._format.parse_bundle(bundle, data)))

    def _whole(self, tile: Tile, data: bytes) -> bytes | None:
        """Return the bytes of a tile as they are; None, and a finding, if they are too few or too many."""
        if len(data) == tile.width * HASH_SIZE:
            return data
        self.hashes(tile, data)
        return None

    def _wrong(self, tile: Tile, error: Malformed) -> None:
        self._findings.append(self._missing.get(tile) or Finding(self._format.path(tile), error.problem))
