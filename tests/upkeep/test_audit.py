"""The audit: a sound log has no findings, and what is wrong is found, all of it, at the object that is wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import pytest

from tests.support.audits import (
    DAMAGES,
    LARGE,
    SMALL,
    Damage,
    Objects,
    Served,
    changed,
    findings,
    gone,
    last_bit,
    log,
)
from tests.support.sampling import quickly
from tiles.errors import AccessError, NotFound
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.read.fetcher import open_log
from tiles.read.runs import Hands
from tiles.store import StoreFetcher
from tiles.store.directory import DirectoryStore
from tiles.tree.bundle import encode_entries, parse_bundle
from tiles.tree.layout import ENTRIES, Tile, parse_tile_path
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead, leaf_hash, node_root
from tiles.upkeep.audit import audit
from tiles.upkeep.objects import MISSING
from tiles.workers import Workers, processes, threads


@pytest.mark.parametrize(
    ("size", "parallel"),
    [
        *product([0, 1, 2, 255, 256, 257, 511, 512, LARGE], [1, 3]),
        *quickly(product([65_535, 65_536, 65_537, 131_072], [1, 3]), [(65_536, 1), (131_072, 3)]),
    ],
)
def test_a_sound_log(size: int, parallel: int) -> None:
    """A log as `plan` makes it has no findings; every entry is counted once, every object read once."""
    tree, objects = log(size) if size else (EMPTY_TREE, {})
    served = Served(objects, parallel)
    counted: list[int] = []
    report = audit(served, tree, progress=counted.append)
    assert report.findings == ()
    assert report.tree == tree
    assert sum(counted) == size
    assert sorted(served.asked) == sorted(objects)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("path", log(SMALL)[1])
def test_one_damage(path: str, damage: str) -> None:
    """One damaged object of a log is found, and it alone is blamed."""
    tree, objects = log(SMALL)
    damaged = changed(objects, (path, DAMAGES[damage]))
    found = findings(tree, damaged)
    assert list(found) == [path]
    assert (found[path] == MISSING) == (path not in damaged)


@pytest.mark.parametrize("damage", quickly([gone, last_bit], [last_bit]))
@pytest.mark.parametrize(
    "path",
    quickly(
        ["0/000", "entries/255", "0/257", "1/000", "1/001.p/2", "2/000.p/1", "0/258.p/88", "entries/258.p/88"],
        ["0/257", "entries/255", "1/001.p/2", "2/000.p/1"],
    ),
)
def test_one_damage_in_a_large_log(path: str, damage: Damage) -> None:
    """The same where there is a full tile above level 0."""
    tree, objects = log(LARGE)
    assert list(findings(tree, changed(objects, (f"tile/{path}", damage)))) == [f"tile/{path}"]


@pytest.mark.parametrize(
    "paths",
    [
        ["tile/0/000", "tile/entries/001", "tile/0/258.p/88"],
        ["tile/1/000", "tile/entries/003", "tile/entries/200"],
        ["tile/2/000.p/1", "tile/1/001.p/2", "tile/entries/003", "tile/0/099"],
        ["tile/2/000.p/1", "tile/entries/258.p/88"],
    ],
)
def test_every_damage_is_found(paths: list[str]) -> None:
    """Damages that can be told apart are all found, and nothing else is."""
    tree, objects = log(LARGE)
    assert sorted(findings(tree, changed(objects, *((path, last_bit) for path in paths)))) == sorted(paths)


@pytest.mark.parametrize("kind", ["entries", "0"])
@pytest.mark.parametrize("above", [gone, lambda data: bytes(len(data))])
def test_who_is_wrong_is_not_known(kind: str, above: Damage) -> None:
    """Without their parent, a tile and a bundle that disagree are found, and neither is blamed."""
    tree, objects = log(SMALL)
    found = findings(tree, changed(objects, (f"tile/{kind}/001", last_bit), ("tile/1/000.p/2", above)))
    assert found["tile/0/001"] == (
        "does not have the leaf hashes of tile/entries/001, and it is not known which of the two is wrong"
    )
    assert "tile/entries/001" not in found
    assert "tile/1/000.p/2" in found


def test_a_damage_below_one_elsewhere() -> None:
    """A tile that neither its parent nor what is below it agrees with is wrong, whatever else is."""
    tree, objects = log(LARGE)
    found = findings(tree, changed(objects, ("tile/1/001.p/2", last_bit), ("tile/1/000", last_bit)))
    assert sorted(found) == ["tile/1/000", "tile/1/001.p/2"]
    assert "and tile/2/000.p/1 says" in found["tile/1/000"]
    found = findings(tree, changed(objects, ("tile/2/000.p/1", last_bit), ("tile/1/000", gone)))
    assert sorted(found) == ["tile/1/000", "tile/2/000.p/1"]


def test_a_damage_beside_a_gap() -> None:
    """Where a gap hides who is right, all that differs from a wrong tile is named."""
    tree, objects = log(LARGE)
    gaps = [("tile/0/003", gone), ("tile/entries/003", gone)]
    found = audit(Served(changed(objects, ("tile/1/000", last_bit), *gaps)), tree).findings
    assert [finding.path for finding in found] == ["tile/0/003", "tile/entries/003", "tile/1/000", "tile/1/000"]
    assert found[-1].problem.startswith("does not have the hash of tile/0/255, and it is not known")


def forged(objects: Mapping[str, bytes], index: int, entry: bytes, levels: int) -> Objects:
    """Return the objects with one entry replaced, and the tiles of so many levels made to fit."""
    path = next(path for path in objects if path.startswith(Tile(ENTRIES, index // 256).path))
    bundle = parse_tile_path(path)
    entries = parse_bundle(objects[path], bundle.width)
    entries[index % 256] = entry
    result = {**objects, path: encode_entries(entries)}
    below = leaf_hash(entry)
    for level in range(levels):
        path = next(path for path in objects if path.startswith(Tile(level, index >> 8 * (level + 1)).path))
        at = (index >> 8 * level) % 256 * 32
        data = result[path] = objects[path][:at] + below + objects[path][at + 32 :]
        below = node_root([Hash(data[i : i + 32]) for i in range(0, len(data), 32)]) if len(data) == 8192 else below
    return result


@pytest.mark.parametrize(
    ("index", "levels", "blamed"),
    [
        (300, 0, ["tile/entries/001"]),
        (300, 1, ["tile/0/001", "tile/entries/001"]),  # which tile/1/000 does not have
        (300, 2, ["tile/1/000"]),  # which the root does not have, and of what is below it everything fits
        (300, 3, ["checkpoint"]),
        (65_536 + 300, 0, ["tile/entries/257"]),
        (65_536 + 300, 1, ["tile/0/257", "tile/entries/257"]),
        (65_536 + 300, 2, ["checkpoint"]),
        (65_536 + 599, 0, ["tile/entries/258.p/88"]),
        (65_536 + 599, 1, ["checkpoint"]),
    ],
)
def test_forgery(index: int, levels: int, blamed: list[str]) -> None:
    """An entry that was replaced is found wherever the tiles that were made to fit it meet those that were not."""
    tree, objects = log(LARGE)
    assert sorted(findings(tree, forged(objects, index, b"forged", levels))) == blamed


def test_forgery_below_a_damaged_edge() -> None:
    """Where no parent is believed, two that agree outvote the third, and three that differ are reported as such."""
    tree, objects = log(LARGE)
    without = changed(objects, ("tile/2/000.p/1", last_bit))
    assert sorted(findings(tree, forged(without, 300, b"forged", 0))) == ["tile/2/000.p/1", "tile/entries/001"]
    found = findings(tree, forged(without, 300, b"forged", 1))
    assert sorted(found) == ["checkpoint", "tile/1/000", "tile/2/000.p/1"]
    assert found["tile/1/000"].endswith("and it is not known which of the two is wrong")


def test_missing_and_forged() -> None:
    """What is below a missing tile is measured by that tile's parent."""
    tree, objects = log(LARGE)
    served = Served(changed(forged(objects, 300, b"forged", 1), ("tile/1/000", gone)))
    missing, below = audit(served, tree).findings
    assert (missing.path, missing.problem) == ("tile/1/000", MISSING)
    assert (below.path, below.problem[:28]) == ("tile/1/000", "what is below it hashes to e")


def test_wrong_root() -> None:
    """Tiles and entries that agree with each other, and not with the checkpoint, are another tree."""
    tree, objects = log(SMALL)
    assert list(findings(TreeHead(SMALL, leaf_hash(b"")), objects)) == ["checkpoint"]
    assert list(findings(TreeHead(0, leaf_hash(b"")), {})) == ["checkpoint"]
    assert sorted(findings(TreeHead(1, leaf_hash(b"")), {})) == ["tile/0/000.p/1", "tile/entries/000.p/1"]
    assert tree.size == SMALL


@pytest.mark.parametrize("size", [300, 500])
def test_partial_tiles_that_are_gone(size: int) -> None:
    """Partial tiles that were removed are read from the full ones; a full one that cannot be read is found."""
    tree, _ = log(size)
    objects = {path: data for path, data in log(size, SMALL)[1].items() if ".p/" not in path or "/1/" in path}
    assert findings(tree, objects) == {}
    for path in ("tile/0/001", "tile/entries/001"):
        assert list(findings(tree, changed(objects, (path, lambda data: data[:-1])))) == [path]


@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize("path", log(SMALL)[1])
def test_trouble_on_the_way_is_no_finding(path: str, parallel: int) -> None:
    """An object that could not be read says nothing about the log."""
    tree, objects = log(SMALL)

    class Broken(Served):
        def fetch(self, at: str, limit: int) -> bytes:
            if at == path:
                raise AccessError("connection reset")
            return super().fetch(at, limit)

    with pytest.raises(AccessError, match="connection reset"):
        audit(Broken(objects, parallel), tree)


def test_few_objects_at_a_time() -> None:
    """However many entries there are, no more is under way at a time than the fetcher asks for."""
    tree, objects = log(LARGE)
    at_once, most, lock = 0, 0, threading.Lock()

    class Counting(Served):
        def fetch(self, path: str, limit: int) -> bytes:
            nonlocal at_once, most
            with lock:
                at_once += 1
                most = max(most, at_once)
            try:
                return super().fetch(path, limit)
            finally:
                with lock:
                    at_once -= 1

    assert audit(Counting(objects, 3), tree).findings == ()
    assert most <= 3


def on_disk(folder: Path, objects: Iterable[tuple[str, bytes]]) -> Path:
    """Write objects as files."""
    for path, data in objects:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    (folder / "checkpoint").write_bytes(b"any")  # makes it a log
    return folder


def test_executors(tmp_path: Path) -> None:
    """Runs that other threads or spawned processes recompute have the same findings, in the same order."""
    tree, objects = log(LARGE)
    damaged = forged(objects, 300, b"forged", 1)
    folder = on_disk(tmp_path, changed(damaged, ("tile/0/007", gone), ("tile/entries/256", last_bit)).items())
    fetcher = open_log(str(folder))
    expected = audit(fetcher, tree)
    assert sorted(finding.path for finding in expected.findings) == [
        "tile/0/001",
        "tile/0/007",
        "tile/entries/001",
        "tile/entries/256",
    ]
    with threads(2) as workers:
        assert audit(fetcher, tree, hands=Hands(workers)) == expected
    with processes(2) as workers:
        counted: list[int] = []
        assert audit(fetcher, tree, hands=Hands(workers, fetcher.url), progress=counted.append) == expected
        assert sum(counted) == LARGE
    with ThreadPoolExecutor(1) as executor:
        elsewhere = Workers(executor, 2)
        assert audit(fetcher, tree, hands=Hands(elsewhere, fetcher.url)) == expected
        with pytest.raises(NotFound):
            audit(fetcher, tree, hands=Hands(elsewhere, str(tmp_path / "elsewhere")))


def test_logs_of_others(shared_vectors: Path) -> None:
    """A log that another implementation wrote is sound at each of its sizes."""
    folder = shared_vectors / "tessera-golden-log"
    notes = sorted(folder.glob("checkpoint*"))
    trees = [parse_signed_checkpoint(note.read_bytes()).tree for note in notes]
    assert max(tree.size for tree in trees) > 0
    for tree in trees:
        assert audit(StoreFetcher(DirectoryStore(folder)), tree).findings == ()
