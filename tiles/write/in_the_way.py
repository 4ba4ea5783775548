"""Tiles in the way of a log: they have the names of tiles that its writer will create, and another content.

They are beyond the committed tree, or in the place of tiles that it will have once it is published. A writer can leave
them that was under way when the head was lost and made again (`tiles.write.lost_head`), and so can a disk.

They are set aside only once the anchor was fenced. Before that, a writer may be about to sign a tree that needs them:
if the head was put back, nothing else tells its tiles from those that nobody needs. Afterwards nobody can sign who
loaded the log before, and what was signed is a beginning of the committed tree, or that tree itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from tiles.errors import LogError, Malformed, NotFound, Refused, explained
from tiles.records.head import Head
from tiles.records.staged_batch import open_batch
from tiles.store import Store
from tiles.tree.layout import TILE_WIDTH, TILES, Tile, level_size, parse_tile_path
from tiles.tree.merkle import TreeHead
from tiles.tree.plan import plan
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts

IN_THE_WAY = explained("a-tile-is-in-the-way", "`tiletree repair LOG --head` sets aside what is in the way")


def reaches_beyond(tile: Tile, size: int) -> bool:
    """Tell whether a tile or bundle holds more than a tree of that size has in its place."""
    return tile.index * TILE_WIDTH + tile.width > level_size(size, tile.level)


def listed_tiles(public: Store) -> Iterator[Tile]:
    """Yield all tiles and bundles that are there."""
    for listed in public.list(TILES):
        with suppress(Malformed):
            yield parse_tile_path(listed.path)


def committed_objects(parts: Parts, tree: OwnTree, head: Head, published: TreeHead) -> Mapping[str, bytes]:
    """Return the tiles and bundles, by path, that the committed tree adds to the published one.

    Empty if all is published, or if the staged batch does not lead from the one to the other, for whatever reason.
    """
    with suppress(NotFound, LogError, Refused):
        if head.staged_path is not None and head.batch is not None and head.base == published.size < head.tree.size:
            batch = open_batch(parts.private.read(head.staged_path).data, head.tree.size, head.batch)
            planned = plan(tree.right_edge(published), batch.entries())
            if planned.tree == head.tree:
                return planned.objects
    return {}


def in_the_way(public: Store, objects: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the paths of those objects that are there with another content."""
    for path, data in sorted(objects.items()):
        with suppress(NotFound):
            if public.read(path).data != data:
                yield path


def is_in_the_way(parts: Parts, tree: OwnTree, head: Head, published: TreeHead) -> bool:
    """Tell whether any tile stops the next writer of a log, whose head is sound."""
    if any(reaches_beyond(tile, max(head.tree.size, published.size)) for tile in listed_tiles(parts.public)):
        return True
    return next(in_the_way(parts.public, committed_objects(parts, tree, head, published)), None) is not None
