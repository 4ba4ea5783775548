"""Logs of certificates (https://c2sp.org/static-ct-api) through the client."""

from __future__ import annotations

import gzip

import pytest

from tests.support.other_logs import ct_key, static_ct, timestamped
from tests.support.readers import Objects
from tiles.errors import Malformed, SignatureError, TileError
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.read.layouts import STATIC_CT
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


def test_paths() -> None:
    """Hashes are where tlog-tiles has them, entries below tile/data."""
    assert STATIC_CT.path(Tile(ENTRIES, 1_234_067, 8)) == "tile/data/x001/x234/067.p/8"
    assert STATIC_CT.path(Tile(2, 5)) == "tile/2/005"
