"""Repair while others write: nothing that is committed is ever missing in the end, whoever is stopped wherever."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import cache

import pytest

from tests.support.faults import Faults, GatedStore, Stepped
from tests.support.readers import Objects
from tests.support.sampling import one_in, quickly
from tests.support.world import NOW, World, explained, not_wrapped, some_entries
from tiles.errors import Refused
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.policy import policy_for
from tiles.signing.signer import Signer
from tiles.store import Store, StoreFetcher
from tiles.upkeep.audit import audit
from tiles.upkeep.repair import Repaired, repair
from tiles.write.results import Appended
from tiles.write.sequencer import Sequencer

GROWTH = some_entries("growth", 260)
DAMAGED = ("tile/0/000", "tile/entries/001", "tile/0/001.p/44")
EDGE = ("tile/1/000.p/2", "tile/0/002.p/88")


@cache
def original() -> World:
    """Return a sound log; not to be changed."""
    return World().grown(100, 200, 300)


@cache
def future() -> Mapping[str, bytes]:
    """Return the public objects of the log once it has grown."""
    world = original().copy()
    world.append(GROWTH)
    return world.contents()["public"]


def broken(*more: str) -> World:
    """Return the log with damaged tiles, and tiles of its future, two of them as they will be."""
    world = original().copy()
    for path in (*DAMAGED, *more):
        world.put("public", path, b"wrong")
    for path in ("tile/0/002", "tile/entries/003.p/92"):
        world.stores["public"].create({path: future()[path]})
    world.stores["public"].create({"tile/0/009": b"foreign"})
    return world


def run(world: World, public: Store | None = None, private: Store | None = None) -> Repaired:
    """Repair a log from a sound copy."""
    public, private = public or world.stores["public"], private or world.stores["private"]
    signed = parse_signed_checkpoint(world.stores["public"].read("checkpoint").data)
    mirror = Objects(original().contents()["public"])
    policy = policy_for(world.verifier)
    return repair(StoreFetcher(public), public, private, signed, policy, now=NOW, mirror=mirror, fenced=True)


def repairing(world: World) -> Stepped[Repaired]:
    """Return a repair that is stopped before its first operation."""
    stores = world.stores
    return Stepped(
        "repair", lambda me: run(world, *(GatedStore(stores[role], role, me.gate) for role in ("public", "private")))
    )


def append(world: World, wrap: Callable[[Store, str], Store] = not_wrapped) -> Appended:
    """Append, unseen by those who check every write: the log is damaged, and they would say so."""
    public, private, anchor = (wrap(store, role) for role, store in world.stores.items())
    signer = Signer(world.key, anchor)
    return Sequencer(
        public, private, signer, now=lambda: world.now, sleep=world.pass_time, rng=random.Random(1)
    ).append(GROWTH)


def writing(world: World) -> Stepped[Appended]:
    """Return a writer that is stopped before its first operation."""
    return Stepped("writer", lambda me: append(world, lambda store, role: GatedStore(store, role, me.gate)))


def check(world: World) -> None:
    """Check that the log has all of its entries, once, and is sound once what is left was repaired."""
    assert run(world).findings == ()
    public = world.stores["public"]
    tree = parse_signed_checkpoint(public.read("checkpoint").data).tree
    assert tree.size == 860
    assert audit(StoreFetcher(public), tree, store=public, policy=policy_for(world.verifier)).findings == ()
    assert list(world.committed() or ())[600:] == GROWTH
    right = original().contents()["public"]
    mutable = ("checkpoint", "policy.txt")
    assert {
        path: data for path, data in world.contents()["public"].items() if path in right and path not in mutable
    } == {path: data for path, data in right.items() if path not in mutable}


@cache
def operations() -> int:
    """Return how many operations a repair has."""
    world, faults = broken(), Faults()
    run(world, *(faults.wrap(world.stores[role], role) for role in ("public", "private")))
    return len(faults.done)


@cache
def writer_operations() -> int:
    """Return how many operations a writer has."""
    faults = Faults()
    original().copy().sequencer(faults.wrap).append(GROWTH)
    return len(faults.done)


@pytest.mark.parametrize("at", range(operations() + 1))
def test_a_writer_while_a_repair_is_stopped(at: int) -> None:
    """A writer that runs from beginning to end while a repair is stopped anywhere, which then goes on."""
    world = broken()
    mender = repairing(world)
    mender.step(at)
    with explained(lambda: f"repair at {mender.trace[-1:]}"):
        append(world)
        mender.finish()
        mender.outcome()
        check(world)


@pytest.mark.parametrize("at", range(writer_operations() + 1))
def test_a_repair_while_a_writer_is_stopped(at: int) -> None:
    """A repair that runs from beginning to end while a writer is stopped anywhere, which then goes on."""
    world = broken()
    writer = writing(world)
    writer.step(at)
    with explained(lambda: f"writer at {writer.trace[-1:]}"):
        run(world)
        writer.finish()
        assert writer.outcome().first_index == 600
        check(world)


@pytest.mark.parametrize("n", [6, *quickly([2], [])])
@pytest.mark.parametrize("writer_at", range(0, writer_operations(), 3))
def test_by_turns(writer_at: int, n: int) -> None:
    """A repair stopped anywhere (one in n) beside a writer stopped anywhere, then it to its end, then the writer."""
    for mender_at in one_in(n, range(operations())):
        world = broken()
        mender, writer = repairing(world), writing(world)
        mender.step(mender_at)
        writer.step(writer_at)
        with explained(lambda w=writer, m=mender: f"writer at {w.trace[-1:]}, repair at {m.trace[-1:]}"):
            mender.finish()
            mender.outcome()
            writer.finish()
            assert writer.outcome().first_index == 600
            check(world)


@pytest.mark.parametrize("at", range(0, operations(), 2))
def test_an_edge_that_is_being_repaired(at: int) -> None:
    """A writer whose edge is damaged, or missing for a moment, refuses, and can write once it is repaired."""
    world = broken(*EDGE)
    mender = repairing(world)
    mender.step(at)
    try:
        append(world)
    except Refused:
        mender.finish()
        mender.outcome()
        append(world)
    else:
        mender.finish()
    check(world)


@pytest.mark.parametrize("at", range(0, operations(), 2))
def test_two_repairs(at: int) -> None:
    """A repair that runs while another one is stopped; both come to their end, and the log is as it was."""
    world = broken()
    mender = repairing(world)
    mender.step(at)
    run(world)
    mender.finish()
    mender.outcome()
    append(world)
    check(world)
