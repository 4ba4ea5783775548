"""Records: from a key to the entries that have it; docs/index-format.md, "Records". Pure.

first 10 bytes of SHA-256(kind ‖ 0x00 ‖ value) ‖ index of the entry, 6 bytes, most significant first
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tiles.entries.kinds import LEAF, Key, keys_of_kind
from tiles.errors import UsageError
from tiles.notes.index_head import MAX_COVERED
from tiles.tree.merkle import leaf_hashes

PREFIX_SIZE = 10  # bytes of the hash of a key
RECORD_SIZE = 16  # bytes

_INDEX_SIZE = RECORD_SIZE - PREFIX_SIZE


def key_prefix(key: Key) -> bytes:
    """Return the bytes with which the records of a key begin."""
    return hashlib.sha256(_begin(key.kind) + key.value).digest()[:PREFIX_SIZE]


def record(key: Key, index: int) -> bytes:
    """Return the record which says that the entry `index` has the key. Raises UsageError for an index over 6 bytes."""
    if not 0 <= index < MAX_COVERED:
        raise UsageError(f"an index covers the entries 0 to {MAX_COVERED - 1}, not {index}")
    return key_prefix(key) + index.to_bytes(_INDEX_SIZE, "big")


def index_in(found: bytes) -> int:
    """Return the index that a record names."""
    return int.from_bytes(found[PREFIX_SIZE:], "big")


def records_of(kind: str, entries: Iterable[bytes], first: int) -> list[bytes]:
    """Return the records of entries, sorted, each once. first: the index of the first entry"""
    if kind == LEAF:  # each entry has one, whatever it is, and nothing has to be parsed
        begin, sha256 = _begin(kind), hashlib.sha256
        leaves = enumerate(leaf_hashes(list(entries)), first)
        return sorted(
            sha256(begin + leaf).digest()[:PREFIX_SIZE] + index.to_bytes(_INDEX_SIZE, "big") for index, leaf in leaves
        )
    found: set[bytes] = set()
    for index, entry in enumerate(entries, first):
        found.update(record(key, index) for key in keys_of_kind(entry, kind))
    return sorted(found)


def _begin(kind: str) -> bytes:
    """Return what stands before the value where a key is hashed."""
    return kind.encode("ascii") + b"\0"
