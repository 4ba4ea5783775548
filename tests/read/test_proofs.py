"""Proofs of many entries: how many tiles are read, and what a damaged one costs."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.support.readers import POLICY, Objects, entry, make_log
from tiles.errors import AccessError, NotFound, TileError, UsageError
from tiles.notes.tlog_proof import TlogProof, verify_tlog_proof
from tiles.read.client import LogClient
from tiles.read.proofs import Unproven, proofs_of
from tiles.tree.layout import tiles_of
from tiles.tree.merkle import leaf_hash

SIZE = 10_000  # 39 full tiles at level 0, and the edge, which is two more
LOG = make_log(SIZE)


def sorted_out(found: Iterable[TlogProof | Unproven]) -> tuple[list[int], list[Unproven]]:
    """Return which entries are proven, each verified, and what is not."""
    proven, unproven = [], []
    for each in found:
        if isinstance(each, Unproven):
            unproven.append(each)
        else:
            verify_tlog_proof(each, leaf_hash(entry(each.index)), POLICY)
            proven.append(each.index)
    return proven, unproven


@pytest.mark.parametrize("parallel", [1, 8])
def test_all_proofs_read_each_tile_once(parallel: int) -> None:
    """The tiles of the log, its edge among them, each once; no bundle."""
    objects = Objects(LOG, parallel)
    proofs = list(proofs_of(LogClient(objects, POLICY), range(SIZE)))
    assert [each.index for each in proofs if isinstance(each, TlogProof)] == list(range(SIZE))
    assert sorted_out(proofs[::97]) == (list(range(0, SIZE, 97)), [])
    every = [tile.path for level in (0, 1) for tile in tiles_of(SIZE, level)]
    assert sorted(objects.asked) == sorted(["checkpoint", *every])
    assert len(every) == 41


def test_few_are_held() -> None:
    """Tiles are read as their proofs are taken: those of 64 tiles ahead, and no more."""
    size = 300 * 256
    objects = Objects(make_log(size))
    proofs = proofs_of(LogClient(objects, POLICY), range(size))
    next(proofs)
    assert len([path for path in objects.tiles_asked if path.startswith("tile/0/")]) == 64


def test_some_entries() -> None:
    """Of entries here and there, the tiles of these."""
    objects = Objects(LOG)
    indexes = [0, 1, 255, 256, 5000, 9999]
    assert sorted_out(proofs_of(LogClient(objects, POLICY), indexes)) == (indexes, [])
    assert [path for path in objects.asked if path.startswith("tile/0/")] == [
        "tile/0/039.p/16",
        "tile/0/000",
        "tile/0/001",
        "tile/0/019",
    ]


@pytest.mark.parametrize(("damage", "kind"), [(bytes(8192), TileError), (b"x", TileError), (None, NotFound)])
def test_a_damaged_tile_costs_its_own_proofs(damage: bytes | None, kind: type[Exception]) -> None:
    """All others are made, and what is wrong is said once."""
    objects = Objects(LOG)
    if damage is None:
        del objects.objects["tile/0/003"]
    else:
        objects.objects["tile/0/003"] = damage
    proven, (unproven,) = sorted_out(proofs_of(LogClient(objects, POLICY), range(500, 1500)))
    assert proven == [*range(500, 768), *range(1024, 1500)]
    assert list(unproven.indexes) == list(range(768, 1024))
    assert isinstance(unproven.error, kind)
    assert "tile/0/003" in unproven.error.message


def test_a_dead_server_is_not_asked_for_ever() -> None:
    """Once none of the tiles that are read together can be reached, that is the end."""
    objects = Objects(LOG)
    client = LogClient(objects, POLICY)
    client.prove(0)

    def die(path: str) -> None:
        raise AccessError(f"{path}: the server is gone")

    objects.before = die
    before = len(objects.asked)
    with pytest.raises(AccessError, match="the server is gone"):
        list(proofs_of(client, range(256, 9000)))
    assert len(objects.asked) - before <= 40


def test_what_the_log_does_not_have() -> None:
    """An index beyond its end is a wrong call."""
    with pytest.raises(UsageError, match="has no entry 10000"):
        list(proofs_of(LogClient(Objects(LOG), POLICY), [0, SIZE]))
    assert sorted_out(proofs_of(LogClient(Objects(LOG), POLICY), [])) == ([], [])
