"""Which entries of a bundle are believed: those that hash to the leaves of a tree that is itself believed.

And which bundles hold a range of entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tiles.errors import Malformed, TileError
from tiles.read.log_formats import LogFormat
from tiles.read.verified_tree import VerifiedTree
from tiles.tree.layout import ENTRIES, TILE_WIDTH, Tile, tile_at
from tiles.tree.merkle import Hash
from tiles.tree.proof import Node

CHUNK = 64  # bundles whose tiles are read together


def believed_entries(log_format: LogFormat, bundle: Tile, data: bytes, leaves: Sequence[Hash]) -> list[bytes]:
    """Return the entries in a bundle's bytes.

    leaves   the leaf hashes of the bundle's entries, in order, believed
    Raises TileError, by the path that the log's format has for the bundle, unless each entry hashes to its leaf.
    """
    path = log_format.path(bundle)
    evidence = {path: data}
    try:
        entries = log_format.parse_bundle(bundle, data)
    except Malformed as error:
        raise TileError(path, error.problem, evidence=evidence) from None
    pairs = zip(log_format.leaf_hashes(entries), leaves, strict=True)
    for index, (found, leaf) in enumerate(pairs, bundle.index * TILE_WIDTH):
        if found != leaf:
            problem = f"entry {index} hashes to {found.hex()}, and the tree says {leaf.hex()}"
            raise TileError(path, problem, evidence=evidence | {"expected": leaf, "computed": found})
    return entries


def leaves_of(tree: VerifiedTree, start: int, stop: int) -> Iterator[Sequence[Hash]]:
    """Yield the leaf hashes of the entries [start, stop) in runs, in order; level-0 tiles are read for them."""
    for bundles in bundles_of(tree.size, start, stop):
        tree.read([first_leaf(bundle) for bundle in bundles])
        runs = [tree.leaf_hashes(bundle) for bundle in bundles]  # now: other reading may make the tree forget them
        for bundle, hashes in zip(bundles, runs, strict=True):
            first = bundle.index * TILE_WIDTH
            yield hashes[max(0, start - first) : stop - first]


def bundles_of(size: int, start: int, stop: int) -> Iterator[list[Tile]]:
    """Yield the bundles that hold the entries [start, stop), as many at a time as are read together."""
    indexes = range(start // TILE_WIDTH, -(-stop // TILE_WIDTH) if start < stop else start // TILE_WIDTH)
    for at in range(0, len(indexes), CHUNK):
        yield [tile_at(size, ENTRIES, index) for index in indexes[at : at + CHUNK]]


def first_leaf(bundle: Tile) -> Node:
    """Return a node of the level-0 tile at a bundle's place."""
    return Node(0, bundle.index * TILE_WIDTH)
