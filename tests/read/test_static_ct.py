"""Logs of certificates (https://c2sp.org/static-ct-api) through the client."""

from __future__ import annotations

import gzip

import pytest

from tests.support.other_logs import ct_key, opaque, static_ct, tile_leaf, timestamped
from tests.support.readers import Objects
from tiles.errors import Malformed, SignatureError, TileError
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.read.layouts import STATIC_CT
from tiles.tree.ct_bundle import parse_ct_entry, tile_leaves
from tiles.tree.layout import ENTRIES, Tile
from tiles.tree.merkle import leaf_hash
from tiles.tree.proof import verify_inclusion

POLICY = policy_for(ct_key())
ONE = Tile(ENTRIES, 0, 1)


def client(objects: dict[str, bytes]) -> LogClient:
    """Return what reads a log of certificates."""
    return LogClient(Objects(objects), POLICY, log_format=STATIC_CT)


@pytest.mark.parametrize("size", [1, 256, 300])
def test_read_whole(size: int) -> None:
    """An entry is its MerkleTreeLeaf, and is proven."""
    found = client(static_ct(size))
    expected = [b"\0\0" + timestamped(index, is_precert=index % 3 == 1) for index in range(size)]
    assert [entry for _, entry in found.entries(0, size)] == expected
    proof = found.prove(size - 1)
    verify_inclusion(leaf_hash(expected[-1]), size - 1, found.tree, proof.hashes)


def test_gzip_on_the_disk() -> None:
    """A data tile may be as the log's own disk has it; what unpacks to too much is refused."""
    objects = static_ct(300)
    packed = {path: gzip.compress(data) if "/data/" in path else data for path, data in objects.items()}
    assert client(packed).entry(299) == client(objects).entry(299)
    with pytest.raises(Malformed, match="more than"):
        STATIC_CT.parse_bundle(ONE, gzip.compress(bytes((256 << 17) + 1)))


def test_partial_tiles_that_are_gone() -> None:
    """ "SHOULD fetch the full tile in parallel as a fallback": partial ones are cut from full ones between entries."""
    grown, objects = static_ct(600), static_ct(300)
    gone = {path: data for path, data in grown.items() if ".p/" not in path}
    objects = {**gone, "checkpoint": objects["checkpoint"], "tile/1/000.p/1": objects["tile/1/000.p/1"]}
    assert client(objects).entry(299) == client(static_ct(300)).entry(299)


def test_damaged_copies() -> None:
    """What is wrong is named by its path; what the tree does not have is no reason to refuse."""
    objects = static_ct(300)
    data = objects["tile/data/000"]
    for path, wrong in (
        ("tile/data/000", data.replace(b"host.example.com", b"evil.example.com")),
        ("tile/data/000", data[:-1]),
        ("tile/data/000", data + b"\0"),
        ("tile/0/000", bytes(8192)),
    ):
        with pytest.raises(TileError) as caught:
            list(client({**objects, path: wrong}).entries(0, 300))
        assert caught.value.message.startswith(f"test://log/{path}: ")
    client({**objects, "tile/data/000": data.replace(b"as submitted", b"as Submitted")}).entry(1)
    with pytest.raises(SignatureError):
        client({**objects, "checkpoint": static_ct(256)["checkpoint"].replace(b"\n256\n", b"\n255\n")}).visit()


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
    assert STATIC_CT.parse_bundle(ONE, tile_leaf(0)) == [b"\0\0" + timestamped(0)]
    with pytest.raises(Malformed):
        STATIC_CT.parse_bundle(ONE, data)


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


def test_paths() -> None:
    """Hashes are where tlog-tiles has them, entries below tile/data."""
    assert STATIC_CT.path(Tile(ENTRIES, 1_234_067, 8)) == "tile/data/x001/x234/067.p/8"
    assert STATIC_CT.path(Tile(2, 5)) == "tile/2/005"
