"""gc takes what it may and nothing else, at every moment of the life of a log, and whatever happens beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.support.faults import Died, Fault, Faults, GatedStore, Stepped
from tests.support.sampling import one_in, quickly
from tests.support.world import NOW, World, explained, recording_key, some_entries
from tiles.errors import AccessError, NotFound, Refused, UsageError
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.keys import signing_key
from tiles.notes.policy import policy_for
from tiles.read.tiles import fetch_tile
from tiles.records.head import parse_head
from tiles.store import Listed, Store, StoreFetcher
from tiles.store.directory import DirectoryStore
from tiles.store.memory import MemoryStore
from tiles.tree.layout import parse_tile_path
from tiles.upkeep.audit import audit
from tiles.upkeep.gc import DAY, MIN_TEMP_AGE, SAMPLE, Collected, gc
from tiles.write.sequencer import Appended

NOTHING = Collected(0, 0, 0, 0, 0, 0, ())

SIZES = (100, 200, 300, 240)  # 100, 300, 600, 840: several partial tiles, and then the full ones


def collect(world: World, *, now: float = NOW, grace: float = 0.0, dry_run: bool = False) -> Collected:
    """Run gc."""
    return gc(world.stores["public"], world.stores["private"], now=now, grace=grace, dry_run=dry_run)


def partials(world: World) -> list[str]:
    """Return the paths of all partial tiles and bundles."""
    return [listed.path for listed in world.stores["public"].list("tile/") if ".p/" in listed.path]


def assert_sound(world: World, *, complete: bool = True, orphans: bool = True) -> None:
    """Check the log, of which nothing but partial tiles with full ones may be gone, and audit it as its readers do."""
    public = world.stores["public"]
    there = {listed.path for listed in public.list("")}
    for path in set(world.history.contents) - there:
        tile = parse_tile_path(path)
        assert not tile.is_full
        assert tile.full.path in there, f"{path} is gone, and there is no full one"
        world.put("public", path, world.history.contents[path])  # for the checker, who does not know of gc
    removed = set(world.history.contents) - there
    try:
        world.check(complete=complete, orphans=orphans)
    finally:
        public.delete(removed)
    for note in world.history.checkpoints:
        tree = parse_signed_checkpoint(note).tree
        report = audit(StoreFetcher(public), tree, store=public, policy=policy_for(world.verifier))
        assert not report.findings, report.findings


def test_what_goes_and_what_stays() -> None:
    """Partial tiles go if the full one is there; those of the published edge stay, and all that is no tile."""
    world = World().grown(*SIZES)
    for role, path in (
        ("public", "tile/0/000.p/1x"),
        ("public", "tile/x"),
        ("private", "staging/1-2"),
        ("public", "x"),
    ):
        world.put(role, path, b"whatever")
    before = world.contents()
    expected = {
        "tile/0/000.p/100", "tile/0/001.p/44", "tile/0/002.p/88",
        "tile/entries/000.p/100", "tile/entries/001.p/44", "tile/entries/002.p/88",
    }  # fmt: skip
    found = collect(world)
    after = world.contents()
    gone = set(before["public"]) - set(after["public"])
    assert gone == expected
    assert found == Collected(0, 3, 3, 0, 0, sum(len(before["public"][path]) for path in gone), tuple(sorted(gone)))
    assert after["private"] == before["private"]
    assert set(partials(world)) == {
        "tile/0/000.p/1x", "tile/0/003.p/72", "tile/entries/003.p/72",
        "tile/1/000.p/1", "tile/1/000.p/2", "tile/1/000.p/3",
    }  # fmt: skip
    assert collect(world) == NOTHING


def test_dry_run() -> None:
    """A dry run says the same, and asks for no change at all."""
    world = World().grown(*SIZES)
    world.stores["private"].create({orphan(1): b""})
    before = world.contents()
    faults = Faults()
    public, private = (faults.wrap(world.stores[role], role) for role in ("public", "private"))
    found = gc(public, private, now=NOW, grace=0.0, dry_run=True)
    assert {what.split()[1] for what, _ in faults.done} == {"read", "list"}
    assert world.contents() == before
    assert found == collect(world)
    assert found.staged == 1


def orphan(size: int) -> str:
    """Return the path of a batch that was staged for a size, and lost."""
    return f"staging/{size}-{'0' * 64}"


def test_staged_batches() -> None:
    """A staged batch goes if the head is larger; its age has nothing to do with it."""
    world = World().grown(100)
    private = world.stores["private"]
    head = parse_head(private.read("head").data)
    own = head.staged_path
    assert own is not None
    names = [orphan(size) for size in (0, 1, 99, 100, 101, 500)]
    odd = ["staging/099-" + "0" * 64, "staging/99-" + "A" * 64, "staging/99", f"{orphan(99)}x", "staging/x/y"]
    huge = orphan(2**63)
    private.create(dict.fromkeys([own, *names, *odd, huge], b"12345"))
    found = collect(world, now=NOW * 2)
    assert (found.staged, found.bytes, sorted(found.sample)) == (3, 15, sorted(names[:3]))
    assert [listed.path for listed in private.list("staging/")] == sorted([own, *names[3:], *odd, huge])


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


def clocked() -> tuple[World, list[float]]:
    """Return a log whose public part has a clock, and the clock."""
    clock = [NOW]
    world = World()
    world.stores["public"] = MemoryStore("public", clock=lambda: clock[0])
    return world, clock


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


def test_probes() -> None:
    """What trying out a bucket has left goes from both parts after a day; nothing else below probe/ does."""
    world, clock = clocked()
    world.grown(1)
    private = MemoryStore("private", clock=lambda: clock[0])
    private.create(world.contents()["private"])
    world.stores["private"] = private
    names = [f"probe/{'0' * 32}", f"probe/{'f' * 32}"]
    others = ["probe/x", f"probe/{'F' * 32}", f"probe/{'0' * 33}", f"probe/{'0' * 32}/x", f"x/probe/{'0' * 32}"]
    for role in ("public", "private"):
        world.stores[role].create(dict.fromkeys([*names, *others], b"try"))
    clock[0] += DAY / 2
    world.stores["public"].create({f"probe/{'1' * 32}": b"new"})
    assert collect(world, now=clock[0] + DAY / 2 - 1, grace=0.0) == NOTHING
    dry = collect(world, now=clock[0] + DAY / 2, grace=9 * DAY, dry_run=True)
    found = collect(world, now=clock[0] + DAY / 2, grace=9 * DAY)
    assert dry == found == Collected(0, 0, 0, 0, 4, 12, (*names, *names))
    left = [listed.path for role in ("public", "private") for listed in world.stores[role].list("probe/")]
    assert sorted(left) == sorted([*others[:-1], *others[:-1], f"probe/{'1' * 32}"])


def test_no_time_is_no_age() -> None:
    """Where a store cannot say when something was written, partial tiles stay."""
    world = World()
    world.stores["public"] = MemoryStore("public", clock=lambda: 0.0)
    world.grown(100, 200)
    assert collect(world) == NOTHING


def test_default_grace_is_a_day() -> None:
    """Partial tiles stay for a day unless told otherwise."""
    clock = [NOW]
    world = World()
    world.stores["public"] = MemoryStore("public", clock=lambda: clock[0])
    world.grown(100, 200)
    stores = world.stores["public"], world.stores["private"]
    assert gc(*stores, now=NOW + DAY - 1) == NOTHING
    assert gc(*stores, now=NOW + DAY).tiles == 1


def test_a_negative_grace() -> None:
    """A negative grace period is a wrong call."""
    with pytest.raises(UsageError, match="grace"):
        collect(World().grown(1), grace=-1.0)


@pytest.mark.parametrize("path", ["tile/0/000", "tile/entries/000"])
@pytest.mark.parametrize("length", [0, 31])
def test_partials_of_a_damaged_full_tile_stay(path: str, length: int) -> None:
    """The partial tile may be all that is left of a full one that was cut short."""
    world = World().grown(100, 200)
    world.put("public", path, bytes(length))
    collect(world)
    assert f"{path}.p/100" in partials(world)
    assert len(partials(world)) == 4  # and the edge


@pytest.mark.parametrize("path", ["tile/0/001", "tile/entries/001"])
def test_partials_of_a_missing_full_tile_stay(path: str) -> None:
    """Only the full tile in its own place lets a partial one go."""
    world = World().grown(*SIZES)
    world.put("public", path, None)
    collect(world)
    assert [each for each in partials(world) if each.endswith((".p/100", ".p/44", ".p/88"))] == [f"{path}.p/44"]


def test_tiles_that_are_not_published_stay() -> None:
    """Full tiles of a committed tree that is not published yet take nothing with them."""
    world = World().grown(100)
    faults = Faults()
    world.copy().sequencer(faults.wrap).append(some_entries("more", 200))
    at = next(i for i, (what, _) in enumerate(faults.done) if what == "public swap checkpoint")
    with pytest.raises(Died):
        world.sequencer(Faults(at - 1).wrap).append(some_entries("more", 200))
    assert "tile/0/000" in world.contents()["public"]
    before = world.contents()
    assert collect(world) == NOTHING
    assert world.contents() == before


def test_no_log(tmp_path: Path) -> None:
    """Without a head there is nothing to go by."""
    with pytest.raises(NotFound):
        gc(DirectoryStore(tmp_path / "a"), DirectoryStore(tmp_path / "b"), now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_no_checkpoint() -> None:
    """A log whose checkpoint is gone loses no tile."""
    world = World().grown(100, 200)
    world.put("public", "checkpoint", None)
    assert collect(world) == NOTHING


def test_a_head_that_was_put_back() -> None:
    """Where head and checkpoint do not agree, only what is published by both accounts takes anything with it."""
    world = World().grown(100, 200, 300)
    older = World().grown(100, 200)
    world.put("private", "head", older.contents()["private"]["head"])
    collect(world)
    assert sorted(path for path in partials(world) if "/0/" in path) == ["tile/0/001.p/44", "tile/0/002.p/88"]


def test_a_checkpoint_of_somebody_else() -> None:
    """Nothing is deleted on account of a checkpoint that the head's key has not signed."""
    world = World().grown(100)
    other = World(key=replace(world.key, **vars_of(signing_key(world.key.name, b"\x07" * 32)))).grown(600)
    world.put("public", "checkpoint", other.contents()["public"]["checkpoint"])
    world.stores["public"].create({"tile/0/000": bytes(8192)})
    world.stores["private"].create({orphan(1): b""})
    before = world.contents()
    with pytest.raises(Refused, match="checkpoint: no signature by"):
        collect(world)
    world.put("public", "checkpoint", b"torn")
    with pytest.raises(Refused, match="malformed"):
        collect(world)
    world.put("private", "head", b"torn")
    with pytest.raises(Refused, match="head: malformed"):
        collect(world)
    world.put("private", "head", before["private"]["head"])
    world.put("public", "checkpoint", before["public"]["checkpoint"])
    assert world.contents() == before


def vars_of(key: object) -> dict[str, object]:
    """Return the verifier and the seed of a signing key."""
    return {name: getattr(key, name) for name in ("verifier", "seed")}


def test_what_was_read_lasts_before_anything_goes() -> None:
    """Both parts are made to last between reading head and checkpoint and the first deletion."""
    world = World().grown(*SIZES)
    world.stores["private"].create({orphan(1): b""})
    faults = Faults()
    gc(*(faults.wrap(world.stores[role], role) for role in ("public", "private")), now=NOW, grace=0.0)
    done = [what for what, _ in faults.done]
    first = next(i for i, what in enumerate(done) if " delete " in what)
    assert done[:2] == ["private read head", "public read checkpoint"]
    assert {"private barrier", "public barrier"} <= set(done[2:first])


def test_no_empty_deletions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deletions come in pieces of what one request may take, and never empty."""
    world = World().grown(*SIZES)
    asked: list[int] = []

    class Strict(GatedStore):
        def delete(self, paths: Iterable[str]) -> None:
            paths = list(paths)
            asked.append(len(paths))
            assert 1 <= len(paths) <= 4
            self.inner.delete(paths)

    monkeypatch.setattr("tiles.upkeep.gc._DELETE_AT_ONCE", 4)
    public, private = (Strict(world.stores[role], role, lambda _: None) for role in ("public", "private"))
    gc(public, private, now=NOW, grace=0.0)
    assert asked == [4, 2]
    gc(public, private, now=NOW, grace=0.0)
    assert asked == [4, 2]


def test_sample() -> None:
    """The report names a few of the paths, and counts them all."""
    world = World().grown(*[5] * 52)
    found = collect(world)
    assert (found.tiles, found.bundles) == (51, 51)
    assert len(found.sample) == SAMPLE


def test_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary files of dead runs go from both parts; those that a run may still want stay, whatever the grace."""
    world = World(tmp_path).grown(1)
    temps = [tmp_path / role / ".tmp" / name for role in ("public", "private") for name in ("old", "new")]
    now = 2_000_000_000.0
    for temp in temps:
        temp.parent.mkdir(exist_ok=True)
        temp.write_bytes(b"half")
        os.utime(temp, (now, now - MIN_TEMP_AGE - 1 if temp.name == "old" else now - MIN_TEMP_AGE))
    assert collect(world, now=now, grace=2 * MIN_TEMP_AGE).temps == 0
    assert collect(world, now=now, dry_run=True).temps == 2
    found = collect(world, now=now)
    assert (found.temps, found.sample) == (2, ("old", "old"))
    assert [temp.name for temp in temps if temp.exists()] == ["new", "new"]
    monkeypatch.delattr(DirectoryStore, "delete")
    monkeypatch.setattr(DirectoryStore, "delete_temps", pytest.fail)
    assert collect(world, now=now) == NOTHING


def test_readers_find_the_full_tile() -> None:
    """Whoever has an earlier checkpoint reads its edge from the full tiles."""
    world = World().grown(*SIZES)
    public = world.stores["public"]
    before = {path: public.read(path).data for path in partials(world)}
    collect(world)
    for path, data in before.items():
        assert fetch_tile(StoreFetcher(public), parse_tile_path(path)) == data
    assert_sound(world)


# ---- beside a writer

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
@pytest.mark.parametrize("on_disk", [False, True])
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
