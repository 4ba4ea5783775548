"""What an audit says about a listing: other tiles and kept checkpoints; and that a sound log has nothing of that."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from tests.support.faults import Passing
from tests.support.reference import flipped
from tests.support.world import ORIGIN, NoSync, World, recording_key, some_entries
from tiles.errors import NotFound
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint, sign_checkpoint
from tiles.notes.keys import SignatureType, signing_key
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import parse_policy, policy_for
from tiles.read.log_formats import MAX_BUNDLE_SIZE
from tiles.records.paths import checkpoint_path
from tiles.store import Object, Store, StoreFetcher
from tiles.store.directory import DirectoryStore
from tiles.store.memory import MemoryStore
from tiles.tree.layout import ENTRIES, full_paths
from tiles.tree.merkle import TreeHead, leaf_hash
from tiles.upkeep.audit import Report, audit
from tiles.upkeep.strays import check_tiles

LOG = World().grown(1, 99, 156, 344)  # 1, 100, 256, 600
TODAY = next(LOG.stores["public"].list("checkpoints/days/")).path


def look(world: World, store: Store | None = None, size: int | None = None) -> Report:
    """Audit the log as published, or as it was at an earlier size, its listing included."""
    public = store or world.stores["public"]
    path = "checkpoint" if size is None else checkpoint_path(size)
    tree = parse_signed_checkpoint(public.read(path).data).tree
    return audit(StoreFetcher(public), tree, store=public, policy=policy_for(world.verifier))


def found(world: World, size: int | None = None) -> dict[str, str]:
    """Return path → problem; no path may be found twice."""
    findings = look(world, size=size).findings
    assert len({finding.path for finding in findings}) == len(findings), findings
    return {finding.path: finding.problem for finding in findings}


def changed(path: str, data: bytes | None) -> World:
    """Return the log with one object replaced, added or (None) removed."""
    world = LOG.copy()
    world.put("public", path, data)
    return world


def content(path: str) -> bytes:
    """Return an object of the log."""
    return LOG.stores["public"].read(path).data


@pytest.mark.parametrize("size", [None, 0, 1, 100, 256])
@pytest.mark.parametrize("on_disk", [False, True])
def test_a_sound_log(size: int | None, on_disk: bool, tmp_path: Path) -> None:
    """A log has no findings, as it is and as seen by whoever has an earlier checkpoint."""
    world = LOG.copy(tmp_path) if on_disk else LOG
    assert found(world, size) == {}


@pytest.mark.parametrize(
    "path", ["tile/0/000.p/1", "tile/0/000.p/100", "tile/entries/000.p/100", "tile/1/000.p/1", "tile/entries/000.p/1"]
)
def test_other_tiles(path: str) -> None:
    """A partial tile of an earlier tree is the beginning of what is there now, and has its own width."""
    assert found(changed(path, None)) == {}
    data = content(path)
    (problem,) = found(changed(path, flipped(data, len(data) * 8 - 1))).values()
    assert problem.startswith("is not the beginning of tile/")
    for wrong in (b"", data[:-1], data + b"\0", data * 2):
        assert list(found(changed(path, wrong))) == [path]


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("tile/0/002.p/200", content("tile/0/002.p/88") + bytes(112 * 32)),
        ("tile/0/002", content("tile/0/002.p/88") + bytes(168 * 32)),
        ("tile/entries/002.p/90", content("tile/entries/002.p/88") + bytes(4)),
        ("tile/1/000.p/3", content("tile/1/000.p/2") + bytes(32)),
        ("tile/0/003.p/2", bytes(64)),
        ("tile/entries/003", bytes(512)),
        ("tile/2/000.p/1", bytes(32)),
    ],
)
def test_tiles_beyond_the_tree(path: str, right: bytes) -> None:
    """Tiles of a tree that is not published yet begin with the published ones; further on, only their form is known."""
    assert found(changed(path, right)) == {}
    assert list(found(changed(path, right[:-1]))) == [path]
    if right.strip(b"\0"):
        assert "is not a continuation of tile/" in found(changed(path, flipped(right, 20)))[path]


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/000.tmp",
        "tile/0/0",
        "tile/x/000",
        "tile/64/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/00/000",
        "tile/a",
    ],
)
def test_unexpected_names(path: str) -> None:
    """Whatever is below tile/ under another name is found."""
    path = f"tile/{path}"
    assert found(changed(path, b"")) == {path: "is not the path of a tile or an entry bundle"}


@pytest.mark.parametrize("name", ["1", "001.p/1", "days/2025-02-30", "days/2025-2-3", "days/20250203", "x", "0001"])
def test_unexpected_checkpoints(name: str) -> None:
    """Whatever is below checkpoints/ under another name is found."""
    path = f"checkpoints/{name}"
    assert found(changed(path, content("checkpoint"))) == {path: "is not the path of a kept checkpoint"}


@pytest.mark.parametrize("full", [999, 1000, 1999])
@pytest.mark.parametrize("kind", ["memory", "directory"])
def test_folders_of_a_thousand_tiles(full: int, kind: str, tmp_path: Path) -> None:
    """Of a folder that is full of the tree's own tiles, other names are looked at as ever; so is all of another one."""
    store = MemoryStore() if kind == "memory" else DirectoryStore(tmp_path, NoSync())
    own = [*islice(full_paths(ENTRIES, 0), full)]
    odd = ["tile/entries/00a", "tile/entries/0000", "tile/entries/x001/00a", "tile/entries/x00/000"]
    beside = ["tile/entries/007.p/3", "tile/entries/x001/998.p/3", "tile/entries/x001/999.p/3"]
    beyond = [path for path in ("tile/entries/999", "tile/entries/x001/999") if path not in own]
    store.create(dict.fromkeys([*own[::100], *own[-1:], *odd, *beside, *beyond], b"!"))
    tree = TreeHead(full * 256, leaf_hash(b""))
    found = {finding.path: finding.problem for finding in check_tiles(store, StoreFetcher(store), tree, ())}
    assert sorted(found) == sorted([*odd, *beside, *beyond])


def test_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too long to be read is found by its size in the listing."""
    monkeypatch.setattr("tiles.upkeep.strays.MAX_BUNDLE_SIZE", 100_000)
    for path, size in {"tile/entries/000.p/1": 100_001, TODAY: MAX_NOTE_SIZE + 1}.items():
        ((at, problem),) = found(changed(path, bytes(size))).items()
        assert at == path
        assert f"{size} bytes" in problem
    assert MAX_BUNDLE_SIZE > 100_000


@pytest.mark.parametrize("path", [checkpoint_path(100), TODAY])
def test_kept_checkpoints(path: str) -> None:
    """A kept checkpoint is one, signed by the log, of a tree that the log has had."""
    right = LOG.history.checkpoints[2 if "days" not in path else 1]
    tree = parse_signed_checkpoint(right).tree
    assert found(changed(path, right)) == {}
    assert list(found(changed(path, right[:-1]))) == [path]
    forged = sign_checkpoint(Checkpoint(ORIGIN, tree), signing_key(ORIGIN, b"\x09" * 32))
    assert "no signature by" in found(changed(path, forged.data))[path]
    other = sign_checkpoint(Checkpoint(ORIGIN, TreeHead(tree.size, leaf_hash(b""))), LOG.key)
    assert found(changed(path, other.data)) == {
        path: f"has root {leaf_hash(b'').hex()}, the log had {tree.root.hex()} at size {tree.size}"
    }
    last = sign_checkpoint(Checkpoint(ORIGIN, TreeHead(600, leaf_hash(b""))), LOG.key)
    assert {finding.path for finding in look(changed(path, last.data)).findings} == {path}


def test_a_kept_checkpoint_in_the_wrong_place() -> None:
    """A kept checkpoint is of the size that its path names; one larger than the audited tree is believed in that."""
    path = checkpoint_path(100)
    assert found(changed(path, content("checkpoint"))) == {path: "is of size 600"}
    later = sign_checkpoint(Checkpoint(ORIGIN, TreeHead(700, leaf_hash(b""))), LOG.key)
    assert found(changed(checkpoint_path(700), later.data)) == {}


def test_old_quorums_are_not_asked_for() -> None:
    """A policy's witnesses are those of today: kept checkpoints need the log's signature only."""
    witness = signing_key("witness.example.com", b"\x02" * 32, SignatureType.COSIGNATURE).verifier
    policy = parse_policy(f"log {LOG.verifier.vkey}\nwitness w {witness.vkey}\nquorum w\n".encode())
    public = LOG.stores["public"]
    tree = parse_signed_checkpoint(content("checkpoint")).tree
    assert audit(StoreFetcher(public), tree, store=public, policy=policy).findings == ()
    other = policy_for(recording_key("other.example.com").verifier)
    paths = [finding.path for finding in audit(StoreFetcher(public), tree, store=public, policy=other).findings]
    assert paths == [listed.path for listed in public.list("checkpoints/")]
    assert audit(StoreFetcher(public), tree, store=public).findings == ()


@pytest.mark.parametrize(
    "path", ["tile/0/000", "tile/entries/000", "tile/1/000.p/2", "tile/0/002.p/88", "tile/entries/002.p/88"]
)
@pytest.mark.parametrize("data", [None, b"", bytes(8192), bytes(20_000)])
def test_one_damage_is_found_once(path: str, data: bytes | None) -> None:
    """A damaged tile is found, and not what it keeps from being checked."""
    assert list(found(changed(path, data))) == [path]


def test_an_empty_tree_with_another_root() -> None:
    """A wrong root of the empty tree is found, and does not stop the rest."""
    world = World().grown()
    public = world.stores["public"]
    wrong = TreeHead(0, leaf_hash(b""))
    first, *kept = audit(StoreFetcher(public), wrong, store=public, policy=policy_for(world.verifier)).findings
    assert first.path == "checkpoint"
    assert [finding.path for finding in kept] == [listed.path for listed in public.list("checkpoints/")]


def test_objects_deleted_meanwhile() -> None:
    """What is deleted after it was listed, by gc for instance, is no finding."""
    world = LOG.copy()

    class Vanishing(Passing):
        """A store whose listing is older than its objects."""

        def read(self, path: str, limit: int | None = None) -> Object:
            """Read what is not an old partial tile or a kept checkpoint."""
            if path.startswith("checkpoints/") or path.endswith((".p/1", ".p/100")):
                raise NotFound(path)
            return self.inner.read(path, limit)

    public = world.stores["public"]
    tree = parse_signed_checkpoint(content("checkpoint")).tree
    report = audit(StoreFetcher(public), tree, store=Vanishing(public, "public"), policy=policy_for(world.verifier))
    assert report.findings == ()


def test_many_checkpoints() -> None:
    """Roots of every size that was published are recomputed from the tiles of the last tree."""
    world = World().grown()
    for size in range(1, 12):
        world.append(some_entries(f"run {size}", 61))
    assert found(world) == {}
