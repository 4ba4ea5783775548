"""How many requests to object stores one run makes, counted as the code makes them.

A log's private part is asked first (settings, head, policy), then its checkpoint and its anchor, then its inbox. A run
that has work stages and commits, writes tiles, signs, publishes and tidies up; then it lets the index follow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache

from tiles.index.find_leaves import FEW
from tiles.index.known import MAX_TAIL
from tiles.index.run import FILE_RECORDS, page_count
from tiles.notes.index_head import MAX_COVERED, RUN_ENTRIES, live_runs, run_range
from tiles.read.client import SCAN_LIMIT
from tiles.tree.edge import edge_objects
from tiles.tree.layout import ENTRIES, TILE_WIDTH, Tile, level_size, levels, tile_at
from tiles.tree.merkle import EMPTY_ROOT, TreeHead
from tiles.tree.proof import Node, consistency_nodes, root_nodes
from tiles.tree.reader import TreeReader

LIST_PAGE = 1000  # objects that one request lists or deletes, at most
_WINDOW = 8  # pages of a run that looking for one leaf hash reads, about


@dataclass(frozen=True, slots=True)
class Requests:
    """How many there are of each kind. delete: each deletes up to LIST_PAGE objects."""

    put: float = 0
    get: float = 0
    list: float = 0
    delete: float = 0
    sign: float = 0

    def __add__(self, other: Requests) -> Requests:
        return Requests(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def times(self, factor: float) -> Requests:
        """Return so many times as many."""
        return Requests(*(getattr(self, each.name) * factor for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Setup:
    """How a log is kept.

    anchor_in_bucket   the anchor is in a bucket, and not beside the key
    key_in_service     a service keeps the key, which has no name: the head is read for that of the log
    once               entries are logged once, as files are by default: each is looked for first
    kinds              of each kind of keys that the index has, in its order, how many keys an entry has; the first is
                       that of leaf hashes. () for a log without an index
    """

    anchor_in_bucket: bool = True
    key_in_service: bool = False
    once: bool = True
    kinds: tuple[float, ...] = (1, 1, 0, 0)


def idle(setup: Setup, waiting: int = 0) -> Requests:
    """Return the requests of a run that finds nothing to do. waiting: objects in the inbox."""
    pages = max(1, -(-waiting // LIST_PAGE))
    # head and settings twice (to be ready, and to be loaded), admission policy, batch of the head; checkpoint; anchor
    return Requests(get=7 + setup.anchor_in_bucket + setup.key_in_service, list=1 + pages)


def sequence(setup: Setup, base: int, count: int, submissions: int) -> Requests:
    """Return the requests of a run that logs entries of submissions on top of `base` entries, at least one of each."""
    taken = Requests(get=submissions, delete=-(-submissions // LIST_PAGE))
    return idle(setup, submissions) + taken + _batch(setup, base, count)


def add(setup: Setup, base: int, count: int) -> Requests:
    """Return the requests of an `add` of entries on top of `base` entries, at least one of each."""
    return idle(setup) + Requests(list=-2, get=1) + _batch(setup, base, count)  # it reads the new checkpoint at the end


def _batch(setup: Setup, base: int, count: int) -> Requests:
    edge, size = edge_objects(base), base + count
    written = tiles_written(base, size)
    found = Requests(
        # staged batch, head; checkpoint, the copy that is kept, that of the day; anchor
        put=5 + setup.anchor_in_bucket + len(written),
        # the right edge, for the plan, which the proof for the signer is made of; the day's copy that is there already
        get=len(edge) + 1,
        delete=1,
        sign=1,
    )
    return found + (_looked_for(setup, base, count) if setup.once else Requests()) + _index(setup, base, size)


def tiles_written(base: int, size: int) -> set[Tile]:
    """Return the tiles and bundles that a batch writes which takes a tree from one size to another."""
    found = set()
    for level in (ENTRIES, *levels(size)):
        old, new = level_size(base, level), level_size(size, level)
        if new > old:
            found |= {tile_at(size, level, index) for index in range(old // TILE_WIDTH, -(-new // TILE_WIDTH))}
    return found


def wanted(size: int, nodes: Iterable[Node]) -> set[Tile]:
    """Return the tiles that have to be read before the hashes of nodes of a tree are believed."""
    return set(TreeReader(TreeHead(size, EMPTY_ROOT)).wanted(list(nodes)))


def _looked_for(setup: Setup, base: int, count: int) -> Requests:
    """Return the requests by which entries are looked for: in the index, and among those that it does not cover."""
    if not base:
        return Requests()
    gets = 0.0
    covered = 0
    if setup.kinds and base > SCAN_LIMIT:
        covered = covered_of(base)
        gets += 1
        for place in live_runs(covered):
            records = len(run_range(*place))
            few = count == 1 or (count <= FEW and _WINDOW * count <= page_count(records))
            gets += count if few else run_objects(records)
    start = max(covered, base - MAX_TAIL)
    tail = [Node(0, tile * TILE_WIDTH) for tile in range(start // TILE_WIDTH, -(-base // TILE_WIDTH))]
    return Requests(get=gets + len(wanted(base, tail) - set(edge_objects(base))))


def covered_of(size: int) -> int:
    """Return how many entries of a log of a size an index covers."""
    return min(size, MAX_COVERED) // RUN_ENTRIES * RUN_ENTRIES


@cache
def run_objects(records: int) -> int:
    """Return how many objects a run of the index has: files of records, and tiles over their pages."""
    if not records:
        return 0
    hashes = {tile for tile in tiles_written(0, page_count(records)) if tile.level != ENTRIES}
    return -(-records // FILE_RECORDS) + len(hashes)


def _index(setup: Setup, base: int, size: int) -> Requests:
    """Return the requests by which the index follows the log."""
    goal, old = covered_of(size), covered_of(base)
    if not setup.kinds or not goal:
        return Requests()
    # which kinds are given up, which there are; the checkpoint; of each kind its head
    found = Requests(get=2 + len(setup.kinds), list=1)
    known = wanted(size, root_nodes(old))
    found += Requests(get=len(known))
    if goal == old:
        return found
    signing = len(wanted(size, (node for part in consistency_nodes(goal, size) for node in part)))
    signed = Requests(put=1, get=signing + 2 * setup.anchor_in_bucket, sign=1)
    bundles = range(old // TILE_WIDTH, -(-base // TILE_WIDTH))  # what was read before this run
    leaves = wanted(size, [*root_nodes(goal), *(Node(0, tile * TILE_WIDTH) for tile in bundles)])
    found += Requests(get=len(leaves - known))
    live = live_runs(old)
    new = [place for place in live_runs(goal) if place not in live]
    for number, keys in enumerate(setup.kinds):
        found += signed + Requests(get=len(bundles) if number else 0)
        for place in new:
            covers = run_range(*place)
            merged = [each for each in live if run_range(*each).start in covers]
            found += Requests(
                put=run_objects(round(keys * len(covers))),
                get=sum(run_objects(round(keys * len(run_range(*each)))) for each in merged),
            )
    return found
