"""The index of a log against a plain dictionary: whatever writers, builders and storage do, no answer is wrong.

A hit is never wrong. What is said to be proven is the truth, unless the log's own key has signed a lie; then computing
the index again shows it. Equal entries that are logged once get one index.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.faults import Died, Faults, GatedStore, Passing
from tests.support.indexed import named
from tests.support.reference import flipped
from tests.support.sampling import soaking
from tests.support.world import NOW, ORIGIN, ROLES, World, Wrap, not_wrapped, recording_key
from tiles.entries.kind import LEAF, NAME, SHA256, Key
from tiles.entries.kinds import keys_of
from tiles.errors import NotFound, TilesError, UsageError, VerificationError
from tiles.index import build, fresh, known, own_index, scan
from tiles.index.check import check_index, read_head
from tiles.index.search import Query, search
from tiles.log import Log
from tiles.notes import index_head
from tiles.notes.index_head import IndexHead, Run, sign_index_head
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.retry import Clock
from tiles.signing.signer import Signer
from tiles.store import Listed, StoreFetcher
from tiles.store.memory import MemoryStore
from tiles.tree.merkle import EMPTY_ROOT
from tiles.upkeep.gc import DAY, gc

KINDS = (LEAF, SHA256, NAME)
PALETTE = [*(b"%d" % number for number in range(12)), *(named(number, f"name {number % 3}") for number in range(8))]
ABSENT = named(99, "nobody")


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    """Let an index be of use above four entries, and cover eight at a time."""
    with pytest.MonkeyPatch.context() as patched:
        for module in (index_head, build, fresh, own_index):
            patched.setattr(module, "RUN_ENTRIES", 8)
        for module in (build, own_index):
            patched.setattr(module, "STEP", 16)
        for module in (own_index, scan, known):
            patched.setattr(module, "SCAN_LIMIT", 4)
        patched.setattr(known, "MAX_TAIL", 20)
        patched.setattr("tiles.log.Clock", lambda: Clock(now=lambda: NOW, sleep=lambda _: None))
        yield


class Model:
    """A log, what happened to it, and what may be said of it.

    lied      kinds of keys of whose index the log's own key has signed a wrong head
    damaged   whether what the index is made of may have been changed
    """

    def __init__(self, rng: random.Random) -> None:
        self.world = World().grown()
        self.rng = rng
        self.lied: set[str] = set()
        self.damaged = False
        self.heads: list[tuple[str, bytes]] = []

    def log(self, wrap: Wrap = not_wrapped) -> Log:
        """Return a writer, as a new process has it."""
        public, private, anchor = (wrap(self.world.stores[role], role) for role in ROLES)
        return Log(public, private, Signer(self.world.key, anchor))

    def client(self) -> LogClient:
        """Return a reader, as a new process has it."""
        return LogClient(StoreFetcher(self.world.stores["public"]), policy_for(self.world.verifier))

    def truth(self) -> list[bytes]:
        """Return the entries of the log."""
        client = self.client()
        return [entry for _, entry in client.entries(0, client.tree.size)]

    # ---- what happens

    def append(self, wrap: Wrap = not_wrapped) -> None:
        """Log some entries in batches, some of them once, and let the index follow."""
        log = self.log(wrap)
        for _ in range(self.rng.randrange(1, 4)):
            batch, once = self.rng.choices(PALETTE, k=self.rng.randrange(1, 12)), self.rng.random() < 0.5
            done = log.append(batch, once=once)
            entries = self.truth()
            assert [entries[index] for index in done.indexes] == batch
            if once and done.once and not self.damaged and not self.lied:
                new = entries[done.first_index : done.first_index + done.count]
                assert len(set(new)) == len(new)
                assert not set(new) & set(entries[: done.first_index])
            log.update_index(more=self.rng.random() < 0.5)
        log.update_index()

    def build(self, wrap: Wrap = not_wrapped) -> None:
        """Begin an index, or let it catch up."""
        with suppress(TilesError):  # where the index is not what it should be, it is said
            self.log(wrap).build_index(self.rng.choice(KINDS))

    def die(self) -> None:
        """Do either, and die, or have something go wrong, at any operation."""
        faults = Faults(self.rng.randrange(80), pick=self.rng)
        with suppress(Died, TilesError):
            self.rng.choice((self.append, self.build))(faults.wrap)

    def meet(self) -> None:
        """Do either, and let another builder be faster at any operation."""
        left = [self.rng.randrange(60)]

        def gate(_what: str) -> None:
            left[0] -= 1
            if left[0] == 0:
                self.build()

        self.rng.choice((self.append, self.build))(lambda store, role: GatedStore(store, role, gate))

    def damage(self) -> None:
        """Lose an object of an index, or change it."""
        if paths := self._objects():
            path = self.rng.choice(paths)
            data = self.world.stores["public"].read(path).data or b"lost before"
            bit = self.rng.randrange(8 * len(data))
            self.world.put("public", path, self.rng.choice([None, data[:-1], data + b"\0", b"", flipped(data, bit)]))
            self.damaged = True

    def put_back(self) -> None:
        """Put back a head of before, or none at all."""
        if self.heads:
            kind, data = self.rng.choice(self.heads)
            self.world.put("public", f"index/{kind}/head", self.rng.choice([data, data, None]))
            self.damaged = True  # runs of before may be collected, and a lie of before is back

    def forge(self) -> None:
        """Let somebody without the key sign that there is nothing."""
        self._state(recording_key(seed=b"\x07" * 32))
        self.damaged = True

    def lie(self) -> None:
        """Let the log's own key sign that there is nothing."""
        self.lied |= self._state(self.world.key)

    def collect(self) -> None:
        """Run gc as if everything had been there for long."""
        gc(Old(self.world.stores["public"], "public"), self.world.stores["private"], now=NOW + DAY)

    def repair(self) -> None:
        """Put an index back to what its head stands for."""
        with suppress(TilesError):
            self.log().repair_index(self.rng.choice(KINDS), MemoryStore("scratch"))

    def _objects(self) -> list[str]:
        every = sorted(listed.path for listed in self.world.stores["public"].list("index/"))
        return [path for path in every if not path.endswith("/head")]

    def _state(self, key: object) -> set[str]:
        """Sign a head with empty runs, of a kind that has one."""
        kind, path = (kind := self.rng.choice(KINDS)), f"index/{kind}/head"
        try:
            head = read_head(StoreFetcher(self.world.stores["public"]), kind, [self.world.verifier]).head
        except (TilesError, NotFound):
            return set()
        runs = tuple(Run(run.level, run.number, 0, EMPTY_ROOT) for run in head.runs)
        self.world.put("public", path, sign_index_head(IndexHead(ORIGIN, kind, head.tree, runs), key).data)  # type: ignore[arg-type]
        return {kind} if runs != head.runs else set()

    # ---- what is said

    def check(self) -> None:
        """Hold that nothing that is said of some keys is wrong."""
        entries = self.truth()
        for kind in KINDS:
            with suppress(NotFound, TilesError):
                self.heads.append((kind, self.world.stores["public"].read(f"index/{kind}/head").data))
        for wanted in self.rng.sample([*PALETTE, ABSENT], 3):
            for key in keys_of(wanted):
                self._ask(key, [(n, entry) for n, entry in enumerate(entries) if key in keys_of(entry)], len(entries))

    def _ask(self, key: Key, right: Sequence[tuple[int, bytes]], size: int) -> None:
        try:
            found = search(self.client(), Query([[key]], most=1000))
        except UsageError:
            return  # there is no index of the kind
        except VerificationError:
            if key.kind not in self.lied:
                raise
            return
        assert list(found.hits) == [hit for hit in reversed(right) if hit in found.hits]
        if found.unproven or found.covered < size:
            return
        if list(found.hits) != list(reversed(right)):
            assert key.kind in self.lied
            fetcher, client = StoreFetcher(self.world.stores["public"]), self.client()
            head = read_head(fetcher, key.kind, [self.world.verifier]).head
            assert check_index(fetcher, client, ORIGIN, key.kind, head, MemoryStore("scratch")).lies


class Old(Passing):
    """A store in which everything has been for long."""

    def list(self, prefix: str) -> Iterator[Listed]:
        return (Listed(each.path, each.size, NOW) for each in super().list(prefix))


STEPS: dict[str, Callable[[Model], None]] = {
    "append": Model.append,
    "build": Model.build,
    "die": Model.die,
    "meet": Model.meet,
    "damage": Model.damage,
    "put back": Model.put_back,
    "forge": Model.forge,
    "lie": Model.lie,
    "collect": Model.collect,
    "repair": Model.repair,
}


def run(steps: list[str], seed: int) -> Model:
    """Let these things happen, and check after each."""
    model = Model(random.Random(seed))
    model.append()
    for step in steps:
        STEPS[step](model)
        model.check()
    return model


@settings(max_examples=soaking(60, 3000), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from([*STEPS, "append", "append"]), max_size=10), st.integers(0, 2**32))
@pytest.mark.slow
def test_as_a_dictionary(steps: list[str], seed: int) -> None:
    """Whatever happens, in any order."""
    run(steps, seed)


@pytest.mark.parametrize("seed", range(3))
def test_some_of_it(seed: int) -> None:
    """Each thing that can happen, once or twice."""
    rng = random.Random(seed)
    run(rng.sample(sorted(STEPS), len(STEPS)), seed)
