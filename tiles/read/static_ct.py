"""Logs of certificates (https://c2sp.org/static-ct-api): RFC 6962 logs that are read as files.

    checkpoint                   a checkpoint with a tree head of RFC 6962 for a signature
    tile/<L>/<N>[.p/<W>]         tiles of hashes, as tlog-tiles has them
    tile/data/<N>[.p/<W>]        a TileLeaf an entry; gzip-encoded, often on the log's own disk, too
    issuer/<fingerprint>         certificates of issuers

An entry is what its leaf hash is over: a MerkleTreeLeaf (RFC 6962, 3.4). The rest of a TileLeaf, the precertificate as
it was submitted and the fingerprints of its chain, is not in the tree: nothing shows that the log has not changed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tiles.errors import Malformed, TileError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.read.log_formats import MAX_TILE_SIZE
from tiles.store.bounded_gzip import MAGIC, decode
from tiles.tree.layout import ENTRIES, TILE_WIDTH, TILES, Tile
from tiles.tree.merkle import HASH_SIZE, Hash, leaf_hashes
from tiles.tree.reader import cut

DATA = f"{TILES}data/"
MAX_LEAF_SIZE = 1 << 17  # bytes of one entry with its chain, on average: logs take no more in one submission
MAX_DATA_SIZE = TILE_WIDTH * MAX_LEAF_SIZE
MAX_LEVEL = 5  # "<L> … between 0 and 5"

X509, PRECERT = 0, 1  # LogEntryType
_V1_TIMESTAMPED = b"\0\0"  # MerkleTreeLeaf: version v1, leaf_type timestamped_entry
_LEAF_INDEX = 0  # ExtensionType
_WHAT = "entry of a log of certificates"


class StaticCt:
    """A log of certificates."""

    name = "static-ct"
    checkpoint = "checkpoint"

    def path(self, tile: Tile) -> str:
        """Return the path of a tile or data tile."""
        return tile.path.replace("tile/entries/", DATA, 1) if tile.level == ENTRIES else tile.path

    def limit(self, tile: Tile) -> int:
        """Return how many bytes of a tile or data tile to read at most."""
        return MAX_DATA_SIZE if tile.level == ENTRIES else MAX_TILE_SIZE

    def parse_checkpoint(self, data: bytes) -> SignedCheckpoint:
        """Return the checkpoint in a signed note. Raises Malformed."""
        return parse_signed_checkpoint(data)

    def parse_bundle(self, bundle: Tile, data: bytes) -> list[bytes]:
        """Return the MerkleTreeLeaf of each entry in a data tile. Raises Malformed."""
        first = bundle.index * TILE_WIDTH
        return [leaf.entry for leaf in tile_leaves(data, bundle.width, first)]

    def leaf_hashes(self, entries: Sequence[bytes]) -> Sequence[Hash]:
        """Return the leaf hash of each entry (RFC 6962)."""
        return leaf_hashes(entries)

    def cut(self, tile: Tile, full: bytes) -> bytes:
        """Return a partial tile or data tile, cut from the full one. Raises TileError, which names the full one."""
        path = self.path(tile.full)
        if tile.level != ENTRIES:
            if len(full) != TILE_WIDTH * HASH_SIZE:
                problem = f"{len(full)} bytes instead of {TILE_WIDTH * HASH_SIZE}"
                raise TileError(path, problem, evidence={path: full})
            return cut(tile, full)
        try:
            leaves = tile_leaves(full, TILE_WIDTH, tile.index * TILE_WIDTH)
        except Malformed as error:
            raise TileError(path, error.problem, evidence={path: full}) from None
        return b"".join(leaf.data for leaf in leaves[: tile.width])


@dataclass(frozen=True, slots=True)
class TileLeaf:
    """One entry of a data tile.

    data    all its bytes
    entry   its MerkleTreeLeaf: what the tree has of it
    """

    data: bytes
    entry: bytes


def tile_leaves(data: bytes, width: int, first: int) -> list[TileLeaf]:
    """Return the entries of a data tile of `width` entries, the first of which has the index `first`.

    Raises Malformed for any other number of entries, and for an entry that says that it is another one.
    """
    if data.startswith(MAGIC):  # as a log keeps it on its disk; no timestamp of 70 million years begins so
        data = decode(data, MAX_DATA_SIZE)
    source = Bytes(data, "data tile")
    leaves = []
    for index in range(first, first + width):
        start = source.at
        timestamped, is_precert = read_timestamped(source, index)
        if is_precert:
            source.opaque(3)  # pre_certificate
        if len(source.opaque(2)) % HASH_SIZE:  # certificate_chain
            raise Malformed("data tile", f"the chain of entry {index} is not fingerprints of {HASH_SIZE} bytes")
        leaves.append(TileLeaf(data[start : source.at], _V1_TIMESTAMPED + timestamped))
    if source.left:
        raise Malformed("data tile", f"more than {width} entries")
    return leaves


class Bytes:
    """Bytes that are read from their beginning to their end (RFC 8446, section 3). Raises Malformed past it."""

    def __init__(self, data: bytes, what: str) -> None:
        self.data = data
        self.at = 0
        self._what = what

    @property
    def left(self) -> int:
        """How many are not read yet."""
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        if count > self.left:
            raise Malformed(self._what, f"cut short, {len(self.data)} bytes in all")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size: int) -> int:
        """Return the next number, of so many bytes."""
        return int.from_bytes(self.take(size), "big")

    def opaque(self, size: int) -> bytes:
        """Return the next bytes that stand behind their length, which has so many bytes."""
        return self.take(self.number(size))


def read_timestamped(source: Bytes, index: int | None) -> tuple[bytes, bool]:
    """Return the bytes of the next TimestampedEntry, and whether it is of a precertificate. Raises Malformed.

    index   which entry it has to be, if it says so; None: any
    """
    start = source.at
    source.take(8)  # timestamp
    kind = source.number(2)
    if kind not in (X509, PRECERT):
        raise Malformed(_WHAT, f"of type {kind}, which is neither a certificate nor a precertificate")
    if kind == PRECERT:
        source.take(HASH_SIZE)  # issuer_key_hash
    if not source.opaque(3):
        raise Malformed(_WHAT, "an empty certificate")
    said = leaf_index(source.opaque(2))
    if said is not None and index is not None and said != index:
        raise Malformed(_WHAT, f"entry {index} says that it is entry {said}")
    return source.data[start : source.at], kind == PRECERT


def leaf_index(extensions: bytes) -> int | None:
    """Return the index that an entry's extensions hold ("SCT Extension"); None if there is none. Raises Malformed.

    Logs that were RFC 6962 logs before have entries without.
    """
    source = Bytes(extensions, "extensions")
    found: dict[int, bytes] = {}
    while source.left:
        kind = source.number(1)
        if kind in found:  # "Duplicate extensions with the same ExtensionType MUST NOT be included"
            raise Malformed("extensions", "one type twice", kind)
        found[kind] = source.opaque(2)
    if _LEAF_INDEX not in found:
        return None
    if len(found[_LEAF_INDEX]) != 5:
        raise Malformed("extensions", "a leaf_index has 5 bytes", len(found[_LEAF_INDEX]))
    return int.from_bytes(found[_LEAF_INDEX], "big")
