"""gc and time: what it takes depends on when a tile was written and a checkpoint published, as far as that is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from tests.support.collecting import NOTHING, clocked, collect, partials
from tests.support.faults import Died, Faults, GatedStore
from tests.support.world import NOW, World, recording_key, some_entries
from tiles.store import Listed
from tiles.store.memory import MemoryStore
from tiles.upkeep.gc import DAY, gc


@pytest.mark.parametrize(
    ("age", "grace", "goes"), [(0, 0, True), (10, 10, True), (9.9, 10, False), (DAY, DAY, True), (-5, 0, False)]
)
def test_grace(age: float, grace: float, goes: bool) -> None:
    """Partial tiles stay until the full one has been there for the grace period, however old they are themselves."""
    clock = [NOW]
    public = MemoryStore("public", clock=lambda: clock[0])
    world = World()
    world.stores["public"] = public
    world.grown(100)
    clock[0] += 10 * DAY
    world.append(some_entries("more", 200))
    found = gc(public, world.stores["private"], now=clock[0] + age, grace=grace)
    assert (found.tiles, found.bundles) == ((1, 1) if goes else (0, 0))


def last_tile(counts: Iterable[int], more: int) -> int:
    """Return the number of the operation that writes the last tile of a batch."""
    faults = Faults()
    World().grown(*counts).sequencer(faults.wrap).append(some_entries("more", more))
    return max(i for i, (what, _) in enumerate(faults.done) if what.startswith("public create tile/"))


def test_published_late() -> None:
    """A partial tile stays for the grace period after a tree without it was published, however old the full one is."""
    world, clock = clocked()
    world.grown(100)
    with pytest.raises(Died):
        world.sequencer(Faults(last_tile([100], 200)).wrap).append(some_entries("more", 200))
    assert "tile/0/000" in world.contents()["public"]
    clock[0] += 5 * DAY
    world.sequencer().finish()
    assert gc(world.stores["public"], world.stores["private"], now=clock[0] + DAY - 1) == NOTHING
    assert "tile/0/000.p/100" in partials(world)
    found = gc(world.stores["public"], world.stores["private"], now=clock[0] + DAY)
    assert found.sample == ("tile/0/000.p/100", "tile/entries/000.p/100")


def test_written_late() -> None:
    """It stays, too, for the grace period after the full one was written, though its tree was published before."""
    world, clock = clocked()
    world.grown(100, 200)
    clock[0] += 5 * DAY
    full = world.stores["public"].read("tile/0/000").data
    world.put("public", "tile/0/000", full)
    stores = world.stores["public"], world.stores["private"]
    assert gc(*stores, now=clock[0] + DAY - 1).sample == ("tile/entries/000.p/100",)
    assert gc(*stores, now=clock[0] + DAY).sample == ("tile/0/000.p/100",)


def test_what_was_published_by_then() -> None:
    """Only what the largest tree of that time has in full loses its partial tiles; those of days say nothing."""
    world, clock = clocked()
    world.grown(100)
    for count in (200, 300):
        clock[0] += DAY
        world.append(some_entries(f"more at {count}", count))
    stores = world.stores["public"], world.stores["private"]
    assert [path for path in partials(world) if "/0/" in path] == [
        "tile/0/000.p/100",
        "tile/0/001.p/44",
        "tile/0/002.p/88",
    ]
    world.put("public", "checkpoints/300", None)
    assert gc(*stores, now=clock[0]) == NOTHING
    assert gc(*stores, now=clock[0] + DAY).tiles == 2


@pytest.mark.parametrize("content", ["other key", "torn", "another size"])
def test_kept_checkpoints_that_are_not(content: str) -> None:
    """What is kept and was not signed by the log, or is of another size, says nothing; the next largest one does."""
    world, clock = clocked()
    world.grown(100, 200)
    clock[0] += DAY
    world.append(some_entries("more", 300))
    kept = world.contents()["public"]["checkpoints/600"]
    bad = {
        "other key": World(key=recording_key(world.key.name, b"\x07" * 32))
        .grown(600)
        .contents()["public"]["checkpoint"],
        "torn": kept[:-5],
        "another size": world.contents()["public"]["checkpoints/300"],
    }[content]
    clock[0] -= DAY
    world.put("public", "checkpoints/600", bad)
    for path in ("tile/0/001", "tile/entries/001"):  # full ones that were there long before their tree was published
        world.put("public", path, world.stores["public"].read(path).data)
    for size in (500, 550, 601):
        world.put("public", f"checkpoints/{size}", kept)
    clock[0] += DAY
    found = gc(world.stores["public"], world.stores["private"], now=clock[0])
    assert found.sample == ("tile/0/000.p/100", "tile/entries/000.p/100")


def test_checkpoints_without_a_time() -> None:
    """A kept checkpoint of which the store cannot say when it was written says nothing."""
    world = World().grown(100, 200)

    class Timeless(GatedStore):
        def list(self, prefix: str) -> Iterator[Listed]:
            for listed in self.inner.list(prefix):
                yield replace(listed, modified=0.0) if prefix == "checkpoints/" else listed

    public = Timeless(world.stores["public"], "public", lambda _: None)
    assert gc(public, world.stores["private"], now=NOW, grace=0.0) == NOTHING
    assert collect(world) != NOTHING


def test_no_time_is_no_age() -> None:
    """Where a store cannot say when something was written, partial tiles stay."""
    world = World()
    world.stores["public"] = MemoryStore("public", clock=lambda: 0.0)
    world.grown(100, 200)
    assert collect(world) == NOTHING
