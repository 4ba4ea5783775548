"""Repair of a log with tiles of no tree, or of a tree that is not published yet."""

from __future__ import annotations

import pytest

from tests.support.faults import Faults
from tests.support.lost_heads import died_after
from tests.support.repairs import (
    DAMAGES,
    SMALL,
    Told,
    check_repaired,
    committed_only,
    damaged,
    log,
    mirror_of,
    public,
    run,
    signed,
)
from tests.support.world import NOW, World, some_entries
from tiles.store import StoreFetcher
from tiles.upkeep.audit import audit
from tiles.upkeep.rebuild import BELOW, CUT, MIRROR
from tiles.upkeep.replace import PUT_BACK, REMOVED, REPLACED, Restorer
from tiles.write.parts import Parts


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


@pytest.mark.parametrize("died", ["public create tile/", "anchor swap anchor", "public swap checkpoint"])
def test_a_head_that_was_put_back(died: str) -> None:
    """Without a fence nothing is set aside: a tree that the older head does not know may be signed, now or later."""
    world = World().grown(*SMALL)
    older = world.contents()["private"]["head"]
    died_after(world, died, some_entries("more", 300))
    newer, tiles = world.contents()["private"]["head"], public(world)
    world.put("private", "head", older)
    done = run(world, fenced=False)
    assert public(world) == tiles
    assert done.set_aside == 0
    assert all("`tiletree repair LOG --head` sets it aside" in finding.problem for finding in done.findings)
    assert bool(done.findings) == (died != "public swap checkpoint")
    world.put("private", "head", newer)
    assert world.sequencer().finish().tree.size == 900
    world.check(complete=False)


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
        restorer = Restorer(Parts(*stores), NOW, dry_run=False, told=told)
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
