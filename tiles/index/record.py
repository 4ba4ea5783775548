"""Records: from a key to the entries that have it; docs/index-format.md, "Records". Pure.

first 10 bytes of SHA-256(kind ‖ 0x00 ‖ value) ‖ index of the entry, 6 bytes, most significant first

A value of `leaf/1` is a SHA-256 that nobody can choose; its own first 10 bytes are taken, which costs nothing.
Many records are joined: one after the other, as a run stores them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from struct import Struct
from struct import pack as pack_numbers

from tiles.entries.key_kinds import may_have, values_by
from tiles.entries.kind import LEAF, Key
from tiles.errors import UsageError
from tiles.native import compiled
from tiles.notes.index_head import MAX_COVERED
from tiles.tree.merkle import HASH_SIZE, flat_leaves

PREFIX_SIZE = 10  # bytes of the hash of a key
RECORD_SIZE = 16  # bytes

_INDEX_SIZE = RECORD_SIZE - PREFIX_SIZE
_RECORD = Struct(f">{PREFIX_SIZE}sHI")  # cuts the hash off, too: faster than slices
_LOW = 1 << 32  # what the last part of an index counts to


def key_prefix(key: Key) -> bytes:
    """Return the bytes with which the records of a key begin."""
    if key.kind == LEAF:
        return key.value[:PREFIX_SIZE]
    return hashlib.sha256(_begin(key.kind) + key.value).digest()[:PREFIX_SIZE]


def record(key: Key, index: int) -> bytes:
    """Return the record which says that the entry `index` has the key. Raises UsageError for an index over 6 bytes."""
    if not 0 <= index < MAX_COVERED:
        raise UsageError(f"an index covers the entries 0 to {MAX_COVERED - 1}, not {index}")
    return key_prefix(key) + index.to_bytes(_INDEX_SIZE, "big")


def index_in(found: bytes) -> int:
    """Return the index that a record names."""
    return int.from_bytes(found[PREFIX_SIZE:], "big")


def leaf_records(leaves: bytes, first: int) -> bytes:
    """Return the records of leaf hashes, which are flat, in their order. first: the index of the first one"""
    if compiled is not None:
        return compiled.leaf_records(leaves, first)
    count = len(leaves) // HASH_SIZE
    indexes = pack_numbers(f">{count}Q", *range(first, first + count))
    records = bytearray(RECORD_SIZE * count)
    for at in range(PREFIX_SIZE):  # byte after byte of all records: this takes half the time of packing each
        records[at::RECORD_SIZE] = leaves[at::HASH_SIZE]
    for at in range(_INDEX_SIZE):
        records[PREFIX_SIZE + at :: RECORD_SIZE] = indexes[8 - _INDEX_SIZE + at :: 8]
    return bytes(records)


def records_of(kind: str, entries: Iterable[bytes], first: int) -> bytes:
    """Return the records of entries, in the entries' order, each once. first: the index of the first entry"""
    if kind == LEAF:
        return leaf_records(flat_leaves(list(entries)), first)
    found: list[bytes] = []
    begin, sha256, pack, values_of = _begin(kind), hashlib.sha256, _RECORD.pack, values_by(kind)
    beginnings = may_have(kind)  # most entries have none of most kinds, and are not looked at
    for index, entry in [(index, entry) for index, entry in enumerate(entries, first) if entry.startswith(beginnings)]:
        values = values_of(entry)
        if len(values) == 1:
            found.append(pack(sha256(begin + values[0]).digest(), index >> 32, index % _LOW))
        elif values:  # two that begin alike have one record
            found += {pack(sha256(begin + value).digest(), index >> 32, index % _LOW) for value in values}
    return b"".join(found)


def _begin(kind: str) -> bytes:
    """Return what stands before the value where a key is hashed."""
    return kind.encode("ascii") + b"\0"
