"""Which entries of a bundle are believed: those that hash to the leaves of a tree that is itself believed."""

from __future__ import annotations

from collections.abc import Sequence

from tiles.errors import Malformed, TileError
from tiles.read.log_formats import LogFormat
from tiles.tree.layout import TILE_WIDTH, Tile
from tiles.tree.merkle import Hash


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
