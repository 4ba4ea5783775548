"""What differs between kinds of logs made of tiles: where their objects are, and what is in them.

Common to all of them, and so not here: tiles of hashes (`tiles.tree`), who has signed a checkpoint (`tiles.notes`), and
what is believed of what was read (`tiles.read.client`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tiles.errors import TileError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.tree import bundle as entry_bundle
from tiles.tree.bundle import MAX_ENTRY_SIZE
from tiles.tree.layout import CHECKPOINT, ENTRIES, TILE_WIDTH, Tile
from tiles.tree.merkle import HASH_SIZE, Hash, leaf_hashes
from tiles.tree.reader import cut

# Twice what a tile has, and one byte more than a bundle has: an object that is too long is to be fetched and called
# wrong. With the exact size as the limit it would only count as one that cannot be read.
MAX_TILE_SIZE = 2 * TILE_WIDTH * HASH_SIZE  # bytes
MAX_BUNDLE_SIZE = TILE_WIDTH * (2 + MAX_ENTRY_SIZE) + 1  # bytes


class LogFormat(Protocol):
    """How a client reads logs of one kind. A `Tile` of the level ENTRIES is an entry bundle."""

    @property
    def checkpoint(self) -> str:
        """The path of the checkpoint."""
        ...

    def path(self, tile: Tile) -> str:
        """Return the path of a tile or bundle."""
        ...

    def limit(self, tile: Tile) -> int:
        """Return how many bytes of a tile or bundle to read at most."""
        ...

    def parse_checkpoint(self, data: bytes) -> SignedCheckpoint:
        """Return the checkpoint in the object at that path. Raises Malformed."""
        ...

    def parse_bundle(self, bundle: Tile, data: bytes) -> list[bytes]:
        """Return the `bundle.width` entries in a bundle's bytes. Raises Malformed."""
        ...

    def leaf_hashes(self, entries: Sequence[bytes]) -> Sequence[Hash]:
        """Return the leaf hash of each entry."""
        ...

    def decoded(self, tile: Tile, data: bytes) -> bytes:
        """Return a tile or bundle as a log serves it, from the bytes that a log keeps of it. Raises Malformed."""
        ...

    def cut(self, tile: Tile, full: bytes) -> bytes:
        """Return a partial tile or bundle, cut from the full one. Raises TileError, which names the full one."""
        ...


class TlogTiles:
    """Logs as https://c2sp.org/tlog-tiles has them."""

    checkpoint = CHECKPOINT

    def path(self, tile: Tile) -> str:
        """Return the path of a tile or bundle."""
        return tile.path

    def limit(self, tile: Tile) -> int:
        """Return how many bytes of a tile or bundle to read at most."""
        return MAX_BUNDLE_SIZE if tile.level == ENTRIES else MAX_TILE_SIZE

    def parse_checkpoint(self, data: bytes) -> SignedCheckpoint:
        """Return the checkpoint in a signed note. Raises Malformed."""
        return parse_signed_checkpoint(data)

    def parse_bundle(self, bundle: Tile, data: bytes) -> list[bytes]:
        """Return the entries in a bundle's bytes. Raises Malformed."""
        return entry_bundle.parse_bundle(data, bundle.width)

    def leaf_hashes(self, entries: Sequence[bytes]) -> Sequence[Hash]:
        """Return the leaf hash of each entry (RFC 6962)."""
        return leaf_hashes(entries)

    def decoded(self, tile: Tile, data: bytes) -> bytes:  # noqa: ARG002
        """Return a tile or bundle as a log serves it, from the bytes that a log keeps of it. Raises Malformed."""
        return data

    def cut(self, tile: Tile, full: bytes) -> bytes:
        """Return a partial tile or bundle, cut from the full one. Raises TileError, which names the full one."""
        return cut(tile, full)


TLOG_TILES: LogFormat = TlogTiles()


def cut_hashes(tile: Tile, full: bytes, path: str) -> bytes:
    """Return a partial tile of hashes, cut from the full one. Raises TileError.

    path   of the full one, in a format that has a path of its own for it
    """
    size = TILE_WIDTH * HASH_SIZE
    if len(full) != size:
        raise TileError(path, f"{len(full)} bytes instead of {size}", evidence={path: full})
    return full[: tile.width * HASH_SIZE]


class _Roomy(TlogTiles):
    def limit(self, tile: Tile) -> int:  # noqa: ARG002
        """Return how many bytes of a tile or bundle to read at most."""
        return MAX_BUNDLE_SIZE


ROOMY: LogFormat = _Roomy()  # the same logs, for who wants to have objects much too long for a tile, too, and say so
