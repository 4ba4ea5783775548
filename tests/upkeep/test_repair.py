"""Repair: what is lost or damaged is put back as it was, from here or a mirror; nothing unproven is ever written."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.faults import Died, Fault, Faults
from tests.support.readers import Objects
from tests.support.reference import flipped
from tests.support.sampling import quickly
from tests.support.world import NOW, World, recording_key, some_entries
from tiles.errors import AccessError, NotFound, Refused
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.keys import signing_key
from tiles.notes.policy import policy_for
from tiles.store import Fetcher, Store, StoreFetcher
from tiles.tree.bundle import encode_entries
from tiles.tree.layout import ENTRIES, edge_tiles, levels, parse_tile_path, tiles_of
from tiles.upkeep.audit import audit
from tiles.upkeep.rebuild import BELOW, CUT, MIRROR
from tiles.upkeep.repair import Repaired, repair
from tiles.upkeep.replace import PUT_BACK, REMOVED, REPLACED, Restorer

SMALL = (100, 200, 242, 58)  # 600: two full level-0 tiles, partial ones, a partial tile of level 1
LARGE = (65_536, 600)  # and a full tile of level 1, a partial one of level 2
ASIDE = "set-aside/20961002T070640.000000Z/"

Damage = Callable[[bytes], bytes | None]
DAMAGES: dict[str, Damage] = {
    "gone": lambda _: None,
    "empty": lambda _: b"",
    "cut short": lambda data: data[:-1],
    "too long": lambda data: data + b"\0",
    "a bit": lambda data: flipped(data, len(data) * 8 - 1),
    "zeros": lambda data: bytes(len(data)),
}


@cache
def log(*sizes: int) -> World:
    """Return a log that grew by these; not to be changed."""
    return World().grown(*sizes)


def public(world: World) -> dict[str, bytes]:
    """Return the public objects."""
    return world.contents()["public"]


def signed(world: World) -> SignedCheckpoint:
    """Return the published checkpoint."""
    return parse_signed_checkpoint(world.stores["public"].read("checkpoint").data)


def damaged(world: World, *changes: tuple[str, Damage]) -> World:
    """Return a copy of a log in which some objects are damaged."""
    other = world.copy()
    for path, damage in changes:
        other.put("public", path, damage(other.stores["public"].read(path).data))
    return other


class Told(dict[str, tuple[str, str]]):
    """What was done: path → what, how."""

    def __call__(self, path: str, what: str, how: str) -> None:
        assert path not in self
        self[path] = what, how


def run(
    world: World,
    mirror: Fetcher | None = None,
    told: Told | None = None,
    *,
    dry_run: bool = False,
    wrap: Faults | None = None,
) -> Repaired:
    """Repair a log."""
    stores: list[Store] = [world.stores[role] for role in ("public", "private")]
    if wrap is not None:
        stores = [wrap.wrap(store, role) for store, role in zip(stores, ("public", "private"), strict=True)]
    return repair(
        StoreFetcher(stores[0]),
        *stores,
        signed(world),
        policy_for(world.verifier),
        now=NOW,
        mirror=mirror,
        told=told,
        dry_run=dry_run,
    )


def mirror_of(world: World, parallel: int = 1) -> Objects:
    """Return a mirror of a log."""
    return Objects(public(world), parallel)


def check_repaired(world: World, original: World, wrong: Mapping[str, bytes] = {}) -> None:
    """Check that a log is as it was, and what was wrong kept in the private part."""
    assert public(world) == public(original)
    private = world.contents()["private"]
    assert private == original.contents()["private"] | {f"{ASIDE}{path}": data for path, data in wrong.items()}
    tree = signed(world).tree
    store = world.stores["public"]
    assert audit(StoreFetcher(store), tree, store=store, policy=policy_for(world.verifier)).findings == ()


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


def tree_paths(world: World) -> list[str]:
    """Return the paths of the tiles and bundles of the published tree, and of earlier ones."""
    return [path for path in public(world) if path.startswith("tile/")]


SMALL_PATHS = tree_paths(log(*SMALL))


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("path", SMALL_PATHS)
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


@pytest.mark.parametrize("damage", [DAMAGES["gone"], pytest.param(DAMAGES["zeros"], marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "lost",
    [
        ["tile/1/000"],
        ["tile/2/000.p/1"],
        ["tile/1/001.p/2"],
        ["tile/0/007", "tile/0/255", "tile/entries/011"],
        ["tile/1/000", "tile/2/000.p/1", "tile/1/001.p/2", "tile/0/258.p/88"],
        ["tile/1/000", "tile/0/003", "tile/entries/003", "tile/entries/255"],
        ["tile/1/000", "tile/2/000.p/1", "tile/entries/100", "tile/0/200"],
    ],
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


def of_tree(size: int) -> set[object]:
    """Return the tiles and bundles of a tree."""
    return {tile for level in (ENTRIES, *levels(size)) for tile in tiles_of(size, level)}


def test_everything_lost() -> None:
    """A log that has lost all its tiles and bundles gets the published tree back from a mirror."""
    original = log(*SMALL)
    world = damaged(original, *((path, DAMAGES["gone"]) for path in SMALL_PATHS))
    assert run(world).findings != ()
    assert tree_paths(world) == []
    assert run(world, mirror_of(original)).findings == ()
    assert audit(StoreFetcher(world.stores["public"]), signed(world).tree).findings == ()


def test_a_mirror_that_has_grown() -> None:
    """What a mirror has of a larger tree is cut."""
    world = log(*SMALL)
    grown = world.copy()
    grown.append(some_entries("more", 100))
    mirror = mirror_of(grown)
    for path in [path for path in mirror.objects if path.endswith(".p/88")]:
        del mirror.objects[path]
    for lost in ("tile/entries/002.p/88", "tile/0/002.p/88"):
        other = damaged(world, *((path, DAMAGES["gone"]) for path in {lost, "tile/entries/002.p/88"}))
        assert run(other, mirror).findings == ()
        check_repaired(other, world)


@pytest.mark.parametrize(
    "lost", [["tile/entries/001"], ["tile/entries/001", "tile/0/001"], ["tile/entries/002.p/88"], ["tile/1/000.p/2"]]
)
def test_a_mirror_that_lies(lost: list[str]) -> None:
    """What a mirror has is written only if the signed root proves it."""
    original = log(*SMALL)
    world = damaged(original, *((path, DAMAGES["gone"]) for path in lost))
    before = public(world)
    other = log(600)
    bundle = "tile/entries/001"
    for content in (
        public(World(key=recording_key(seed=b"\x05" * 32)).grown(600)),
        {path: flipped(data, 77) for path, data in public(original).items()},
        public(other) | {bundle: encode_entries(some_entries("other", 256))},
        dict.fromkeys(public(original), b""),
        dict.fromkeys(public(original), b"\xff" * 100),
        {},
    ):
        done = run(world, Objects(content))
        if lost == ["tile/1/000.p/2"]:
            assert done.findings == ()
            check_repaired(world, original)
            return
        assert {finding.path for finding in done.findings} == set(lost)
        assert public(world) == before


def test_a_mirror_that_cannot_be_reached() -> None:
    """What a mirror that fails keeps from being repaired is reported, with why; it is not asked for ever."""
    original = log(*LARGE)
    lost = [f"tile/entries/{n:03d}" for n in range(20)] + ["tile/0/100"]
    world = damaged(original, *((path, DAMAGES["gone"]) for path in lost))
    mirror = mirror_of(original)

    def fail(path: str) -> None:
        raise AccessError(f"no way to {path}")

    mirror.before = fail
    done = run(world, mirror)
    assert {finding.path for finding in done.findings} == set(lost) - {"tile/0/100"}
    assert done.put_back == 1
    assert any("no way to" in note for note in done.notes)
    assert len(mirror.asked) < 10


def test_a_mirror_that_often_fails() -> None:
    """A mirror that fails for some objects, never for many in a row, is asked for all the others."""
    original = log(*LARGE)
    lost = [f"tile/entries/{n:03d}" for n in range(30)]
    world = damaged(original, *((path, DAMAGES["gone"]) for path in lost))
    mirror = mirror_of(original)
    for number, path in enumerate(lost):
        if number % 5 == 4:
            del mirror.objects[path]

    def fail(path: str) -> None:
        if path.endswith(("0", "1", "2", "5", "6", "7")):
            raise AccessError(f"no way to {path}")

    mirror.before = fail
    done = run(world, mirror)
    assert {finding.path[-1] for finding in done.findings} == set("01256749")
    assert done.put_back == 6


def test_a_mirror_without_a_checkpoint() -> None:
    """A mirror does not have to say how large it is."""
    original = log(*SMALL)
    lost = ("tile/entries/002.p/88", "tile/0/002.p/88", "tile/entries/000")
    world = damaged(original, *((path, DAMAGES["gone"]) for path in lost))
    mirror = mirror_of(original)
    del mirror.objects["checkpoint"]
    assert run(world, mirror).findings == ()
    check_repaired(world, original)


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


@pytest.mark.parametrize("seed", quickly(range(12), range(3, 8)))
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


# ---- tiles of no tree


def test_foreign_tiles() -> None:
    """Tiles beyond all that was committed are set aside; what has no name of a tile is left alone."""
    world = log(*SMALL).copy()
    foreign = ["tile/0/002.p/89", "tile/0/002", "tile/0/003", "tile/3/000.p/1", "tile/entries/002", "tile/1/000.p/3"]
    world.stores["public"].create({path: path.encode() for path in [*foreign, "tile/x", "tile/0/2"]})
    told = Told()
    done = run(world, None, told)
    assert set(told) == set(foreign)
    assert {what for what, _ in told.values()} == {REMOVED}
    assert done.findings == ()
    assert any("2 objects" in note for note in done.notes)
    for path in ("tile/x", "tile/0/2"):
        world.put("public", path, None)
    check_repaired(world, log(*SMALL), {path: path.encode() for path in foreign})
    world.append(some_entries("more", 300))
    world.check()


def committed_only(sizes: tuple[int, ...]) -> World:
    """Return a log with a batch of 300 that is committed, and whose writer died after it wrote the tiles."""
    world = World().grown(*sizes)
    faults = Faults()
    world.copy().sequencer(faults.wrap).append(some_entries("more", 300))
    number = max(i for i, (what, _) in enumerate(faults.done) if what.startswith("public create tile/"))
    with pytest.raises(Died):
        world.sequencer(Faults(number).wrap).append(some_entries("more", 300))
    return world


def test_committed_tiles_stay() -> None:
    """The tiles of a tree that is committed and not published yet are left alone, and that is said."""
    world = committed_only(SMALL)
    foreign = ["tile/0/004", "tile/0/003.p/200"]
    world.stores["public"].create(dict.fromkeys(foreign, b"foreign"))
    told = Told()
    done = run(world, None, told)
    assert set(told) == set(foreign)
    assert any("a tree of size 900 is committed" in note and "left alone" in note for note in done.notes)
    world.sequencer().finish()
    assert audit(StoreFetcher(world.stores["public"]), signed(world).tree).findings == ()


def test_cut_from_what_is_committed() -> None:
    """The last bundle of the published tree is cut from the full one of the tree that is committed."""
    world = committed_only(SMALL)
    for lost in ("tile/entries/002.p/88", "tile/0/002.p/88"):
        right = public(world)[lost]
        world.put("public", lost, b"wrong")
        told = Told()
        assert run(world, None, told).findings == ()
        assert told[lost][0] == REPLACED
        assert public(world)[lost] == right
    assert told["tile/0/002.p/88"][1] in (BELOW, CUT)


def test_tiles_of_a_kept_checkpoint_stay() -> None:
    """Where the checkpoint and the head were put back, tiles that a kept checkpoint covers are left alone."""
    world = World().grown(*SMALL)
    older = world.contents()
    world.append(some_entries("more", 300))
    newer = public(world)
    world.put("public", "checkpoint", older["public"]["checkpoint"])
    world.put("private", "head", older["private"]["head"])
    world.stores["public"].create(
        {"checkpoints/x005/000": newer["checkpoint"].replace(b"900", b"901"), "tile/0/009": b"x"}
    )
    told = Told()
    done = run(world, None, told)
    assert set(told) == {"tile/0/009"}
    assert any("a tree of size 900" in note for note in done.notes)
    world.put("public", "checkpoints/900", None)
    assert run(world).set_aside > 0


def test_a_tree_that_is_committed_meanwhile() -> None:
    """A foreign tile that becomes part of a committed tree while it is set aside is put back."""
    original = log(*SMALL)
    other = original.copy()
    other.append(some_entries("more", 300))
    path = "tile/0/002"
    world = original.copy()
    content = public(other)[path]
    world.stores["public"].create({path: content})
    head = other.contents()["private"]["head"]

    class Late(Faults):
        """The head changes right after the tile was deleted."""

        def run(self, what, kinds, do):  # type: ignore[no-untyped-def]
            result = super().run(what, kinds, do)
            if what == [f"public delete {path}"]:
                world.put("private", "head", head)
            return result

    done = run(world, wrap=Late())
    assert public(world)[path] == content
    assert done.set_aside == 0
    assert any("put back" in note for note in done.notes)


def test_a_tree_that_was_committed_before_its_tiles_were_listed() -> None:
    """The head is read after the tiles were listed: what a run has written since the beginning is not touched."""
    world = log(*SMALL).copy()
    future = world.copy()
    future.append(some_entries("more", 300))
    contents = future.contents()

    class Meanwhile(Faults):
        """A writer commits, and writes a tile, right before the tiles are listed for the last time."""

        def run(self, what, kinds, do):  # type: ignore[no-untyped-def]
            if what == ["public list tile/"] and self.done[-1][0].startswith("public list checkpoints/"):
                world.put("private", "head", contents["private"]["head"])
                world.stores["public"].create({"tile/0/002": contents["public"]["tile/0/002"]})
            return super().run(what, kinds, do)

    faults = Meanwhile()
    done = run(world, wrap=faults)
    assert "tile/0/002" in public(world)
    assert (done.set_aside, [what for what, _ in faults.done if "delete" in what]) == (0, [])


def test_some_at_a_time() -> None:
    """What waits to be put right is bounded, in number and in bytes; done is done in the order it was asked for."""
    for count, size, most in ((1000, 1, 256), (50, 1 << 20, 17)):
        world = World()
        stores = world.stores["public"], world.stores["private"]
        told = Told()
        restorer = Restorer(*stores, NOW, dry_run=False, told=told)
        for number in range(count):
            restorer.put(f"tile/x/{number:04d}", bytes(size), MIRROR)
            assert number + 1 - len(told) < most
        restorer.close()
        assert [*told] == [f"tile/x/{number:04d}" for number in range(count)]
        assert restorer.counts[PUT_BACK] == count


def test_what_gc_takes_stays_away() -> None:
    """A partial tile that was replaced once, and that gc has taken since, is not put back."""
    world = damaged(log(*SMALL), ("tile/0/001.p/44", DAMAGES["zeros"]))
    assert run(world).replaced == 1
    world.put("public", "tile/0/001.p/44", None)
    assert run(world).put_back == 0


def test_nothing_is_cut_from_what_is_wrong() -> None:
    """The partial bundle of an earlier tree is put back only once there is a sound one to cut it from."""
    original = log(*SMALL)
    last, earlier = "tile/entries/002.p/88", "tile/entries/002.p/30"
    world = damaged(original, (last, DAMAGES["a bit"]), (earlier, DAMAGES["gone"]))
    world.stores["private"].create({f"set-aside/20200101T000000Z/{earlier}": b"wrong"})
    assert [finding.path for finding in run(world).findings] == [last]
    assert earlier not in public(world)
    assert run(world, mirror_of(original)).findings == ()
    assert public(world) == public(original)


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


# ---- a repair that dies


LOST = {
    "tile/0/000": DAMAGES["zeros"],
    "tile/0/001": DAMAGES["gone"],
    "tile/entries/001": DAMAGES["a bit"],
    "tile/1/000.p/2": DAMAGES["empty"],
    "tile/0/001.p/44": DAMAGES["zeros"],
    "tile/1/000.p/1": DAMAGES["zeros"],
    "tile/0/002.p/30": DAMAGES["empty"],
    "tile/entries/002.p/30": DAMAGES["cut short"],
}
# where the full tile is there for those who miss it
STOOD_IN_FOR = "tile/0/001.p/44"


def broken() -> World:
    """Return a log where every kind of repair is to be done."""
    world = damaged(log(*SMALL), *LOST.items())
    world.stores["public"].create({"tile/0/003": b"foreign"})
    return world


def operations() -> int:
    """Return how many operations a repair has."""
    faults = Faults()
    run(broken(), mirror_of(log(*SMALL)), wrap=faults)
    return len(faults.done)


@pytest.mark.parametrize("at", range(operations()))
@pytest.mark.parametrize("fault", [Fault.NOT_DONE, Fault.DIES])
def test_a_repair_that_dies(at: int, fault: Fault) -> None:
    """A repair that dies anywhere is finished by the next one; nothing that was there is lost at any moment."""
    original, world = log(*SMALL), broken()
    before = public(world)
    mirror = mirror_of(original)
    faults = Faults(at, fault)
    try:
        run(world, mirror, wrap=faults)
    except (Died, AccessError):
        kept = {path.split("/", 2)[2]: data for path, data in world.contents()["private"].items() if ASIDE in path}
        for path, data in before.items():
            assert data in (public(world).get(path), kept.get(path)), path
    assert run(world, mirror).findings == ()
    assert public(original).items() - public(world).items() <= {(STOOD_IN_FOR, public(original)[STOOD_IN_FOR])}
    assert public(world).items() <= public(original).items()
    kept = {path.split("/", 2)[2]: data for path, data in world.contents()["private"].items() if ASIDE in path}
    assert kept == {path: data for path, data in before.items() if public(original).get(path) != data}


def test_order() -> None:
    """The copy in the private part lasts before anything is deleted; what is created lasts before the end."""
    faults = Faults()
    run(broken(), mirror_of(log(*SMALL)), wrap=faults)
    done = [what for what, _ in faults.done]
    changing = [what for what in done if what.split()[1] not in ("read", "list")]
    deleted = [at for at, what in enumerate(changing) if " delete " in what]
    for at in deleted:
        path = changing[at].split()[-1]
        copied = changing.index(f"private create {ASIDE}{path}")
        assert "private barrier" in changing[copied:at]
    assert changing[-1] == "public barrier"
    assert not [what for what in changing if "head" in what or "checkpoint" in what or "staging" in what]


def test_no_other_key_is_believed() -> None:
    """A kept checkpoint that another key has signed covers nothing."""
    world = log(*SMALL).copy()
    key = signing_key(world.verifier.name, b"\x09" * 32)
    other = World(key=recording_key(key.name, b"\x09" * 32)).grown(5000)
    assert other.verifier == key.verifier
    world.stores["public"].create({"checkpoints/x005/000": public(other)["checkpoints/x005/000"], "tile/0/010": b"x"})
    assert run(world).set_aside == 1


# ---- the command


def test_command(tiletree: Command, log: str) -> None:
    """`repair` puts right what it can, says what it did, and exits 1 for what it cannot."""
    done = tiletree.ok("repair", "log", "--vkey", log)
    assert list(done) == [
        "origin", "size", "root", "dry_run", "put_back", "replaced", "set_aside", "repaired", "notes", "findings",
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
