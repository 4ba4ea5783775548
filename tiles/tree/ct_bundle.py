"""Data tiles of logs of certificates (https://c2sp.org/static-ct-api, "Log entries"): bytes → entries.

struct {
    TimestampedEntry timestamped_entry;             RFC 6962, 3.4
    ASN.1Cert pre_certificate;                      of a precert_entry only
    Fingerprint certificate_chain<0..2^16-1>;
} TileLeaf;                                         one after the other
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tiles.errors import Malformed
from tiles.tree.merkle import HASH_SIZE

X509, PRECERT = 0, 1  # LogEntryType
_V1_TIMESTAMPED = b"\0\0"  # MerkleTreeLeaf: version v1, leaf_type timestamped_entry
_LEAF_INDEX = 0  # ExtensionType
_WHAT = "entry of a log of certificates"


@dataclass(frozen=True, slots=True)
class TileLeaf:
    """One entry of a data tile.

    data    all its bytes
    entry   its MerkleTreeLeaf: what the tree has of it
    chain   the fingerprints of its issuers, one after the other
    """

    data: bytes
    entry: bytes
    chain: bytes

    @property
    def issuers(self) -> Iterator[bytes]:
        """The fingerprint of each issuer: SHA-256 of a certificate that the log keeps."""
        return (self.chain[at : at + HASH_SIZE] for at in range(0, len(self.chain), HASH_SIZE))


def tile_leaves(data: bytes, width: int, first: int) -> list[TileLeaf]:
    """Return the entries of a data tile of `width` entries, the first of which has the index `first`.

    Raises Malformed for any other number of entries, and for an entry that says that it is another one.
    """
    source = Bytes(data, "data tile")
    leaves = []
    for index in range(first, first + width):
        start = source.at
        timestamped, is_precert = read_timestamped(source, index)
        if is_precert:
            source.opaque(3)  # pre_certificate
        chain = source.opaque(2)
        if len(chain) % HASH_SIZE:
            raise Malformed("data tile", f"the chain of entry {index} is not fingerprints of {HASH_SIZE} bytes")
        leaves.append(TileLeaf(data[start : source.at], _V1_TIMESTAMPED + timestamped, chain))
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


@dataclass(frozen=True, slots=True)
class CtEntry:
    """What a MerkleTreeLeaf says.

    timestamp      milliseconds since 1970
    is_precert     whether `certificate` is the TBSCertificate of a precertificate, without the poison
    issuer_key     SHA-256 of the issuer's key, of a precertificate; otherwise b""
    index          which entry it says that it is; None if it does not
    """

    timestamp: int
    is_precert: bool
    issuer_key: bytes
    certificate: bytes
    index: int | None


def parse_ct_entry(entry: bytes) -> CtEntry:
    """Return what a MerkleTreeLeaf says. Raises Malformed for bytes that are none."""
    source = Bytes(entry, _WHAT)
    if source.take(len(_V1_TIMESTAMPED)) != _V1_TIMESTAMPED:
        raise Malformed(_WHAT, "not of version 1, or no timestamped_entry")
    read_timestamped(source, None)
    if source.left:
        raise Malformed(_WHAT, "something stands behind it", source.left)
    again = Bytes(entry[len(_V1_TIMESTAMPED) :], _WHAT)
    timestamp, is_precert = again.number(8), again.number(2) == PRECERT
    issuer_key = again.take(HASH_SIZE) if is_precert else b""
    return CtEntry(timestamp, is_precert, issuer_key, again.opaque(3), leaf_index(again.opaque(2)))
