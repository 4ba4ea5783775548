"""Tiles that were kept: verified like those that are fetched, and fetched if they are wrong."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.support.readers import POLICY, Objects, entry, make_log
from tiles.errors import (
    TileError,
)
from tiles.notes.tlog_proof import verify_tlog_proof
from tiles.read.client import LogClient
from tiles.tree.merkle import leaf_hash
from tiles.tree.reader import TreeReader
from tiles.user.tile_cache import TileCache

BIG = 66_000  # three levels of tiles


# ---- the cache


def test_cache(tmp_path: Path) -> None:
    """Full tiles are fetched once, whatever client reads them; partial ones each time, and none is kept."""
    objects = Objects(make_log(600))
    cache = TileCache(tmp_path)
    for _ in range(2):
        LogClient(objects, POLICY, cache=cache).prove(5)
    assert objects.asked.count("tile/0/000") == 1
    assert objects.asked.count("tile/0/002.p/88") == 2
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in kept] == ["000"]


@pytest.mark.parametrize("damage", [b"", b"x", bytes(8192), bytes(8193)])
def test_damaged_cache(tmp_path: Path, damage: bytes) -> None:
    """A damaged tile in the cache costs a fetch, never a result; it is replaced."""
    objects = make_log(BIG)
    for index in (5, 40_000):
        LogClient(Objects(objects), POLICY, cache=TileCache(tmp_path)).prove(index)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) == 3  # two of level 0 and their parent
    before = {path: path.read_bytes() for path in kept}
    for path in kept:
        path.write_bytes(damage)
    for index in (5, 40_000):
        proof = LogClient(Objects(objects), POLICY, cache=TileCache(tmp_path)).prove(index)
        verify_tlog_proof(proof, leaf_hash(entry(index)), POLICY)
    assert {path: path.read_bytes() for path in kept} == before


def test_damaged_log_beside_a_damaged_cache(tmp_path: Path) -> None:
    """Where cache and log are both wrong, the log is what is reported."""
    objects = make_log(600)
    LogClient(Objects(objects), POLICY, cache=TileCache(tmp_path)).prove(5)
    (kept,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    kept.write_bytes(bytes(8192))
    objects["tile/0/000"] = bytes(8192)
    with pytest.raises(TileError, match="tile/0/000"):
        LogClient(Objects(objects), POLICY, cache=TileCache(tmp_path)).prove(5)
    assert not kept.exists()


def test_only_believed_tiles_are_kept(tmp_path: Path) -> None:
    """A tile that does not hash up to the checkpoint never reaches the cache."""
    objects = make_log(600)
    objects["tile/0/000"] = bytes(8192)
    with pytest.raises(TileError):
        LogClient(Objects(objects), POLICY, cache=TileCache(tmp_path)).prove(5)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_parent_is_read_again_once_it_was_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof takes hashes of an entry's tile and of those above it; each may have been dropped before the others."""
    objects = Objects(make_log(BIG))
    monkeypatch.setattr("tiles.read.verified_tree.TreeReader", partial(TreeReader, max_full_tiles=2))
    client = LogClient(objects, POLICY)
    for start in (0, 65_536):
        list(client.leaves(start, start + 256))
    assert objects.asked.count("tile/1/000") == objects.asked.count("tile/0/000") == 1
    verify_tlog_proof(client.prove(0), leaf_hash(entry(0)), POLICY)
    assert objects.asked.count("tile/1/000") == 2
    assert objects.asked.count("tile/0/000") == 1


def test_a_tile_that_is_known_is_not_read_again() -> None:
    """Of two entries of one tile, the second takes no object."""
    objects = Objects(make_log(BIG))
    client = LogClient(objects, POLICY)
    client.prove(5)
    before = list(objects.asked)
    verify_tlog_proof(client.prove(200), leaf_hash(entry(200)), POLICY)
    assert objects.asked == before
