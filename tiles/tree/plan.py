"""Planning a batch: (right edge, entries) → the objects to write, the new right edge, the new root. Pure.

Tile paths and contents are those of https://c2sp.org/tlog-tiles. A plan depends on the edge and the entries alone:
every run that plans the same batch on the same tree, now or after a crash, writes the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tiles.errors import UsageError
from tiles.tree.bundle import encode_batch
from tiles.tree.edge import Edge
from tiles.tree.layout import ENTRIES, TILE_WIDTH, level_size, tile_at
from tiles.tree.merkle import HASH_SIZE, MAX_TREE_SIZE, Hash, TreeHead, split_hashes
from tiles.tree.tile import full_roots, grow_level

_FULL = HASH_SIZE * TILE_WIDTH  # bytes of a full tile


@dataclass(frozen=True)
class Plan:
    """What to write to append `count` entries to a tree of size `base`.

    pieces    the new entries, length-prefixed, cut where bundles begin
    objects   public path → content, immutable; in no particular order
    leaves    the leaf hashes of the new entries, flat
    edge      the right edge of the new tree
    """

    base: int
    count: int
    pieces: Sequence[bytes] = field(repr=False)
    objects: Mapping[str, bytes] = field(repr=False)
    edge: Edge = field(repr=False)
    leaves: bytes = field(repr=False)
    _held: dict[bytes, bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def tree(self) -> TreeHead:
        """The tree head once the entries are in."""
        return self.edge.tree

    def holds(self, some: bytes) -> bool:
        """Whether some bytes are in the new entries, which are looked through once for it."""
        if some not in self._held:
            last = some[-1:]  # looking for one byte takes a tenth of the time, and few entries have a newline
            self._held[some] = any(last in piece and some in piece for piece in self.pieces)
        return self._held[some]


def plan(edge: Edge, entries: Sequence[bytes]) -> Plan:
    """Return the plan that appends `entries`, at least one, to the tree at `edge`.

    Raises UsageError for an entry over 65,535 bytes or a tree that would exceed MAX_TREE_SIZE.
    """
    size = edge.size + len(entries)
    if not entries:
        raise UsageError("a batch holds at least one entry")
    if size > MAX_TREE_SIZE:
        raise UsageError(f"a tree of {size} entries is larger than {MAX_TREE_SIZE}")
    pieces, leaves = encode_batch(entries, TILE_WIDTH - edge.size % TILE_WIDTH)
    bundles = [edge.bundle + pieces[0], *pieces[1:]]
    objects = {
        tile_at(size, ENTRIES, index).path: content for index, content in enumerate(bundles, edge.size // TILE_WIDTH)
    }
    levels: list[tuple[Hash, ...]] = []
    new = leaves
    while level_size(size, level := len(levels)) > 0:
        partial = b"".join(edge.hashes[level]) if level < len(edge.hashes) else b""
        every = partial + new
        if new:
            grown = grow_level(level, level_size(edge.size, level), every)
            objects.update((tile.path, content) for tile, content in grown)
        new = full_roots(every) if len(every) >= _FULL else b""
        levels.append(tuple(split_hashes(every[TILE_WIDTH * len(new) :])))
    bundle = bundles[-1] if size % TILE_WIDTH else b""
    return Plan(edge.size, len(entries), pieces, objects, Edge(size, tuple(levels), bundle), leaves)
