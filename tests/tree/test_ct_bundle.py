"""Data tiles of logs of certificates (https://c2sp.org/static-ct-api, "Log entries")."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tests.support.other_logs import CT_ISSUER, opaque, tile_leaf, timestamped
from tiles.errors import Malformed
from tiles.tree.ct_bundle import TileLeaf, parse_ct_entry, tile_leaves

MALFORMED = {
    "nothing": b"",
    "cut short": tile_leaf(0)[:-1],
    "another index": tile_leaf(1),
    "two": tile_leaf(0) + tile_leaf(1),
    "another type": tile_leaf(0)[:8] + b"\0\2" + tile_leaf(0)[10:],
    "half a fingerprint": timestamped(0) + opaque(2, b"x" * 31),
    "an empty certificate": timestamped(0, cert=b"") + opaque(2, b""),
    "an index of four bytes": timestamped(None)[:-2] + opaque(2, b"\0" + opaque(2, b"0000")) + opaque(2, b""),
    "two indexes": timestamped(None)[:-2] + opaque(2, (b"\0" + opaque(2, bytes(5))) * 2) + opaque(2, b""),
    "an extension cut short": timestamped(None)[:-2] + opaque(2, b"\0\0") + opaque(2, b""),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_data_tiles(data: bytes) -> None:
    """A data tile is the entries that it should have, to the byte."""
    chain = sha256(CT_ISSUER).digest() * 2
    assert tile_leaves(tile_leaf(0), 1, 0) == [TileLeaf(tile_leaf(0), b"\0\0" + timestamped(0), chain)]
    with pytest.raises(Malformed):
        tile_leaves(data, 1, 0)


def test_entries_of_an_older_log() -> None:
    """An entry need not say which one it is, and may have extensions that are not known."""
    assert tile_leaves(tile_leaf(None), 1, 5)[0].entry == b"\0\0" + timestamped(None)
    other = timestamped(None)[:-2] + opaque(2, b"\7" + opaque(2, b"?")) + opaque(2, b"")
    assert len(tile_leaves(other, 1, 0)) == 1


def test_what_an_entry_says() -> None:
    """A MerkleTreeLeaf is parsed to its end, and nothing else is one."""
    found = parse_ct_entry(b"\0\0" + timestamped(7, is_precert=True))
    assert (found.index, found.is_precert, len(found.issuer_key)) == (7, True, 32)
    for wrong in (b"\0\1" + timestamped(7), b"\0\0" + timestamped(7) + b"\0", b"\0\0", b""):
        with pytest.raises(Malformed):
            parse_ct_entry(wrong)


def test_issuers() -> None:
    """Each fingerprint of a chain is told, whatever the kind of the entry."""
    for is_precert in (False, True):
        (leaf,) = tile_leaves(tile_leaf(0, is_precert=is_precert), 1, 0)
        assert list(leaf.issuers) == [sha256(CT_ISSUER).digest()] * 2
    (alone,) = tile_leaves(timestamped(0) + opaque(2, b""), 1, 0)
    assert list(alone.issuers) == []
