"""Recomputing all of a log: entries → leaf hashes → tiles → root, each compared with what is published.

Tiles are read from the root downwards, so that the hash which each must have is known when it is read. They are judged
from the entries upwards (`tiles.tree.blame`), as the log's own server has them, whatever a cache before it has kept
(`tiles.upkeep.objects`). A run of 65,536 entries, those below one tile of level 1, depends on nothing else: it is a job
for workers (`tiles.workers`). Memory holds at most 65,536 hashes for each level of tiles, and the few bundles that each
worker fetches, whatever the size of the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import Any

from tiles.errors import AccessError, LogError, Malformed, NotFound, TileError
from tiles.notes.policy import Policy
from tiles.notes.withheld import Entry
from tiles.read.fetcher import is_local
from tiles.read.layouts import LAYOUTS
from tiles.read.log_formats import LogFormat
from tiles.read.pruned import is_pruned
from tiles.read.runs import Hands, opened
from tiles.read.withheld import WithheldEntries
from tiles.records.layout_names import TLOG_TILES
from tiles.records.paths import WITHHELD, withheld_bundle, withheld_path
from tiles.store import Fetcher, Store
from tiles.tree.blame import Finding, Hashes, Stated, children, judge_edge, judge_tile, leads_to_root
from tiles.tree.layout import ENTRIES, TILE_WIDTH, edge_tiles, parse_tile_path
from tiles.tree.merkle import Hash, TreeHead
from tiles.upkeep.objects import MISSING, Objects
from tiles.upkeep.strays import take_inventory

_AT_ONCE = 1 << 18  # bytes of bundles that are hashed in one call; the allocator gives back more than that each time

_NO_TURNS = nullcontext()
Pairs = list[tuple[bytes, bytes]]  # level-0 tiles, each with its bundle
Run = tuple[list[Hash | None], list[Finding]]  # the hash of each tile below one of level 1; the findings


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found; a sound log has no findings.

    withheld   the entries that the log says it withholds
    pruned     how many objects are not there because the log has pruned them
    """

    tree: TreeHead
    findings: tuple[Finding, ...]
    withheld: tuple[Entry, ...] = ()
    pruned: int = 0


def audit(
    fetcher: Fetcher,
    tree: TreeHead,
    *,
    store: Store | None = None,
    policy: Policy | None = None,
    progress: Callable[[int], None] | None = None,
    hands: Hands | None = None,
    withheld: WithheldEntries | None = None,
    minimum: int = 0,
    layout: str = TLOG_TILES,
) -> Report:
    """Recompute the tree of a checkpoint that was accepted, and return every finding, not only the first.

    store      lists the log: then everything else below tile/ and checkpoints/ is checked too
    policy     verifies the log's signatures on the checkpoints that are kept in `store`; None leaves them unverified
    progress   is called with how many more entries were recomputed
    hands      recompute runs of 65,536 entries
    withheld   what the log says of entries that it withholds; a bundle with such entries may be missing
    minimum    what is below this index the log may have pruned
    layout     how the log keeps its objects (`tiles.records.layout_names`); `store` and `withheld` are for our own

    What cannot be checked because a tile is damaged is not reported as well. Raises AccessError if reading fails.
    """
    walk = Walk(fetcher, tree, progress, hands, layout)
    walk.walk()
    if store is not None:
        damaged = {finding.path for finding in walk.findings}
        walk.findings += take_inventory(store, fetcher, tree, policy, damaged)
    kept = [finding for finding in walk.findings if not _may_be_pruned(finding, minimum)]
    findings = tuple(_at_home(finding, LAYOUTS[layout]) for finding in kept)
    report = Report(tree, findings, pruned=len(walk.findings) - len(kept))
    return report if withheld is None else _without_withheld(report, withheld, store)


def _may_be_pruned(finding: Finding, minimum: int) -> bool:
    """Whether it is of an object that is not there, and that the log may have pruned."""
    if finding.problem == MISSING and minimum:
        with suppress(Malformed):
            return is_pruned(parse_tile_path(finding.path), minimum)
    return False


def _at_home(finding: Finding, log_format: LogFormat) -> Finding:
    """Return a finding under the path that the log's format has for a tile or bundle."""
    with suppress(Malformed):
        return replace(finding, path=log_format.path(parse_tile_path(finding.path)))
    return finding


def _without_withheld(report: Report, withheld: WithheldEntries, store: Store | None) -> Report:
    """Return the report: a bundle that is missing is no finding if the log has signed that it withholds some of it."""
    missing = {bundle: finding for finding in report.findings if (bundle := _missing_bundle(finding)) is not None}
    listed = (withheld_bundle(each.path) for each in store.list(WITHHELD)) if store is not None else ()
    bundles = sorted({*missing, *(bundle for bundle in listed if bundle is not None)})
    entries: list[Entry] = []
    left = list(report.findings)
    for bundle in bundles:
        try:
            found = withheld.of_bundle(bundle)
        except (LogError, NotFound) as error:
            left.append(
                Finding(withheld_path(bundle), error.problem if isinstance(error, TileError) else error.message)
            )
            continue
        entries += found
        if found and bundle in missing:
            left.remove(missing[bundle])
    return replace(report, findings=tuple(left), withheld=tuple(entries))


def _missing_bundle(finding: Finding) -> int | None:
    """Return which bundle it is that is not there; None for any other finding."""
    if finding.problem != MISSING:
        return None
    with suppress(Malformed):
        tile = parse_tile_path(finding.path)
        return tile.index if tile.level == ENTRIES else None
    return None


class Walk:
    """One audit, in the process that collects the findings."""

    def __init__(
        self,
        fetcher: Fetcher,
        tree: TreeHead,
        progress: Callable[[int], None] | None = None,
        hands: Hands | None = None,
        layout: str = TLOG_TILES,
    ) -> None:
        self._fetcher = fetcher
        self._layout = layout
        self._tree = tree
        self._progress = progress
        self._hands = hands or Hands()
        self.findings: list[Finding] = []

    def walk(self) -> None:
        """Recompute what is below each tile of the right edge, then judge the edge by the root."""
        stated = self.edge()
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
            return self._taken(recompute_run(self._fetcher, above, self._layout))
        if level > 2:
            return [self._judged(below, self.below(below)) for below in self._children(above)]
        stated = list(self._children(above))
        workers, share = self._hands.workers, self._hands.share(self._fetcher)
        turns = Lock() if workers.is_here and is_local(self._fetcher) else _NO_TURNS
        here = partial(recompute_run, self._fetcher, layout=self._layout, parallel=share, turns=turns)
        there = partial(_recompute_run_at, self._hands.url, self._layout, share)
        runs = workers.each(stated, here, there)
        return [self._judged(below, self._taken(run)) for below, run in zip(stated, runs, strict=True)]

    def _children(self, above: Stated) -> Iterator[Stated]:
        tiles = (child for at in range(above.tile.width) for child in children(above.tile, at))
        objects = self._objects()
        for position, (tile, data) in enumerate(objects.fetch_all(tiles)):
            yield objects.stated(above, position, tile, data)

    def _judged(self, stated: Stated, computed: Sequence[Hash | None]) -> Hash | None:
        found, findings = judge_tile(stated, computed)
        self.findings += findings
        return found

    def _taken(self, run: Run) -> list[Hash | None]:
        computed, findings = run
        self.findings += findings
        self._count(len(computed) * TILE_WIDTH)
        return computed

    def edge(self) -> dict[int, Hashes | None]:
        """Return the hashes of the edge tiles by level; None, and a finding, for one that is missing or malformed."""
        return self._objects().edge(self._tree)

    def _objects(self) -> Objects:
        return Objects(self._fetcher, self.findings, LAYOUTS[self._layout])

    def _last_leaves(self, above: Stated) -> Sequence[Hash | None]:
        """Return the leaf hashes of the last bundle, which is partial."""
        (bundle,) = children(above.tile, 0)
        leaves = self._objects().last_leaves(bundle, above.hashes)
        self._count(bundle.width)
        return leaves or [None] * bundle.width

    def _count(self, entries: int) -> None:
        if self._progress:
            self._progress(entries)


def recompute_run(
    fetcher: Fetcher,
    above: Stated,
    layout: str = TLOG_TILES,
    parallel: int | None = None,
    turns: AbstractContextManager[Any] = _NO_TURNS,
) -> Run:
    """Recompute the level-0 tiles below a tile of level 1 from their entries.

    parallel   how many objects to fetch at a time; None for as many as the fetcher says
    turns      entered to read a few objects. Threads that read small files in turns, while others hash, take less time
               than those that ask each other for the interpreter at each call of the system
    Returns the hash of each, None where it is not known, and the findings.
    """
    findings: list[Finding] = []
    computed: list[Hash | None] = []
    objects = Objects(fetcher, findings, LAYOUTS[layout], parallel)
    for pairs in _in_turns(_pieces(objects.pairs(above)), turns):
        roots = objects.agreed_roots(above.tile.index * TILE_WIDTH + len(computed), pairs)
        for contents, agreed in zip(pairs, roots, strict=True):
            position = len(computed)
            if agreed is not None and agreed == above.says(position):
                computed.append(agreed)
                continue
            pair = objects.pair(above, position, *contents)
            computed.append(pair.root)
            findings += pair.findings
    return computed, findings


def _in_turns(pieces: Iterator[Pairs], turns: AbstractContextManager[Any]) -> Iterator[Pairs]:
    while True:
        with turns:
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _pieces(pairs: Iterator[tuple[bytes, bytes]]) -> Iterator[Pairs]:
    """Yield a few pairs of a tile and a bundle at a time, which are hashed at once."""
    piece: Pairs = []
    held = 0
    for tile, bundle in pairs:
        piece.append((tile, bundle))
        held += len(bundle)
        if held > _AT_ONCE:
            yield piece
            piece, held = [], 0
    if piece:
        yield piece


def is_sound(fetcher: Fetcher, parallel: int, above: Stated) -> bool:
    """Whether all below a tile of level 1 that is believed could be read, and is right."""
    try:
        return not recompute_run(fetcher, above, TLOG_TILES, parallel)[1]
    except AccessError:
        return False


def is_sound_at(url: str, parallel: int, above: Stated) -> bool:
    """Say the same in another process, which opens the log itself."""
    return is_sound(opened(url), parallel, above)


def _recompute_run_at(url: str, layout: str, parallel: int, above: Stated) -> Run:
    """Call `recompute_run` in another process, which opens the log itself: a fetcher cannot be sent to it."""
    return recompute_run(opened(url), above, layout, parallel)
