"""Object stores of other makers keep what `tiles.store` promises, and logs on them are whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from multiprocessing import get_context

import pytest

from tests.interop.racing import KEY, append_until, sequence_until, sequencer
from tests.interop.servers import SERVERS, Server, in_use
from tests.support.check_log import committed, published
from tests.support.store_contract_reading import *  # noqa: F403  the contract, held for the fixtures below
from tests.support.store_contract_writing import *  # noqa: F403
from tests.support.store_threads import at_once
from tests.support.world import ROLES, World, recording_key
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.policy import policy_for
from tiles.records.settings import Settings
from tiles.store import Store, StoreFetcher
from tiles.store.open_bucket import open_object_store
from tiles.store.probe import probe
from tiles.upkeep.audit import audit
from tiles.write.load import read_head
from tiles.write.prepare import as_public

pytestmark = pytest.mark.interop

WRITERS = 8
ODD_ORDER = {"azurite": "Azurite sorts by UTF-16; paths of a log are ASCII"}

_prefixes = count()


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Each server, running, and its credentials where they are looked for."""
    with in_use(request.param, tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture
def place(server: Server) -> Callable[[str], str]:
    """What gives the URL of a prefix; no other test has the same."""
    number = next(_prefixes)
    return lambda name: server.url(f"{number}/{name}")


@pytest.fixture
def store(request: pytest.FixtureRequest, server: Server, place: Callable[[str], str]) -> Store:
    """An empty store, for the contract."""
    if request.function.__name__ == "test_list_order" and server.name in ODD_ORDER:
        pytest.xfail(ODD_ORDER[server.name])
    return open_object_store(place("store"))


@pytest.fixture
def locked(store: Store) -> Store:
    """The same: these stores keep their conditions when several write at once."""
    return store


def test_the_probe_lets_it_pass(store: Store) -> None:
    """What `init` tries on a store, it does right, and nothing is left of it."""
    probe(store, "0123456789abcdef" * 2)
    assert list(store.list("")) == []


@pytest.mark.parametrize("kind", ["create", "swap"])
def test_one_writer_wins(store: Store, kind: str) -> None:
    """Of 16 writers at once exactly one wins, each of 50 times, and what is there is its content."""
    for number in range(50):
        path = f"{kind}/{number}"
        before = store.swap(path, b"before", None) if kind == "swap" else None
        contents = [b"writer %d" % i for i in range(16)]
        outcomes = at_once(
            [lambda path=path, data=data, before=before: store.swap(path, data, before) for data in contents]
        )
        winners = [data for data, outcome in zip(contents, outcomes, strict=True) if isinstance(outcome, str)]
        assert winners == [store.read(path).data], outcomes


@pytest.mark.parametrize("gzip", [False, True])
def test_a_whole_log(place: Callable[[str], str], gzip: bool) -> None:
    """A log that grows is right at every moment, and whole at the end."""
    world = World(key=recording_key(KEY.name, KEY.seed))
    world.stores = {role: open_object_store(place(role)) for role in ROLES}
    world.stores["public"] = as_public(world.stores["public"], Settings("0", gzip=gzip))
    world.grown(1, 254, 1, 1, 700)
    world.check()
    assert len(audited(world.stores["public"], world.stores["private"])) == 957


def audited(public: Store, private: Store) -> tuple[bytes, ...]:
    """Return the entries of a log in which nothing is left to do, recomputed twice: by the audit, and without it.

    Batches that lost a race may still be staged, for gc.
    """
    found = published(public, KEY.verifier)
    assert found is not None
    tree = parse_signed_checkpoint(found[0]).tree
    report = audit(StoreFetcher(public), tree, store=public, policy=policy_for(KEY.verifier))
    assert report.findings == ()
    assert committed(public, private, KEY.verifier) == found[1], "something is committed, and not published"
    head = read_head(private)[0]
    assert head.staged_path not in [listed.path for listed in private.list("staging/")], "the batch is still staged"
    return found[1]


# ---- many writers, each a process of its own


def race(place: Callable[[str], str], seconds: float, appenders: int, sequencers: int) -> None:
    """Let all of them write to one log, and hold it against what they were told."""
    urls = {role: place(role) for role in ROLES}
    sequencer(urls).create()
    until = time.time() + seconds
    with ProcessPoolExecutor(appenders + sequencers, get_context("spawn")) as pool:
        appending = [pool.submit(append_until, urls, f"appender {i}", until) for i in range(appenders)]
        deciding = [pool.submit(sequence_until, urls, f"submitter-{i}", until) for i in range(sequencers)]
        said = [each for future in appending for each in future.result()]
        submitted = [entry for future in deciding for entry in future.result()]
    while sequencer(urls).sequence().took:
        pass  # what was submitted last
    entries = audited(open_object_store(urls["public"]), open_object_store(urls["private"]))
    for first, batch in said:
        assert list(entries[first : first + len(batch)]) == batch
    assert sorted(entries) == sorted([*submitted, *(entry for _, batch in said for entry in batch)])
    print(f"{len(said)} batches by {appenders} appenders, {len(submitted)} entries by {sequencers} others, {seconds} s")


def test_processes_that_append_at_the_same_time(place: Callable[[str], str]) -> None:
    """Every entry of every process is there, once, where it was told; nobody fails."""
    race(place, 5.0, 4, 2)


@pytest.mark.slow
def test_processes_that_append_for_two_minutes(place: Callable[[str], str]) -> None:
    """The same, with more of them, for long."""
    race(place, 120.0, WRITERS, WRITERS)
