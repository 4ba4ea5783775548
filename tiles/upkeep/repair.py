"""Putting back what a log has lost, and setting aside what does not belong there.

    the published tree, recovered → other partial tiles, cut from it → tiles in the way of the log, set aside

Every object is proven against the signed root before it is written (`tiles.upkeep.rebuild`); `tiles.upkeep.replace`
changes the objects, and says why a run that dies at any step is finished by the next one. A tile beyond every tree
that was committed or published, or with another content than the committed tree has there, stops the writer whose tree
grows to it. It is set aside if the caller has fenced the anchor, and is a finding otherwise (`tiles.write.in_the_way`).
Head, staged batches and checkpoints are only read. Any number of runs, readers and writers may be at work meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from tiles.errors import LogError, Malformed, NotFound, Refused, TileError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.keys import parse_vkey
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import Policy
from tiles.read.log_formats import MAX_BUNDLE_SIZE
from tiles.read.runs import Hands
from tiles.read.tiles import TileSource
from tiles.read.verified_tree import VerifiedTree
from tiles.records.head import Head
from tiles.records.paths import CHECKPOINTS, SET_ASIDE, kept_size
from tiles.store import Fetcher, Store
from tiles.tree.blame import Finding
from tiles.tree.bundle import parse_bundle
from tiles.tree.layout import ENTRIES, TILE_HEIGHT, TILE_WIDTH, Tile, parse_tile_path
from tiles.tree.merkle import TreeHead, leaf_hashes
from tiles.tree.proof import Node
from tiles.tree.reader import cut_from_larger
from tiles.upkeep.candidates import Sources
from tiles.upkeep.rebuild import CUT, Recovery, Wanted
from tiles.upkeep.replace import PUT_BACK, REMOVED, REPLACED, Restorer
from tiles.upkeep.strays import check_tiles, in_tree
from tiles.write.in_the_way import committed_objects, in_the_way, listed_tiles, reaches_beyond
from tiles.write.load import read_head
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts
from tiles.write.prepare import as_settled

COMMITTED = "planned from the committed batch"
_CHUNK = 256  # objects

Told = Callable[[str, str, str], None]  # path; put back, replaced or set aside; how


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair came to.

    put_back, replaced   how many objects were missing, and how many were wrong; they are right now
    set_aside            how many objects were removed because no checkpoint covers them
    aside                where in the private part the old contents of what was replaced or set aside are
    notes                what was left alone, and why
    findings             what could not be repaired
    """

    tree: TreeHead
    put_back: int
    replaced: int
    set_aside: int
    aside: str
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]


def repair(
    fetcher: Fetcher,
    public: Store,
    private: Store,
    signed: SignedCheckpoint,
    policy: Policy,
    *,
    now: float,
    mirror: Fetcher | None = None,
    fenced: bool = False,
    dry_run: bool = False,
    told: Told | None = None,
    progress: Callable[[int], None] | None = None,
    hands: Hands | None = None,
) -> Repaired:
    """Put right the tiles and bundles of a log, and return what was put right and what could not be.

    fetcher    reads the log
    signed     its published checkpoint, which the policy has accepted
    now        seconds since the epoch
    mirror     reads a copy of the log, which may have what this one lacks; its bytes are proven before they are used
    fenced     the anchor was fenced by now, so nobody who loaded the log before can sign: set aside what is in the way
    dry_run    change nothing, and tell what would be
    told       is called with each object that was put right, and how
    progress   is called with how many more entries were checked
    hands      look for what is wrong, which is put right here

    Raises NotFound if there is no head, Refused if it is another log's; AccessError if reading or writing fails.
    """
    head = read_head(private)[0]
    if head.origin != signed.origin:
        raise Refused(f"{private.url} is the private part of the log {head.origin}, not of {signed.origin}")
    parts = Parts(as_settled(Parts(public, private)), private)
    order = _Order(now, fenced, dry_run, told, progress)
    return _Repair(Sources.of(fetcher, mirror, hands), parts, _Subject(signed, policy, head), order).run()


@dataclass(frozen=True, slots=True)
class _Order:
    """How a repair is to be done, as `repair` was told."""

    now: float
    fenced: bool
    dry_run: bool
    told: Told | None
    progress: Callable[[int], None] | None


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is repaired: the published checkpoint, the policy that has accepted it, and the log's head."""

    signed: SignedCheckpoint
    policy: Policy
    head: Head


class _Repair:
    """One repair."""

    def __init__(self, sources: Sources, parts: Parts, subject: _Subject, order: _Order) -> None:
        self._sources = sources
        self._public = parts.public
        self._private = parts.private
        self._tree = subject.signed.tree
        self._verified = VerifiedTree(TileSource(sources.here, lenient=False), self._tree, subject.signed.origin)
        # policies change, so it is not known which cosignatures an older checkpoint needed
        self._signers = subject.policy.without_quorum()
        self._head = subject.head
        self._progress = order.progress
        self._told = order.told
        self._dry_run = order.dry_run
        self._fenced = order.fenced
        self._parts = parts
        self._pretended: set[str] = set()
        self._restorer = Restorer(parts, order.now, dry_run=order.dry_run, told=self._tell)
        self._notes: list[str] = []
        self._findings: list[Finding] = []

    def run(self) -> Repaired:
        """Recover the tree, then put right what is beside it."""
        restorer = self._restorer
        committed = max(self._head.tree.size, self._tree.size)
        tree = Recovery(self._sources, Wanted(self._tree, committed), restorer.put, self._progress)
        tree.run()
        restorer.flush()
        self._findings += tree.findings
        self._mend_others()
        self._put_back_others()
        restorer.flush()
        self._clear_the_way()
        self._set_foreign_aside()
        restorer.close()
        if self._sources.mirror is not None and self._sources.mirror.trouble:
            self._notes.append(f"the mirror could not always be read: {self._sources.mirror.trouble}")
        counts = restorer.counts
        return Repaired(
            self._tree,
            counts[PUT_BACK],
            counts[REPLACED],
            counts[REMOVED],
            restorer.aside,
            tuple(self._notes),
            (*self._findings, *restorer.failures),
        )

    def _tell(self, path: str, what: str, how: str) -> None:
        if self._dry_run:
            self._pretended.add(path)
        if self._told is not None:
            self._told(path, what, how)

    # ---- partial tiles of earlier trees: readers of older checkpoints need them

    def _mend_others(self) -> None:
        """Replace partial tiles and bundles that are not the beginning of the tree's own ones in their place."""
        strange = 0
        damaged = {finding.path for finding in self._findings} | self._pretended
        for finding in check_tiles(self._public, self._sources.here, self._tree, damaged):
            try:
                tile = parse_tile_path(finding.path)
            except Malformed:
                strange += 1
                continue
            known = in_tree(self._tree, tile)
            if known is None or tile.width > known.width:
                continue
            if (data := self._proven(tile, known)) is not None:
                self._restorer.put(tile.path, data, CUT)
            elif not self._pretended:
                self._findings.append(finding)
        if self._pretended:
            self._notes.append("partial tiles of earlier trees can only be judged once this tree is repaired")
        if strange:
            self._notes.append(f"{strange} objects below tile/ have names that no tile has, and were left alone")

    def _put_back_others(self) -> None:
        """Put back partial tiles that a dead run set aside and did not replace, unless readers find a full one."""
        for listed in self._private.list(SET_ASIDE):
            with suppress(Malformed):
                tile = parse_tile_path(listed.path.removeprefix(SET_ASIDE).partition("/")[2])
                known = in_tree(self._tree, tile)
                if known is None or known.is_full or tile.width >= known.width or self._is_there(tile):
                    continue
                if (data := self._proven(tile, known)) is not None:
                    self._restorer.put(tile.path, data, CUT)

    def _is_there(self, tile: Tile) -> bool:
        try:
            self._public.read(tile.path, MAX_BUNDLE_SIZE)
        except NotFound:
            return False
        return True

    def _proven(self, tile: Tile, known: Tile) -> bytes | None:
        """Return the content of a partial tile or bundle, cut from the tree's own one; None if that is not sound."""
        tree, first = self._verified, tile.index * TILE_WIDTH
        try:
            if tile.level != ENTRIES:
                nodes = [Node(TILE_HEIGHT * tile.level, first + at) for at in range(tile.width)]
                tree.read(nodes)
                return b"".join(map(tree.hash, nodes))
            (data,) = tree.read([Node(0, first)], [known])
            right = leaf_hashes(parse_bundle(data, known.width)) == list(tree.leaf_hashes(known))
        except (NotFound, TileError, Malformed):
            return None
        return cut_from_larger(tile, data) if right else None

    # ---- tiles of no tree

    def _clear_the_way(self) -> None:
        """Put the committed tree's own tiles in the place of others, if it is not published yet."""
        head = read_head(self._private)[0]
        tree = OwnTree(self._public, *map(parse_vkey, head.vkeys))
        objects = committed_objects(self._parts, tree, head, self._tree)
        for path in in_the_way(self._public, objects):
            if self._fenced:
                self._restorer.put(path, objects[path], COMMITTED)
            else:
                self._leave(path, "not what the committed batch leads to")
        self._restorer.flush()

    def _leave(self, path: str, why: str) -> None:
        self._findings.append(Finding(path, f"{why}; `tiletree repair LOG --head` sets it aside"))

    def _set_foreign_aside(self) -> None:
        """Set aside the tiles that reach beyond every tree that was committed or published."""
        covered = max(self._head.tree.size, self._largest_kept())
        beyond = 0
        found = (tile for tile in listed_tiles(self._public) if reaches_beyond(tile, self._tree.size))
        while chunk := list(islice(found, _CHUNK)):
            # A writer commits a tree before it writes its tiles: a head read after the listing covers what it wrote.
            covered = max(covered, read_head(self._private)[0].tree.size)
            foreign = [tile for tile in chunk if reaches_beyond(tile, covered)]
            beyond += len(chunk) - len(foreign)
            for tile in foreign:
                why = f"beyond the {covered} entries that are committed"
                if self._fenced:
                    self._restorer.remove(tile.path, why)
                else:
                    self._leave(tile.path, why)
            self._restorer.flush()
            if foreign and self._fenced and not self._dry_run:
                self._undo_if_committed(foreign)
        if covered > self._tree.size:
            self._notes.append(
                f"a tree of size {covered} is committed, or was published before, and {self._tree.size} entries are "
                f"published now: {beyond} of its tiles were left alone"
            )

    def _undo_if_committed(self, tiles: Sequence[Tile]) -> None:
        """Put back tiles of a tree that was committed meanwhile: its writer may have found them, and relied on them."""
        size = read_head(self._private)[0].tree.size
        for tile in tiles:
            if not reaches_beyond(tile, size):
                self._restorer.undo(tile.path)
                self._notes.append(f"{tile.path} is part of a tree that was committed meanwhile, and was put back")

    def _largest_kept(self) -> int:
        """Return the size of the largest tree of which a signed checkpoint is kept."""
        largest = self._tree.size
        for listed in self._public.list(CHECKPOINTS):
            if (kept_size(listed.path) or 0) > largest:
                with suppress(LogError, NotFound):
                    kept = parse_signed_checkpoint(self._public.read(listed.path, MAX_NOTE_SIZE).data)
                    self._signers.accept(kept, self._head.origin)
                    largest = max(largest, kept.tree.size)
        return largest
