"""The seam between the client and the format of a log: a log of another format reads like any other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.support.readers import POLICY, Objects, entry, make_log
from tiles.errors import Malformed, NotFound, TileError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.read.client import LogClient
from tiles.read.log_formats import TLOG_TILES, LogFormat
from tiles.tree.bundle import encode_entries, parse_bundle
from tiles.tree.layout import CHECKPOINT, ENTRIES, Tile, parse_tile_path
from tiles.tree.merkle import Hash, leaf_hashes

MARK = b"Another format. "


class Another:
    """Other paths, another checkpoint, bundles written backwards, and leaves of what stands behind a mark."""

    checkpoint = "head"

    def path(self, tile: Tile) -> str:
        return tile.path.replace("tile/entries", "data").replace("tile", "hashes")

    def limit(self, tile: Tile) -> int:
        return TLOG_TILES.limit(tile)

    def parse_checkpoint(self, data: bytes) -> SignedCheckpoint:
        return parse_signed_checkpoint(data.removeprefix(MARK))

    def parse_bundle(self, bundle: Tile, data: bytes) -> list[bytes]:
        return [MARK + entry for entry in parse_bundle(data[::-1], bundle.width)]

    def leaf_hashes(self, entries: Sequence[bytes]) -> Sequence[Hash]:
        return leaf_hashes([entry.removeprefix(MARK) for entry in entries])

    def cut(self, tile: Tile, full: bytes) -> bytes:
        if tile.level != ENTRIES:
            return TLOG_TILES.cut(tile, full)
        return encode_entries(parse_bundle(full[::-1], 256)[: tile.width])[::-1]


def another(objects: dict[str, bytes]) -> dict[str, bytes]:
    """Return a log in the other format."""
    here: LogFormat = Another()
    found = {here.checkpoint: MARK + objects[CHECKPOINT]}
    for path, data in objects.items():
        if path.startswith("tile/"):
            tile = parse_tile_path(path)
            found[here.path(tile)] = data[::-1] if tile.level == ENTRIES else data
    return found


@pytest.mark.parametrize("size", [1, 256, 600])
@pytest.mark.parametrize("full_only", [False, True])
def test_a_log_of_another_format(size: int, full_only: bool) -> None:
    """The client reads it whole, and proves what it proves for the usual format; it asks for no other path."""
    grown = another(make_log(size, 768)) if full_only else another(make_log(size))
    grown["head"] = MARK + make_log(size)[CHECKPOINT]
    gone = {path for path in grown if full_only and ".p/" in path and path.partition(".p/")[0] in grown}
    objects = Objects({path: data for path, data in grown.items() if path not in gone})
    client = LogClient(objects, POLICY, log_format=Another())
    usual = LogClient(Objects(make_log(size)), POLICY)
    assert client.visit() == usual.visit()
    assert [found for _, found in client.entries(0, size)] == [MARK + entry(index) for index in range(size)]
    assert client.prove(size - 1) == usual.prove(size - 1)
    assert {path.partition("/")[0] for path in objects.asked} == {"head", "hashes", "data"}
    with pytest.raises(NotFound):
        LogClient(objects, POLICY).visit()


def test_a_wrong_bundle_of_another_format() -> None:
    """What is wrong is named, and kept as evidence, by the path that the format has for it."""
    objects = another(make_log(5))
    path = Another().path(Tile(ENTRIES, 0, 5))
    for data in (objects[path][:-1], objects[path].replace(b"entry"[::-1], b"ENTRY"[::-1])):
        client = LogClient(Objects({**objects, path: data}), POLICY, log_format=Another())
        with pytest.raises(TileError) as caught:
            list(client.entries(0, 5))
        assert caught.value.path == path
        assert caught.value.evidence[path] == data


def test_tlog_tiles() -> None:
    """The usual format is what the specification says: its paths, its bundles, its hashes."""
    assert TLOG_TILES.checkpoint == "checkpoint"
    assert TLOG_TILES.path(Tile(ENTRIES, 1_234_067, 8)) == "tile/entries/x001/x234/067.p/8"
    assert TLOG_TILES.parse_bundle(Tile(ENTRIES, 0, 2), b"\0\1a\0\0") == [b"a", b""]
    with pytest.raises(Malformed):
        TLOG_TILES.parse_bundle(Tile(ENTRIES, 0, 3), b"\0\1a\0\0")
    assert TLOG_TILES.leaf_hashes([b"a"]) == leaf_hashes([b"a"])
