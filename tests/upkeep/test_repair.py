"""Repair: what is lost or damaged is put back as it was, from here or a mirror; nothing unproven is ever written."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import tiles.upkeep.rebuild
from tests.support.command_line import Command
from tests.support.faults import Faults
from tests.support.readers import Objects
from tests.support.repairs import (
    DAMAGES,
    LARGE,
    SMALL,
    SMALL_PATHS,
    Damage,
    Told,
    check_repaired,
    damaged,
    log,
    mirror_of,
    of_tree,
    public,
    run,
    signed,
    tree_paths,
)
from tests.support.sampling import quickly
from tests.support.world import NOW, World, recording_key
from tiles.errors import AccessError, NotFound, Refused
from tiles.notes.keys import signing_key
from tiles.notes.policy import policy_for
from tiles.read.runs import Hands
from tiles.store import Fetcher, StoreFetcher
from tiles.tree.blame import Stated
from tiles.tree.layout import Tile, edge_tiles, parse_tile_path
from tiles.tree.tile import parse_tile
from tiles.upkeep.audit import audit, is_sound
from tiles.upkeep.rebuild import BELOW, CUT, MIRROR, Recovery
from tiles.upkeep.repair import repair
from tiles.upkeep.replace import PUT_BACK, REPLACED
from tiles.workers import threads


@pytest.mark.parametrize("sizes", [(), (1,), (256,), SMALL, LARGE], ids=str)
def test_nothing_to_repair(sizes: tuple[int, ...]) -> None:
    """In a sound log nothing is written, and every entry was looked at."""
    world = log(*sizes)
    faults = Faults()
    counted: list[int] = []
    stores = [faults.wrap(world.stores[role], role) for role in ("public", "private")]
    done = repair(
        StoreFetcher(stores[0]), *stores, signed(world), policy_for(world.verifier), now=NOW, progress=counted.append
    )
    assert (done.put_back, done.replaced, done.set_aside, done.notes, done.findings) == (0, 0, 0, (), ())
    assert {what.split()[1] for what, _ in faults.done} <= {"read", "list", "barrier"}
    assert sum(counted) == sum(sizes)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("path", quickly(SMALL_PATHS, SMALL_PATHS[::2]))
@pytest.mark.parametrize("with_mirror", [False, True])
def test_one_object(path: str, damage: Damage, with_mirror: bool) -> None:
    """Any one object, damaged in any way, is put right: from here if it can be, or else from a mirror."""
    original = log(*SMALL)
    world = damaged(original, (path, damage))
    found = public(world).get(path)
    told = Told()
    done = run(world, mirror_of(original) if with_mirror else None, told)
    of_tree = path in {"tile/0/000", "tile/0/001", "tile/entries/000", "tile/entries/001"} | {
        tile.path for tile in edge_tiles(600)
    } | {"tile/entries/002.p/88"}
    if not of_tree and found is None:
        assert told == {}  # of an earlier tree: gc takes those, too
        return
    if of_tree and path.startswith("tile/entries/") and not with_mirror:
        assert [finding.path for finding in done.findings] == [path]
        assert told == {}
        assert public(world) == public(damaged(original, (path, damage)))
        return
    what = PUT_BACK if found is None else REPLACED
    how = CUT if not of_tree else MIRROR if path.startswith("tile/entries/") else BELOW
    assert told == {path: (what, how)}
    assert (done.put_back, done.replaced, done.findings) == (int(found is None), int(found is not None), ())
    check_repaired(world, original, {} if found is None else {path: found})


LOST_TOGETHER = [
    ["tile/1/000"],
    ["tile/2/000.p/1"],
    ["tile/1/001.p/2"],
    ["tile/0/007", "tile/0/255", "tile/entries/011"],
    ["tile/1/000", "tile/2/000.p/1", "tile/1/001.p/2", "tile/0/258.p/88"],
    ["tile/1/000", "tile/0/003", "tile/entries/003", "tile/entries/255"],
    ["tile/1/000", "tile/2/000.p/1", "tile/entries/100", "tile/0/200"],
]


@pytest.mark.parametrize("damage", [DAMAGES["gone"], pytest.param(DAMAGES["zeros"], marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "lost",
    quickly(LOST_TOGETHER, LOST_TOGETHER[-2:]),
    ids=" ".join,
)
def test_large(lost: list[str], damage: Damage) -> None:
    """Tiles of every level and bundles below them, lost together: with a mirror all of them come back."""
    original = log(*LARGE)
    world = damaged(original, *((path, damage) for path in lost))
    wrong = {path: public(world)[path] for path in lost if path in public(world)}
    told = Told()
    done = run(world, mirror_of(original, parallel=3), told)
    assert done.findings == ()
    assert set(told) == set(lost)
    for path, (_, how) in told.items():
        if path.startswith("tile/entries/"):
            assert how == MIRROR
    check_repaired(world, original, wrong)


@pytest.mark.parametrize("lost", [[], LOST_TOGETHER[-1]], ids=" ".join)
def test_found_by_others(lost: list[str]) -> None:
    """Runs that workers find sound are not looked at again, but counted; in all others what is wrong is put right."""
    original = log(*LARGE)
    world = damaged(original, *((path, DAMAGES["gone"]) for path in lost))
    told = Told()
    asked: list[Stated] = []

    def sound(fetcher: Fetcher, parallel: int, above: Stated) -> bool:
        asked.append(above)
        return is_sound(fetcher, parallel, above)

    with pytest.MonkeyPatch.context() as patch, threads(2) as workers:
        patch.setattr(tiles.upkeep.rebuild, "is_sound", sound)
        looked_at: list[str] = []
        real = Recovery._run
        patch.setattr(Recovery, "_run", lambda self, above: looked_at.append(above.tile.path) or real(self, above))
        counted: list[int] = []
        done = run(world, mirror_of(original), told, hands=Hands(workers), progress=counted.append)
    assert [above.tile.path for above in asked] == ["tile/1/000"]
    assert looked_at == (["tile/1/000"] if lost else []) + ["tile/1/001.p/2"]
    assert sum(counted) == sum(LARGE)
    assert (done.findings, set(told)) == ((), set(lost))
    check_repaired(world, original)


def test_what_workers_cannot_read_is_not_sound() -> None:
    """A run of which something cannot be read is left to whoever repairs, with patience."""

    class Unreachable(Objects):
        def fetch(self, path: str, limit: int) -> bytes:
            if path == "tile/0/007":
                raise AccessError(path)
            return super().fetch(path, limit)

    contents = public(log(*LARGE))
    hashes = parse_tile(contents["tile/1/000"], 256)
    above = Stated(Tile(1, 0), hashes, believed=True)
    assert is_sound(Objects(contents), 1, above)
    assert not is_sound(Unreachable(contents), 1, above)
    assert not is_sound(Objects({**contents, "tile/0/007": bytes(8192)}), 1, above)


def test_all_tiles_lost() -> None:
    """A log whose tiles are all lost gets them back from its entries alone, whatever its size."""
    for original in (log(*SMALL), log(*LARGE)):
        tree = signed(original).tree
        lost = [path for path in tree_paths(original) if not path.startswith("tile/entries/")]
        world = damaged(original, *((path, DAMAGES["gone"]) for path in lost))
        told = Told()
        assert run(world, None, told).findings == ()
        assert {how for _, how in told.values()} == {BELOW}
        assert audit(StoreFetcher(world.stores["public"]), tree).findings == ()
        earlier = {path for path in lost if parse_tile_path(path) not in of_tree(tree.size)}
        assert set(lost) - set(told) == earlier


def test_everything_lost() -> None:
    """A log that has lost all its tiles and bundles gets the published tree back from a mirror."""
    original = log(*SMALL)
    world = damaged(original, *((path, DAMAGES["gone"]) for path in SMALL_PATHS))
    assert run(world).findings != ()
    assert tree_paths(world) == []
    assert run(world, mirror_of(original)).findings == ()
    assert audit(StoreFetcher(world.stores["public"]), signed(world).tree).findings == ()


def test_findings_are_of_what_is_left() -> None:
    """What was repaired is not reported because something else could not be."""
    original = log(65_536, 65_536)
    lost = ("tile/1/000", "tile/1/001", "tile/entries/300")
    world = damaged(original, *((path, DAMAGES["gone"]) for path in lost), ("tile/0/300", DAMAGES["zeros"]))
    told = Told()
    done = run(world, None, told)
    assert set(told) == {"tile/1/000"}
    assert {finding.path for finding in done.findings} == {"tile/1/001", "tile/entries/300"}


def test_a_log_that_cannot_be_read() -> None:
    """A log of which several objects in a row cannot be read is not taken for one that has lost them."""
    world = log(*LARGE).copy()
    reader = mirror_of(world)

    def fail(path: str) -> None:
        if path.startswith("tile/"):
            raise AccessError("broken")

    reader.before = fail
    stores = (world.stores["public"], world.stores["private"])
    before = world.contents()
    with pytest.raises(AccessError, match="broken"):
        repair(reader, *stores, signed(world), policy_for(world.verifier), now=NOW)
    assert world.contents() == before


def test_too_long_to_be_set_aside() -> None:
    """An object that is too long to be read is reported, and the rest is repaired."""
    original = log(*SMALL)
    world = damaged(original, ("tile/0/000", lambda _: bytes(20 << 20)), ("tile/0/001", DAMAGES["gone"]))
    done = run(world)
    assert [finding.path for finding in done.findings] == ["tile/0/000"]
    assert "longer than" in done.findings[0].problem
    assert (done.put_back, done.replaced) == (1, 0)


def test_either_of_two() -> None:
    """Below a tile that is lost, where a tile and its bundle disagree, whichever leads to the root is right."""
    original = log(*LARGE)
    for sound, wrong in (("tile/0/003", "tile/entries/003"), ("tile/entries/003", "tile/0/003")):
        for top in ("tile/1/000", "tile/1/001.p/2"):
            lost = [wrong.replace("003", "256") if top == "tile/1/001.p/2" else wrong, "tile/0/255"]
            world = damaged(original, (top, DAMAGES["gone"]), (lost[0], DAMAGES["a bit"]), (lost[1], DAMAGES["a bit"]))
            told = Told()
            done = run(world, None, told)
            expected = {top, "tile/0/255"} | ({lost[0]} if sound.startswith("tile/entries") else set())
            assert set(told) == expected
            assert {finding.path for finding in done.findings} == {top, *lost} - expected


@pytest.mark.parametrize("seed", quickly(range(12), range(3, 5)))
def test_random_damage(seed: int) -> None:
    """However many objects are damaged, with a mirror everything comes back, and without it what is sound stays."""
    rng = random.Random(seed)
    original = log(*(LARGE if seed % 3 == 0 else SMALL))
    paths = rng.sample(tree_paths(original), rng.randint(1, 12))
    changes = [(path, rng.choice(list(DAMAGES.values()))) for path in paths]
    world = damaged(original, *changes)
    before = public(world)
    told = Told()
    done = run(world, None, told)
    now = public(world)
    for path, data in before.items():
        assert now[path] == (data if path not in told else public(original)[path])
    assert {finding.path for finding in done.findings}.isdisjoint(told)
    assert run(world, mirror_of(original)).findings == ()
    tree = signed(world).tree
    store = world.stores["public"]
    assert audit(StoreFetcher(store), tree, store=store, policy=policy_for(world.verifier)).findings == ()
    assert all(public(original)[path] == data for path, data in public(world).items())
    assert run(world).findings == ()


def test_dry_run() -> None:
    """A dry run says the same, and asks for no change at all."""
    original = log(*SMALL)
    lost = ["tile/0/000", "tile/entries/001", "tile/1/000.p/2", "tile/0/001.p/44"]
    world = damaged(original, *((path, DAMAGES["zeros"]) for path in lost))
    world.stores["public"].create({"tile/0/009": b"x"})
    before = world.contents()
    faults, told, really = Faults(), Told(), Told()
    done = run(world, mirror_of(original), told, dry_run=True, wrap=faults)
    assert {what.split()[1] for what, _ in faults.done} == {"read", "list"}
    assert world.contents() == before
    really_done = run(world, mirror_of(original), really)
    # the partial tile of an earlier tree could not be proven before the edge was right
    assert set(really) - set(told) == {"tile/0/001.p/44"}
    assert told.items() <= really.items()
    assert (done.replaced, done.set_aside, done.findings) == (3, 1, ())
    assert (really_done.replaced, really_done.set_aside, really_done.findings) == (4, 1, ())
    assert any("once this tree is repaired" in note for note in done.notes)


def test_another_log() -> None:
    """The private part has to be the log's; without one there is nothing to go by."""
    world = log(*SMALL)
    other = World(key=recording_key("example.com/other")).grown(5)
    with pytest.raises(Refused, match=r"private part of the log example\.com/other"):
        repair(
            StoreFetcher(world.stores["public"]),
            world.stores["public"],
            other.stores["private"],
            signed(world),
            policy_for(world.verifier),
            now=NOW,
        )
    empty = World()
    with pytest.raises(NotFound):
        repair(
            StoreFetcher(world.stores["public"]),
            world.stores["public"],
            empty.stores["private"],
            signed(world),
            policy_for(world.verifier),
            now=NOW,
        )


def test_no_other_key_is_believed() -> None:
    """A kept checkpoint that another key has signed covers nothing."""
    world = log(*SMALL).copy()
    key = signing_key(world.verifier.name, b"\x09" * 32)
    other = World(key=recording_key(key.name, b"\x09" * 32)).grown(5000)
    assert other.verifier == key.verifier
    world.stores["public"].create({"checkpoints/x005/000": public(other)["checkpoints/x005/000"], "tile/0/010": b"x"})
    assert run(world).set_aside == 1


def test_command(tiletree: Command, log: str) -> None:
    """`repair` puts right what it can, says what it did, and exits 1 for what it cannot."""
    done = tiletree.ok("repair", "log", "--vkey", log)
    assert list(done) == [
        "origin", "size", "root", "trust", "dry_run",
        "put_back", "replaced", "set_aside", "repaired", "notes", "findings",
    ]  # fmt: skip
    assert (done["size"], done["put_back"], done["findings"]) == (2, 0, [])
    tiletree.ok("init", "copy", "--origin", "log.example.com/copy", "--key", "k2")
    tile, bundle = Path("log/tile/0/000.p/2"), Path("log/tile/entries/000.p/2")
    right = tile.read_bytes(), bundle.read_bytes()
    tile.write_bytes(b"wrong")
    dry = tiletree("repair", "log", "--vkey", log, "--dry-run")
    assert (dry.code, tile.read_bytes()) == (0, b"wrong")
    assert "tile/0/000.p/2: replaced, computed from what is below it" in dry.out
    assert "would repair" in dry.out
    Path("mirror/tile/entries").mkdir(parents=True)
    Path("mirror/checkpoint").write_bytes(Path("log/checkpoint").read_bytes())
    bundle.unlink()
    tile.write_bytes(right[0])
    lost = tiletree("repair", "log", "--vkey", log, "--json")
    assert (lost.code, [finding["path"] for finding in lost.json["findings"]]) == (1, ["tile/entries/000.p/2"])
    assert "could not be repaired" in tiletree("repair", "log", "--vkey", log).out
    Path("mirror/tile/entries/000.p").mkdir()
    Path("mirror/tile/entries/000.p/2").write_bytes(right[1])
    tile.write_bytes(b"wrong")
    done = tiletree.ok("repair", "log", "--from", "mirror", "--vkey", log)
    assert (done["put_back"], done["replaced"]) == (1, 1)
    assert {each["path"]: each["how"] for each in done["repaired"]} == {
        "tile/entries/000.p/2": MIRROR, "tile/0/000.p/2": MIRROR,
    }  # fmt: skip
    assert (tile.read_bytes(), bundle.read_bytes()) == right
    (aside,) = Path("log.private/set-aside").iterdir()
    assert (aside / "tile/0/000.p/2").read_bytes() == b"wrong"
