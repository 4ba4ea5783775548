"""Whatever is changed in a log, the client finds it, and says in which object."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.readers import POLICY, Objects, entry, make_log
from tiles.errors import (
    AccessError,
    LogError,
    Malformed,
    TileError,
)
from tiles.notes.policy import Policy
from tiles.notes.tlog_proof import verify_tlog_proof
from tiles.read.client import LogClient
from tiles.tree.bundle import encode_entries
from tiles.tree.layout import CHECKPOINT, Tile, edge_tiles, tile_at
from tiles.tree.merkle import leaf_hash
from tiles.user.seen_checkpoints import Visits


def client(objects: dict[str, bytes] | Objects, visits: Visits | None = None, policy: Policy = POLICY) -> LogClient:
    """Return a client of a log."""
    return LogClient(objects if isinstance(objects, Objects) else Objects(objects), policy, visits=visits)


@pytest.fixture
def visits(tmp_path: Path) -> Visits:
    """Return an empty memory."""
    return Visits(tmp_path / "state")


# ---- what was changed


def flipped(data: bytes, at: int, bit: int) -> bytes:
    """Return data with one bit changed."""
    changed = bytearray(data)
    changed[at] ^= bit
    return bytes(changed)


CHANGES = {
    "first byte": lambda data: flipped(data, 0, 1),
    "byte in the middle": lambda data: flipped(data, len(data) // 2, 0x80),
    "last byte": lambda data: flipped(data, -1, 4),
    "cut short": lambda data: data[:-1],
    "empty": lambda _data: b"",
    "longer": lambda data: data + b"\0",
    "much longer": lambda data: data + bytes(17_000_000),
}


def needed(size: int) -> list[str]:
    """Return the objects that reading all of a tree takes."""
    full = [tile_at(size, level, index) for level in (-1, 0) for index in range(-(-size // 256))]
    return sorted({CHECKPOINT, *(tile.path for tile in [*full, *edge_tiles(size)])})


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("path", needed(600))
def test_any_change_is_found(path: str, change: object) -> None:
    """No object of a log can be changed unnoticed: what touches it raises, and what does not is right."""
    objects = make_log(600)
    assert callable(change)
    objects[path] = change(objects[path])
    refused = 0
    for index in (0, 3, 255, 256, 511, 512, 599):
        for method, right in (("entry", entry(index)), ("prove", None)):
            fetcher = Objects(objects)
            reader = client(fetcher)
            expected = AccessError if change in (CHANGES["much longer"], CHANGES["empty"]) else LogError
            try:
                result = getattr(reader, method)(index)
            except expected:
                assert path in fetcher.asked
                refused += 1
                continue
            assert path not in fetcher.asked
            if right is None:
                verify_tlog_proof(result, leaf_hash(entry(index)), POLICY)
            else:
                assert result == right
    assert refused
    with pytest.raises((LogError, AccessError)):
        list(client(objects).entries(0, 600))
    if not path.startswith("tile/entries/"):
        with pytest.raises((LogError, AccessError)):
            client(objects).find(leaf_hash(entry(1)))


def test_a_bundle_of_other_entries() -> None:
    """A well-formed bundle of other entries is found, and the error names bundle and entry, with both hashes."""
    objects = make_log(600)
    bundle = Tile(-1, 1)
    objects[bundle.path] = encode_entries([entry(i) if i != 300 else b"other" for i in range(256, 512)])
    with pytest.raises(TileError, match="tile/entries/001: entry 300 ") as caught:
        client(objects).entry(300)
    assert caught.value.path == bundle.path
    assert caught.value.evidence == {
        bundle.path: objects[bundle.path],
        "expected": leaf_hash(entry(300)),
        "computed": leaf_hash(b"other"),
    }


def test_tiles_of_another_log() -> None:
    """A whole other log under the signed checkpoint of this one is found."""
    objects = make_log(600, tag="other") | {CHECKPOINT: make_log(600)[CHECKPOINT]}
    reader = client(objects)
    with pytest.raises(TileError):
        reader.prove(1)


def test_a_failed_visit_changes_nothing() -> None:
    """After a visit that failed, reading goes on from the checkpoint accepted before."""
    objects = Objects(make_log(300, 600))
    reader = client(objects)
    objects.objects[CHECKPOINT] = make_log(300)[CHECKPOINT]
    reader.visit()
    objects.objects[CHECKPOINT] = b"broken"
    with pytest.raises(Malformed):
        reader.visit()
    assert reader.tree.size == 300
    assert reader.entry(7) == entry(7)


# ---- partial tiles that are gone


def test_partial_tiles_that_are_gone() -> None:
    """Where partial tiles are removed once the full ones are there, an older checkpoint is still read."""
    grown = make_log(300, 600)
    objects = {path: data for path, data in grown.items() if ".p/44" not in path}
    assert len(objects) == len(grown) - 2
    fetcher = Objects(objects | {CHECKPOINT: make_log(300)[CHECKPOINT]})
    reader = client(fetcher)
    for index in (0, 255, 256, 299):
        assert reader.entry(index) == entry(index)
        verify_tlog_proof(reader.prove(index), leaf_hash(entry(index)), POLICY)
    assert {"tile/0/001.p/44", "tile/0/001", "tile/entries/001"} <= set(fetcher.asked)
