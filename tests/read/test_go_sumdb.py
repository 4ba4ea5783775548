"""Go's checksum database: its paths, data tiles and lookups, in logs made here and in a recorded one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.other_logs import SUMDB_KEY, SUMDB_ORIGIN, record, sumdb
from tests.support.readers import Objects
from tiles.errors import TileError, UsageError
from tiles.notes.keys import parse_vkey
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.read.go_sumdb import lookup_path, parse_lookup
from tiles.read.layouts import SUMDB
from tiles.store import StoreFetcher
from tiles.store.directory import DirectoryStore
from tiles.tree.layout import ENTRIES, Tile
from tiles.tree.merkle import leaf_hash
from tiles.tree.proof import verify_inclusion

RECORDED = Path(__file__).parents[1] / "vectors" / "sumdb"
POLICY = policy_for(SUMDB_KEY.verifier, SUMDB_ORIGIN)


def client(objects: dict[str, bytes]) -> LogClient:
    """Return what reads a checksum database."""
    return LogClient(Objects(objects), POLICY, log_format=SUMDB)


@pytest.mark.parametrize("size", [1, 256, 300])
def test_read_whole(size: int) -> None:
    """Every record is read, and proven."""
    found = client(sumdb(size))
    assert [entry for _, entry in found.entries(0, size)] == [record(index) for index in range(size)]
    proof = found.prove(size - 1)
    verify_inclusion(leaf_hash(record(size - 1)), size - 1, found.tree, proof.hashes)


def test_partial_tiles_that_are_gone() -> None:
    """Partial tiles are cut from full ones: a data tile between records."""
    grown, objects = sumdb(600), sumdb(300)
    gone = {path: data for path, data in grown.items() if path.startswith("tile/") and ".p/" not in path}
    objects = {**gone, "latest": objects["latest"], "tile/8/1/000.p/1": objects["tile/8/1/000.p/1"]}
    assert client(objects).entry(299) == record(299)


def test_recorded() -> None:
    """The proof of a record in the database that Go asks is made of its tiles, and a lookup leads to the record."""
    key = parse_vkey("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")
    found = LogClient(StoreFetcher(DirectoryStore(RECORDED)), policy_for(key, SUMDB_ORIGIN), log_format=SUMDB)
    looked = parse_lookup((RECORDED / "lookup/golang.org/x/mod@v0.43.0").read_bytes())
    proof = found.prove(looked.index)
    assert found.tree.size == 72_097_574
    verify_inclusion(leaf_hash(looked.record), looked.index, found.tree, proof.hashes)
    assert looked.record.startswith(b"golang.org/x/mod v0.43.0 h1:")


def test_a_damaged_data_tile() -> None:
    """Records that are not those of the tree are named by the path that the database has for them."""
    objects = sumdb(300)
    for path, data in (
        ("tile/8/data/000", objects["tile/8/data/000"].replace(b"m7 ", b"m8 ")),
        ("tile/8/data/001.p/44", objects["tile/8/data/001.p/44"][:-1]),
        ("tile/8/0/000", bytes(8192)),
    ):
        with pytest.raises(TileError) as caught:
            list(client({**objects, path: data}).entries(0, 300))
        assert caught.value.message.startswith(f"test://log/{path}: ")


def test_paths() -> None:
    """Tiles are below tile/8, and a capital letter in a lookup is an exclamation mark and the small one."""
    assert SUMDB.path(Tile(ENTRIES, 1_234_067, 8)) == "tile/8/data/x001/x234/067.p/8"
    assert SUMDB.path(Tile(2, 5)) == "tile/8/2/005"
    assert lookup_path("github.com/Azure/go@v1.0.0-RC1") == "lookup/github.com/!azure/go@v1.0.0-!r!c1"


@pytest.mark.parametrize(
    "text", ["a", "a@1", "../a@v1", "a/../b@v1", "a//b@v1", "a@v1@v2", "a b@v1", "a?x@v1", "a!b@v1"]
)
def test_no_module_and_version(text: str) -> None:
    """What cannot be a module and version makes no request."""
    with pytest.raises(UsageError):
        lookup_path(text)
