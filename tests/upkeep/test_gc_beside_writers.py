"""gc beside writers, and gc that dies: nothing that anybody needs goes, whoever is stopped wherever."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.support.collecting import NOTHING, SIZES, assert_sound, collect, orphan, partials
from tests.support.faults import Died, Fault, Faults, GatedStore, Stepped
from tests.support.sampling import one_in, quickly
from tests.support.world import NOW, World, explained, some_entries
from tiles.errors import AccessError
from tiles.read.tiles import fetch_tile
from tiles.store import Store, StoreFetcher
from tiles.tree.layout import parse_tile_path
from tiles.upkeep.gc import Collected, gc
from tiles.write.results import Appended


def test_readers_find_the_full_tile() -> None:
    """Whoever has an earlier checkpoint reads its edge from the full tiles."""
    world = World().grown(*SIZES)
    public = world.stores["public"]
    before = {path: public.read(path).data for path in partials(world)}
    collect(world)
    for path, data in before.items():
        assert fetch_tile(StoreFetcher(public), parse_tile_path(path)) == data
    assert_sound(world)


GROWTH = some_entries("growth", 260)


def grow(world: World, wrap: Callable[[Store, str], Store]) -> Callable[[], Appended]:
    """Return a writer's run, not begun yet."""
    sequencer = world.sequencer(wrap)
    return lambda: sequencer.append(GROWTH)


def gated(gate: Callable[[str], None]) -> Callable[[Store, str], Store]:
    """Return what wraps a store so that `gate` is called before each operation."""
    return lambda store, role: GatedStore(store, role, gate)


@cache
def before_growth() -> World:
    """Return a log; not to be changed."""
    return World().grown(100, 100)


@cache
def operations() -> int:
    """Return how many operations the run of a writer has."""
    faults = Faults()
    grow(before_growth().copy(), faults.wrap)()
    return len(faults.done)


@pytest.mark.parametrize("at", range(operations() + 1))
@pytest.mark.parametrize("on_disk", quickly([False, True], [False]))
def test_at_every_moment_of_a_writer(at: int, on_disk: bool, tmp_path: Path) -> None:
    """A writer that is stopped anywhere, while gc runs, goes on and leaves the log sound; so it does if it dies there.

    gc takes nothing then that the next gc would have left.
    """
    world = before_growth().copy(tmp_path / "log" if on_disk else None)
    count = 0

    def gate(_: str) -> None:
        nonlocal count
        if count == at:
            collect(world)
        count += 1

    done = grow(world, gated(gate))()
    world.acknowledged.append((done.first_index, GROWTH))
    collect(world)
    assert (done.first_index, world.size()) == (200, 460)
    assert_sound(world, orphans=False)

    died = before_growth().copy(tmp_path / "died" if on_disk else None)
    if at < operations():
        with pytest.raises(Died):
            grow(died, Faults(at, Fault.DIES).wrap)()
    collect(died)
    collect(died)
    died.sequencer().finish()
    died.append(some_entries("after", 300))
    collect(died)
    assert_sound(died, orphans=False)


@cache
def gc_operations() -> int:
    """Return how many operations gc has."""
    world, faults = with_leftovers(), Faults()
    gc(*(faults.wrap(world.stores[role], role) for role in ("public", "private")), now=NOW, grace=0.0)
    return len(faults.done)


@cache
def grown_for_gc() -> World:
    """Return a log; not to be changed."""
    return World().grown(100, 100, 70)


def with_leftovers() -> World:
    """Return a log where every kind of gc's work is to be done, and a batch that may still be committed."""
    world = grown_for_gc().copy()
    world.stores["private"].create({orphan(1): b"", orphan(270): b"", orphan(5000): b""})
    return world


@pytest.mark.parametrize("at", range(gc_operations()))
@pytest.mark.parametrize("fault", [Fault.NOT_DONE, Fault.DIES])
def test_a_gc_that_dies(at: int, fault: Fault) -> None:
    """What a gc that died had not deleted, the next one does; what it did delete, the next one would have."""
    world, other = with_leftovers(), with_leftovers()
    faults = Faults(at, fault)
    with pytest.raises((Died, AccessError)):
        gc(*(faults.wrap(world.stores[role], role) for role in ("public", "private")), now=NOW, grace=0.0)
    collect(world)
    collect(other)
    assert sorted(world.contents()["public"]) == sorted(other.contents()["public"])
    assert world.contents()["private"].keys() == other.contents()["private"].keys()
    assert collect(world) == NOTHING


@pytest.mark.parametrize("n", [4, *quickly([1], [])])
@pytest.mark.parametrize("writer_at", range(0, operations(), 2))
def test_gc_and_a_writer_by_turns(writer_at: int, n: int) -> None:
    """A gc stopped anywhere (one in n) beside a writer stopped anywhere, then the writer to its end, then gc."""
    for gc_at in one_in(n, range(gc_operations())):
        world = with_leftovers()
        private, public = world.stores["private"], world.stores["public"]
        writer = Stepped("writer", lambda me, world=world: grow(world, gated(me.gate))())
        writer.step(writer_at)

        def sweep(me: Stepped[Collected], public: Store = public, private: Store = private) -> Collected:
            return gc(gated(me.gate)(public, "public"), gated(me.gate)(private, "private"), now=NOW, grace=0.0)

        broom = Stepped("gc", sweep)
        broom.step(gc_at)
        with explained(lambda w=writer, g=broom: f"writer at {w.trace[-1:]}, gc at {g.trace[-1:]}"):
            writer.finish()
            world.acknowledged.append((writer.outcome().first_index, GROWTH))
            broom.finish()
            broom.outcome()
            assert private.read(orphan(5000)).data == b""
            assert_sound(world)


def test_a_writer_stopped_for_long() -> None:
    """A batch staged before others grew the log, and gc took it, is never committed; its entries are added once."""
    world = World().grown(100)
    writer = Stepped("writer", lambda me: grow(world, gated(me.gate))())
    while writer.trace[-1] != "private swap head":
        writer.step()
    staged = [listed.path for listed in world.stores["private"].list("staging/")]
    assert collect(world).staged == 0
    world.append(some_entries("others", 300))
    assert collect(world).sample[:1] == tuple(staged)
    writer.finish()
    world.acknowledged.append((writer.outcome().first_index, GROWTH))
    assert writer.outcome().first_index == 400
    collect(world)
    assert_sound(world, orphans=False)
