"""Logs of certificates (https://c2sp.org/static-ct-api): RFC 6962 logs that are read as files.

    checkpoint                   a checkpoint with a tree head of RFC 6962 for a signature
    tile/<L>/<N>[.p/<W>]         tiles of hashes, as tlog-tiles has them
    tile/data/<N>[.p/<W>]        a TileLeaf an entry; gzip-encoded, often on the log's own disk, too
    issuer/<fingerprint>         certificates of issuers

An entry is what its leaf hash is over: a MerkleTreeLeaf (RFC 6962, 3.4). The rest of a TileLeaf, the precertificate as
it was submitted and the fingerprints of its chain, is not in the tree: nothing shows that the log has not changed it.
"""

from __future__ import annotations

from tiles.errors import Malformed, TileError
from tiles.read.log_formats import MAX_TILE_SIZE, TlogTiles, cut_hashes
from tiles.store.bounded_gzip import MAGIC, decode
from tiles.tree.ct_bundle import tile_leaves
from tiles.tree.layout import BUNDLES, ENTRIES, TILE_WIDTH, TILES, Tile

DATA = f"{TILES}data/"
MAX_LEAF_SIZE = 1 << 17  # bytes of one entry with its chain, on average: logs take no more in one submission
MAX_DATA_SIZE = TILE_WIDTH * MAX_LEAF_SIZE


class StaticCt(TlogTiles):
    """A log of certificates."""

    def path(self, tile: Tile) -> str:
        """Return the path of a tile or data tile."""
        return tile.path.replace(BUNDLES, DATA, 1) if tile.level == ENTRIES else tile.path

    def limit(self, tile: Tile) -> int:
        """Return how many bytes of a tile or data tile to read at most."""
        return MAX_DATA_SIZE if tile.level == ENTRIES else MAX_TILE_SIZE

    def parse_bundle(self, bundle: Tile, data: bytes) -> list[bytes]:
        """Return the MerkleTreeLeaf of each entry in a data tile. Raises Malformed."""
        first = bundle.index * TILE_WIDTH
        return [leaf.entry for leaf in tile_leaves(_plain(data), bundle.width, first)]

    def decoded(self, tile: Tile, data: bytes) -> bytes:
        """Return a tile or data tile as a log serves it. Raises Malformed."""
        return _plain(data) if tile.level == ENTRIES else data

    def issuers(self, bundle: Tile, data: bytes) -> set[bytes]:
        """Return the fingerprints of the issuers that a data tile names. Raises Malformed."""
        leaves = tile_leaves(_plain(data), bundle.width, bundle.index * TILE_WIDTH)
        return {fingerprint for leaf in leaves for fingerprint in leaf.issuers}

    def cut(self, tile: Tile, full: bytes) -> bytes:
        """Return a partial tile or data tile, cut from the full one. Raises TileError, which names the full one."""
        path = self.path(tile.full)
        if tile.level != ENTRIES:
            return cut_hashes(tile, full, path)
        try:
            leaves = tile_leaves(_plain(full), TILE_WIDTH, tile.index * TILE_WIDTH)
        except Malformed as error:
            raise TileError(path, error.problem, evidence={path: full}) from None
        return b"".join(leaf.data for leaf in leaves[: tile.width])


def _plain(data: bytes) -> bytes:
    """Return a data tile that may be gzip-encoded, as a log keeps it on its disk. Raises Malformed."""
    # no timestamp of the next 70 million years begins as gzip does
    return decode(data, MAX_DATA_SIZE) if data.startswith(MAGIC) else data
