"""The index of a log that is written to: it follows, and whatever goes wrong with it, entries are acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import count

import pytest

from tests.support.entry_texts import rekor
from tests.support.faults import Died, Faults, GatedStore, Passing
from tests.support.sampling import one_in, quickly
from tests.support.signature_texts import ONE as SIGNATURE
from tests.support.world import ORIGIN, ROLES, World, recording_key, some_entries
from tiles.entries.file_digest import digest_entry
from tiles.errors import Refused
from tiles.index import build, own_index
from tiles.index.build import IndexBuilder
from tiles.index.stopped import change_stopped, stopped_kinds
from tiles.log import Log
from tiles.notes.index_head import IndexHead, open_index_head, run_range, sign_index_head
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.records.paths import STOPPED_INDEXES, run_of
from tiles.retry import Clock
from tiles.signing.signer import Signer
from tiles.store import Object, Store, StoreFetcher
from tiles.store.memory import MemoryStore
from tiles.tree.merkle import TreeHead

LEAF, SHA256, NAME, REVOKED = own_index.DEFAULT_KINDS
LAST = [b"the last one"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time pass, and a step be one run of level 0."""
    monkeypatch.setattr("tiles.log.Clock", lambda: Clock(sleep=lambda _: None))
    monkeypatch.setattr(build, "STEP", 4096)


@cache
def grown() -> World:
    """Return a log with one entry less than two runs hold, and the index of two kinds, of the first run."""
    world = World().grown(4096)
    for kind in (LEAF, NAME):
        opened(world).build_index(kind)
    world.append(some_entries("more", 4095))
    return world


@cache
def expected(kind: str) -> dict[str, bytes]:
    """Return the index that `LAST` leads to, as somebody else builds it who reads the log."""
    world, store = grown().copy(), MemoryStore()
    world.append(LAST)
    client = LogClient(StoreFetcher(world.stores["public"]), policy_for(world.verifier))
    IndexBuilder(store, client, lambda head: sign_index_head(head, world.key).data, world.verifier).build(ORIGIN, kind)
    return {listed.path: store.read(listed.path).data for listed in store.list("")}


def opened(world: World, wrap: Callable[[Store, str], Store] = lambda store, _role: store) -> Log:
    """Return what writes to a log."""
    public, private, anchor = (wrap(world.stores[role], role) for role in ROLES)
    return Log(public, private, Signer(world.key, anchor))


def check(world: World, *kinds: str) -> None:
    """Hold that the index is what it has to be; runs of before may be there as well."""
    there = world.contents()["public"]
    for kind in kinds:
        wrong = {path for path, data in expected(kind).items() if there.get(path) != data}
        assert not wrong


class Watched(Passing):
    """A store that takes down what is read."""

    def __init__(self, inner: Store, role: str) -> None:
        super().__init__(inner, role)
        self.paths: list[str] = []

    def read(self, path: str, limit: int | None = None) -> Object:
        self.paths.append(path)
        return super().read(path, limit)


def test_it_follows() -> None:
    """What was begun is kept, nothing else is begun, and what the run has published is not read again."""
    world = grown().copy()
    public = Watched(world.stores["public"], "public")
    log = opened(world, lambda store, role: public if role == "public" else store)
    assert log.append(LAST).checkpoint.tree.size == 8192
    assert log.update_index() == ""
    check(world, LEAF, NAME)
    assert not list(world.stores["public"].list("index/sha256/"))
    log.append(some_entries("a", 4000))
    before = len(public.paths)
    assert log.update_index() == ""
    assert public.paths[before:] == []  # no run more can be full
    log.append(some_entries("b", 96))
    before = len(public.paths)
    assert log.update_index() == ""
    assert not [path for path in public.paths[before:] if path.startswith("tile/entries/")]
    head = open_index_head(world.stores["public"].read(f"index/{NAME}/head").data, [world.verifier])
    assert head.tree.size == 12_288
    fresh, store = opened(world), MemoryStore()
    assert fresh.update_index() == ""
    client = LogClient(StoreFetcher(world.stores["public"]), policy_for(world.verifier))
    built = IndexBuilder(store, client, lambda head: sign_index_head(head, world.key).data, world.verifier)
    assert built.build(ORIGIN, NAME) == head


def covered(world: World, kind: str = LEAF) -> int:
    """Return how many entries an index covers."""
    return open_index_head(_data(world, f"index/{kind}/head"), [world.verifier]).tree.size


def test_batches_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where more follow, one step covers many; it is not waited for too many, nor for too long."""
    seconds = [0.0]
    monkeypatch.setattr("tiles.log.Clock", lambda: Clock(now=lambda: seconds[0], sleep=lambda _: None))
    monkeypatch.setattr(own_index, "MOST_WAITING", 10_000)
    world, faults = grown().copy(), Faults()
    log = opened(world, faults.wrap)
    sizes, touched = [], []
    for number, passes in enumerate((0, 9, 0, 0, 0, 10, 0)):
        log.append(some_entries(str(number), 4096))
        before = len(faults.done)
        seconds[0] += passes
        assert log.update_index(more=True) == ""
        sizes.append(covered(world))
        touched.append(any(what.startswith("public") for what, _ in faults.done[before:]))
    assert sizes == [4096, 4096, 16_384, 16_384, 16_384, 28_672, 28_672]
    assert touched == [True, False, True, True, False, True, True]  # the first that waits asks which kinds there are
    assert log.update_index() == ""
    assert (covered(world), covered(world, NAME)) == (32_768, 32_768)
    runs = {run_of(listed.path) for listed in world.stores["public"].list("index/leaf/")} - {None}
    assert runs == {(LEAF, 0, 0), (LEAF, 1, 0), (LEAF, 0, 6), (LEAF, 1, 1)}  # nothing in between
    client = LogClient(StoreFetcher(world.stores["public"]), policy_for(world.verifier))
    again = IndexBuilder(MemoryStore(), client, lambda head: sign_index_head(head, world.key).data, world.verifier)
    assert again.build(ORIGIN, LEAF) == open_index_head(_data(world, f"index/{LEAF}/head"), [world.verifier])


def test_a_small_log_has_none() -> None:
    """Below the size from which on an index is of use, none is begun, and nothing is asked for."""
    world, faults = World().grown(4096), Faults()
    log = opened(world)
    log.append(LAST)
    assert log.update_index() == ""
    assert not list(world.stores["public"].list("index/"))
    smaller = opened(World().grown(3), faults.wrap)
    smaller.append(LAST)
    before = len(faults.done)
    assert smaller.update_index() == ""
    assert len(faults.done) == before


@pytest.mark.parametrize("signed", [rekor().encode(), SIGNATURE.encode()], ids=["hashedrekord", "signature"])
def test_what_is_begun_for_signed_entries(signed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large log that gets its first one begins the kinds by which such are found, from the first entry on."""
    monkeypatch.setattr(own_index, "SCAN_LIMIT", 0)
    world = grown().copy()
    log = opened(world)
    log.append(LAST)
    assert log.update_index() == ""
    assert not [kind for kind in own_index.SIGNED_KINDS if list(world.stores["public"].list(f"index/{kind}/"))]
    log = opened(world)
    log.append([b"another", signed])
    assert log.update_index() == ""
    for covered in (4096, 8192):
        heads = [_data(world, f"index/{kind}/head") for kind in own_index.SIGNED_KINDS]
        assert {open_index_head(head, [world.verifier]).tree.size for head in heads} == {covered}
        assert opened(world).update_index() == ""
    assert not list(world.stores["public"].list("index/subject/"))


def test_none_of_digests_for_raw_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a log has nothing else, its leaf hashes find all; the first entry that holds a digest begins the other."""
    monkeypatch.setattr(own_index, "SCAN_LIMIT", 8191)
    world = World().grown()
    raw = [b"%d" % number for number in range(4096)]

    def added(log: Log, entries: list[bytes]) -> set[str]:
        log.append(entries)
        assert log.update_index() == ""
        return {listed.path.split("/")[1] for listed in world.stores["public"].list("index/")}

    log = opened(world)
    assert added(log, raw) == set()
    assert added(log, raw) == {"leaf", "name", "revoked"}
    assert added(opened(world), raw) == {"leaf", "name", "revoked"}  # what a run knew, the next one sees
    assert added(log, [digest_entry("00" * 32, 1)]) == {"leaf", "name", "revoked", "sha256"}
    assert covered(world, SHA256) == 4096  # a step with each run
    assert added(opened(world), raw) == {"leaf", "name", "revoked", "sha256"}
    assert covered(world, SHA256) == 8192


def test_digests_for_entries_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that publishes raw entries does not know of what kind those before are, and begins the index of digests."""
    monkeypatch.setattr(own_index, "SCAN_LIMIT", 8191)
    world = World().grown()
    opened(world).append([digest_entry("00" * 32, 1)])
    log = opened(world)
    log.append([b"%d" % number for number in range(8191)])
    assert log.update_index() == ""
    assert covered(world, SHA256) == 8192


def test_one_that_was_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is neither begun nor kept, the others are; `build` takes it up again."""
    monkeypatch.setattr(own_index, "SCAN_LIMIT", 0)
    world = grown().copy()
    clock = Clock(sleep=lambda _: None)
    assert change_stopped(world.stores["private"], clock, stop=[LEAF, SHA256]) == {LEAF, SHA256}
    log = opened(world)
    log.append(LAST)
    assert log.update_index() == ""
    check(world, NAME)
    assert covered(world) == 4096
    assert not list(world.stores["public"].list("index/sha256/"))
    log.build_index(LEAF)
    check(world, LEAF, NAME)
    assert stopped_kinds(world.stores["private"]) == {SHA256}
    world.put("private", STOPPED_INDEXES, b"garbage")
    assert "malformed list of indexes that were given up" in opened(world).update_index()


def test_a_large_log_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that readers look for first, a step at a time; who is far behind says so."""
    monkeypatch.setattr(own_index, "SCAN_LIMIT", 8191)
    monkeypatch.setattr(own_index, "STEP", 0)
    world = World().grown(8191)
    log = opened(world)
    assert log.update_index() == ""
    log.append(LAST)
    assert log.update_index() == "it covers 4096 of 8192 entries"
    assert log.update_index() == ""
    assert {listed.path.split("/")[1] for listed in world.stores["public"].list("index/")} == {
        "leaf",
        "sha256",
        "name",
        "revoked",
    }


def test_a_log_that_becomes_large_while_batches_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small batches in one call end with the same indexes as one large batch."""
    monkeypatch.setattr(own_index, "SCAN_LIMIT", 8191)
    monkeypatch.setattr(build, "STEP", 8192)  # above that limit, as it is
    world = World().grown(1)
    log = opened(world)
    for number in range(5):
        log.append(some_entries(str(number), 2048))
        assert log.update_index(more=True) == ""
    assert not list(world.stores["public"].list("index/"))
    assert log.update_index() == ""
    assert [covered(world, kind) for kind in (LEAF, SHA256, NAME)] == [8192] * 3


def operations() -> int:
    """Return how many there are from the answer to the end of the index."""
    faults = Faults()
    log = opened(grown().copy(), faults.wrap)
    log.append(LAST)
    answered = len(faults.done)
    assert log.update_index() == ""
    return len(faults.done) - answered


def ways() -> Iterator[tuple[int, Faults]]:
    """Yield each operation after the answer, with each fault that there may be."""
    faults = Faults()
    log = opened(grown().copy(), faults.wrap)
    log.append(LAST)
    answered = len(faults.done)
    log.update_index()
    for at, (_, kinds) in enumerate(faults.done[answered:], answered):
        for fault in kinds:
            yield at, Faults(at, fault)


@pytest.mark.parametrize("share", quickly([16, 1], [16]))
def test_whatever_goes_wrong(share: int) -> None:
    """Any operation fails, or is the last one: what was published is answered, and the next run goes on."""
    said = 0
    for _, faults in one_in(share, ways()):
        world = grown().copy()
        log = opened(world, faults.wrap)
        done = log.append(LAST)
        assert (done.first_index, done.count, done.checkpoint.tree.size) == (8191, 1, 8192)
        try:
            said += bool(log.update_index())
        except Died:
            pass
        else:
            assert log.append([b"after it"]).first_index == 8192
        assert opened(world).update_index() == ""
        check(world, LEAF, NAME)
    assert said


def test_a_fault_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody expected is said, and changes no answer either."""
    world = grown().copy()
    log = opened(world)
    log.append(LAST)

    def broken(*_: object) -> None:
        raise ValueError("of a library below")

    monkeypatch.setattr(build, "live_runs", broken)
    assert log.update_index() == "a fault of tiletree itself, ValueError"
    monkeypatch.undo()
    assert log.update_index() == ""
    check(world, LEAF, NAME)


def lies(world: World) -> Mapping[str, Mapping[str, bytes]]:
    """Return what may be instead of the index of leaf hashes, by what is said of it."""
    head = f"index/{LEAF}/head"
    own, other = world.key, recording_key(ORIGIN, b"\x07" * 32)
    wrong = IndexHead(ORIGIN, LEAF, TreeHead(4096, bytes(32)), open_index_head(_data(world, head), [own.verifier]).runs)  # type: ignore[arg-type]
    return {
        "signature": {head: sign_index_head(wrong, other).data},
        "malformed": {head: b"garbage"},
        "longer than": {head: bytes(20_000)},
        "does not begin with that": {head: sign_index_head(wrong, own).data},
        "exists with another content": {f"index/{LEAF}/0/001/000": b"something else"},
    }


def _data(world: World, path: str) -> bytes:
    return world.stores["public"].read(path).data


@pytest.mark.parametrize("said", lies(grown()))
def test_lies(said: str) -> None:
    """Whatever stands in the place of the index is left as it is, and said; the other kinds go on."""
    world = grown().copy()
    for path, data in lies(world)[said].items():
        world.put("public", path, data)
    log = opened(world)
    log.append(LAST)
    assert said in log.update_index()
    assert said in opened(world).update_index()
    assert all(_data(world, path) == data for path, data in lies(grown())[said].items())
    check(world, NAME)
    assert log.append([b"after it"]).first_index == 8192


def test_no_anchor() -> None:
    """Nothing is signed without, and that is said."""
    world = grown().copy()
    world.append(LAST)
    world.put("anchor", "anchor", None)
    assert "there is no anchor" in opened(world).update_index()
    with pytest.raises(Refused, match="there is no anchor"):
        opened(world).build_index(LEAF)


@pytest.mark.parametrize("share", quickly([20, 1], [20]))
def test_another_builder(share: int) -> None:
    """At any moment of the one, another one is faster: both end, with one index."""
    for at in one_in(share, range(operations())):
        world = grown().copy()
        met = iter(range(1 << 30))

        def gate(_what: str, world: World = world, at: int = at, met: Iterable[int] = met) -> None:
            if next(iter(met)) == at:
                opened(world).build_index(LEAF)
                opened(world).build_index(NAME)

        world.append(LAST)
        log = opened(world, lambda store, role, gate=gate: GatedStore(store, role, gate))  # type: ignore[misc]
        assert log.update_index() == ""
        check(world, LEAF, NAME)


def test_another_writer() -> None:
    """The anchor moves on while the head is being signed: it is signed all the same."""
    world = grown().copy()
    world.append(LAST)
    numbers, created = count(), list[str]()

    def gate(what: str) -> None:
        created.extend([what] * what.startswith("public create index/"))
        if what == "anchor read anchor" and next(numbers) in (1, 3):
            world.append([b"another one"])

    log = opened(world, lambda store, role: GatedStore(store, role, gate))
    assert log.update_index() == ""
    assert next(numbers) > 3
    assert len(created) == len({*created}) == 2  # nothing is computed again for it
    check(world, LEAF, NAME)


def test_another_writer_in_between() -> None:
    """What this run has published is not all: the entries of the other one are read."""
    world = grown().copy()
    log = opened(world)
    log.build_index(SHA256)
    world.append(LAST)
    log.append(some_entries("a", 1000))
    assert log.update_index() == ""
    world.append(some_entries("b", 1000))
    log.append(some_entries("c", 3000))
    assert log.update_index() == ""
    store = MemoryStore()
    client = LogClient(StoreFetcher(world.stores["public"]), policy_for(world.verifier))
    again = IndexBuilder(store, client, lambda head: sign_index_head(head, world.key).data, world.verifier)
    for kind in (LEAF, SHA256):
        again.build(ORIGIN, kind)
        assert store.read(f"index/{kind}/head").data == _data(world, f"index/{kind}/head")


def objects_of(entries: int) -> int:
    """Return how many objects a run of leaf hashes has: its files, and the tiles of the tree of its pages."""
    pages, found = entries // 256, -(-entries // 65_536)
    while pages:
        found += -(-pages // 256)
        pages //= 256
    return found


@pytest.mark.parametrize(
    ("batch", "step", "most", "entries"),
    [(4096, 4096, 0.10, 1 << 22), (65_536, own_index.MOST_WAITING, 0.01, 1 << 22), (65_536, 65_536, 0.02, 1 << 20)],
)
def test_what_it_costs_in_objects(batch: int, step: int, most: float, entries: int) -> None:
    """Of the objects that publishing writes, the index of leaf hashes adds few, over the life of a log."""
    written, there = 0, set()
    for stop in range(step, entries + 1, step):
        runs = set(build.live_runs(stop))
        written += 1 + sum(objects_of(len(run_range(*place))) for place in runs - there)
        there = runs
    of_batch = 2 * batch // 256 + batch / 65_536 + 1 + 5  # bundles, tiles, the head, the anchor, the checkpoint ...
    assert written / (of_batch * (entries // batch)) < most


def test_the_objects_of_a_step() -> None:
    """A run of 8,192 leaf hashes is two objects and a head; the count above is right."""
    world = grown().copy()
    faults = Faults()
    log = opened(world, faults.wrap)
    log.append(LAST)
    log.update_index()
    made = [what for what, _ in faults.done if what.startswith(("public create index/leaf", "public swap index/leaf"))]
    assert len(made) == objects_of(2 * 4096) + 1 == 3
    assert objects_of(65_536) == 3
    assert objects_of(3 * 65_536) == 7
