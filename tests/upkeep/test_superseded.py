"""Index runs that were merged into larger ones: gc takes them a day later, at any moment, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import count

import pytest

from tests.support.collecting import NOTHING, clocked
from tests.support.faults import Faults, GatedStore, Passing
from tests.support.sampling import one_in, quickly
from tests.support.world import NOW, World, recording_key, some_entries
from tiles.index import build
from tiles.index.own_index import OwnIndex
from tiles.notes.index_head import IndexHead, open_index_head, sign_index_head
from tiles.records.paths import run_of
from tiles.retry import Clock
from tiles.signing.signer import Signer
from tiles.store import Listed, Store
from tiles.store.memory import MemoryStore
from tiles.upkeep.gc import DAY, Collected, gc

KIND = "leaf/1"
HEAD = f"index/{KIND}/head"
MERGED = [(KIND, 0, number) for number in range(3)]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "STEP", 4096)


def index(world: World, public: Store | None = None) -> IndexHead:
    """Build the index of the log."""
    own = OwnIndex(
        public or world.stores["public"],
        Signer(world.key, world.stores["anchor"]),
        lambda: None,
        Clock(sleep=lambda _: None),
    )
    return own.build(KIND)


@cache
def grown() -> World:
    """Return a log whose first three runs were merged with the fourth one, at once."""
    world, _ = clocked()
    world.grown(16_384)
    index(world)
    return world


def runs(world: World) -> set[tuple[str, int, int]]:
    """Return the runs of which there is an object."""
    return {run for listed in world.stores["public"].list("index/") if (run := run_of(listed.path)) is not None}


def timed(clock: list[float]) -> World:
    """Return a copy whose public part has that clock."""
    world = grown().copy()
    public = MemoryStore("public", clock=lambda: clock[0])
    public.create(world.contents()["public"])
    world.stores["public"] = public
    return world


def collect(world: World, now: float, *, dry_run: bool = False) -> Collected:
    """Run gc."""
    return gc(world.stores["public"], world.stores["private"], now=now, dry_run=dry_run)


def test_merged_runs() -> None:
    """They go once they and the one that they are in have been there for a day; the live one stays."""
    world = timed([NOW])
    assert collect(world, NOW + DAY - 1) == NOTHING
    assert collect(world, NOW + DAY, dry_run=True).runs == 6
    assert runs(world) == {*MERGED, (KIND, 1, 0)}
    found = collect(world, NOW + DAY)
    assert (found.runs, found.tiles) == (6, 0)
    assert set(found.sample) == {
        f"index/{KIND}/0/00{n}/{f}" for n in range(3) for f in ("000", f"tile/0/000.p/{16 * (n + 1)}")
    }
    assert runs(world) == {(KIND, 1, 0)}
    assert collect(world, NOW + 2 * DAY) == NOTHING
    world.append(some_entries("more", 4096))
    assert index(world).tree.size == 20_480


def test_merged_late() -> None:
    """However old they are, they stay for a day after the one that they are in was written; so does an unknown time."""
    clock = [NOW]
    world = timed(clock)
    path = f"index/{KIND}/1/000/tile/0/000.p/64"
    data = world.stores["public"].read(path).data
    clock[0] += 5 * DAY
    world.put("public", path, data)
    assert collect(world, clock[0] + DAY - 1) == NOTHING
    old = f"index/{KIND}/0/000/000"
    world.put("public", old, world.stores["public"].read(old).data)  # by a builder that had stopped
    clock[0] += DAY / 2
    world.put("public", old, world.stores["public"].read(old).data)
    found = collect(world, clock[0] + DAY / 2)
    assert (found.runs, old in found.sample) == (5, False)
    clock[0] = 0.0
    world.put("public", path, data)
    assert collect(world, NOW + 9 * DAY) == NOTHING


def heads(world: World) -> Iterator[bytes | None]:
    """Yield what may stand in the place of the index head, and decides nothing."""
    head = open_index_head(world.stores["public"].read(HEAD).data, [world.verifier])
    yield None
    yield b"garbage"
    yield bytes(20_000)
    yield sign_index_head(head, recording_key(seed=b"\x09" * 32)).data
    yield sign_index_head(IndexHead("other.example.com", KIND, head.tree, head.runs), world.key).data
    yield sign_index_head(IndexHead(head.origin, "name/1", head.tree, head.runs), world.key).data


@pytest.mark.parametrize("number", range(6))
def test_only_the_log_s_head_decides(number: int) -> None:
    """Without it, with garbage, or with a head of another key, log or kind, every run stays."""
    world = timed([NOW])
    world.put("public", HEAD, list(heads(world))[number])
    assert collect(world, NOW + 9 * DAY) == NOTHING


def test_what_is_no_object_of_a_run() -> None:
    """It stays, wherever it is; so does a run beyond what the head covers, which a builder is about to name."""
    world = timed([NOW])
    odd = [
        f"index/{KIND}/0/000/x",
        f"index/{KIND}/0/0/000",
        "index/x",
        "index/Leaf/1/0/000/000",
        f"index/{KIND}/0/004/000",
    ]
    world.stores["public"].create(dict.fromkeys(odd, b"x"))
    assert collect(world, NOW + 9 * DAY).runs == 6
    assert {listed.path for listed in world.stores["public"].list("index/")} >= set(odd)


class Old(Passing):
    """A store in which everything has been for long."""

    def list(self, prefix: str) -> Iterator[Listed]:
        return (Listed(each.path, each.size, NOW) for each in super().list(prefix))


def sweep(world: World) -> None:
    """Run gc as if everything had been there for long."""
    gc(Old(world.stores["public"], "public"), world.stores["private"], now=NOW + DAY)


def at(number: int, do: Callable[[], object]) -> Callable[[str], None]:
    """Return a gate that does something before the operation of that number."""
    numbers = count()

    def gate(_what: str) -> None:
        if next(numbers) == number:
            do()

    return gate


def check(world: World, size: int) -> None:
    """Hold that what the head names is there, and right."""
    store = MemoryStore()
    index(world, copied(world, store))
    head = open_index_head(world.stores["public"].read(HEAD).data, [world.verifier])
    assert head.tree.size == size
    assert open_index_head(store.read(HEAD).data, [world.verifier]) == head
    for run in head.runs:
        below = f"index/{KIND}/{run.level}/{run.number:03d}/"
        objects = {listed.path: store.read(listed.path).data for listed in store.list(below)}
        assert objects == {path: world.stores["public"].read(path).data for path in objects}
        assert objects


def copied(world: World, store: MemoryStore) -> MemoryStore:
    """Return a store with the log, and no index."""
    store.create({path: data for path, data in world.contents()["public"].items() if not path.startswith("index/")})
    return store


@cache
def before() -> World:
    """Return the log before its fourth run."""
    world = World().grown(12_288)
    index(world)
    world.append(some_entries("fourth", 4096))
    return world


def operations(world: World) -> int:
    """Return how many a builder takes."""
    faults = Faults()
    index(world, faults.wrap(world.stores["public"], "public"))
    return len(faults.done)


@pytest.mark.parametrize("share", quickly([50, 1], [50]))
def test_a_builder_beside_gc(share: int) -> None:
    """Whenever gc runs, and another builder before it, a builder ends with the index that it would have built."""
    for moment in one_in(share, range(operations(before().copy()))):
        world = before().copy()

        def others(world: World = world) -> None:
            index(world)
            sweep(world)

        index(world, GatedStore(world.stores["public"], "public", at(moment, others)))
        check(world, 16_384)


@pytest.mark.parametrize("share", quickly([50, 1], [50]))
def test_gc_beside_a_builder(share: int) -> None:
    """Whenever a builder merges, gc takes nothing that is live."""
    faults = Faults()
    gc(
        faults.wrap(Old(before().copy().stores["public"], "public"), "public"),
        before().stores["private"],
        now=NOW + DAY,
    )
    for moment in one_in(share, range(len(faults.done))):
        world = before().copy()
        gate = at(moment, lambda world=world: index(world))  # type: ignore[misc]
        gc(GatedStore(Old(world.stores["public"], "public"), "public", gate), world.stores["private"], now=NOW + DAY)
        check(world, 16_384)
