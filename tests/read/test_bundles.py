"""Which entries of a bundle are believed."""

from __future__ import annotations

import pytest

from tiles.errors import TileError
from tiles.read.bundles import believed_entries
from tiles.read.log_formats import TLOG_TILES
from tiles.tree.bundle import encode_entries
from tiles.tree.layout import ENTRIES, Tile
from tiles.tree.merkle import leaf_hashes

ENTRIES_OF_IT = [b"one", b"", b"three"]
LEAVES = leaf_hashes(ENTRIES_OF_IT)
BUNDLE = Tile(ENTRIES, 2, 3)


def test_believed() -> None:
    """Entries that hash to their leaves are returned."""
    assert believed_entries(TLOG_TILES, BUNDLE, encode_entries(ENTRIES_OF_IT), LEAVES) == ENTRIES_OF_IT


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (encode_entries([b"one", b"", b"other"]), "entry 514 hashes to"),
        (encode_entries([b"", b"one", b"three"]), "entry 512 hashes to"),
        (encode_entries(ENTRIES_OF_IT[:2]), "2 entries instead of 3"),
        (b"\0", "cut short"),
        (b"", "0 entries instead of 3"),
    ],
)
def test_not_believed(data: bytes, problem: str) -> None:
    """Any other bytes are refused by the path of the bundle, and are the evidence."""
    with pytest.raises(TileError, match=problem) as caught:
        believed_entries(TLOG_TILES, BUNDLE, data, LEAVES)
    assert caught.value.path == BUNDLE.path
    assert caught.value.evidence[BUNDLE.path] == data
    assert ("expected" in caught.value.evidence) is ("hashes to" in problem)
