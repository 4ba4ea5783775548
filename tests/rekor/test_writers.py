"""Whom a desk hands entries to: appended once and proven, whatever goes wrong, by the log's writer or by its inbox."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest

from tests.support.admissions import KEY, policy
from tests.support.faults import Died, Fault, Faults
from tests.support.rekor_requests import entry_of
from tests.support.sampling import one_in
from tests.support.world import World, explained, not_wrapped
from tiles.errors import AccessError, Denied, Refused, TilesError, Unfinished
from tiles.inbox.rules import Rule
from tiles.inbox.submit import submit
from tiles.notes.policy import policy_for
from tiles.notes.tlog_proof import TlogProof, verify_tlog_proof
from tiles.read.client import LogClient
from tiles.rekor.writers import AGAIN, Appending, Submitting
from tiles.retry import Clock
from tiles.store import StoreFetcher
from tiles.tree.merkle import leaf_hash

ENTRIES = [entry_of(b"one"), entry_of(b"two")]


def client_of(world: World, faults: Faults | None = None) -> LogClient:
    """Return what reads the log; its reads count, too."""
    store = world.stores["public"]
    return LogClient(StoreFetcher(faults.wrap(store, "public") if faults else store), policy_for(world.verifier))


def appending(world: World, faults: Faults | None = None) -> Appending:
    """Return a writer, as a new process would have it."""
    sequencer = world.sequencer(faults.wrap if faults else not_wrapped)
    clock = Clock(lambda: world.now, world.pass_time, random.Random(1))
    return Appending(partial(sequencer.append, once=True), client_of(world, faults), lambda: None, clock)


def check(world: World, proofs: Mapping[bytes, TlogProof], entries: Sequence[bytes]) -> None:
    """Check that the log is sound, has each entry once, and that each proof is of its entry."""
    committed = world.committed() or ()
    assert {entry: committed.count(entry) for entry in entries} == dict.fromkeys(entries, 1)
    assert set(proofs) == set(entries)
    for entry, proof in proofs.items():
        verify_tlog_proof(proof, leaf_hash(entry), policy_for(world.verifier))
    world.check()


# ---- by the log's writer


def test_appended_once() -> None:
    """What is new is one batch; what is there already is proven where it is, together with it or alone."""
    world = World().grown(3)
    first = appending(world).turn(ENTRIES[:1])
    both = appending(world).turn(ENTRIES)
    assert [proof.index for proof in (first[ENTRIES[0]], *both.values())] == [3, 3, 4]
    assert world.size() == 5
    again = appending(world).turn(ENTRIES)
    assert [(proof.index, proof.checkpoint.tree.size) for proof in again.values()] == [(3, 5), (4, 5)]
    check(world, again, ENTRIES)


def every_fault(world: World) -> list[Faults]:
    """Return a schedule for each fault of each operation of a turn, those of reading the proofs included."""
    counting = Faults()
    appending(world.copy(), counting).turn(ENTRIES)
    return [Faults(at, fault) for at, (_, kinds) in enumerate(counting.done) for fault in kinds]


@pytest.mark.parametrize("n", [4, pytest.param(1, marks=pytest.mark.slow)], ids=["quick", "full"])
@pytest.mark.parametrize("base", [(), (255,)], ids=["empty", "255"])
def test_survives_a_fault_at_every_operation(base: tuple[int, ...], n: int) -> None:
    """Whatever goes wrong before an answer, and wherever the shim is killed, asking again logs nothing twice."""
    start = World().grown(*base)
    schedules = every_fault(start)
    assert len(schedules) > 60
    for schedule in one_in(n, schedules):
        faults, world = replace(schedule, done=[]), start.copy()
        with explained(lambda: str(faults)):  # noqa: B023
            proofs: Mapping[bytes, TlogProof] = {}
            with suppress(Died, TilesError):
                proofs = appending(world, faults).turn(ENTRIES)
            assert not proofs or faults.fault is not Fault.DIES
            if proofs:
                check(world, proofs, ENTRIES)
            check(world, appending(world).turn(ENTRIES), ENTRIES)


def test_storage_that_fails_for_a_moment() -> None:
    """One failure of storage is not told: the turn tries again, with a pause."""
    world = World().grown()
    before = world.now
    check(world, appending(world, Faults(0, Fault.NOT_DONE)).turn(ENTRIES), ENTRIES)
    assert AGAIN.first * AGAIN.spread[0] <= world.now - before <= AGAIN.longest


TOLD: dict[str, tuple[TilesError, int]] = {
    "storage": (AccessError("away"), AGAIN.attempts),
    "committed": (Unfinished("committed", first_index=0, count=1, published=False), AGAIN.attempts),
    "denied": (Denied("no"), 1),
    "refused": (Refused("frozen"), 1),
}


@pytest.mark.parametrize("what", TOLD)
def test_what_is_told(what: str) -> None:
    """An error that lasts is told, after some tries; one that cannot go better at once."""
    error, tries = TOLD[what]
    world, calls = World().grown(), []

    def append(entries: Sequence[bytes]) -> object:
        calls.append(entries)
        raise error

    clock = Clock(lambda: world.now, world.pass_time, random.Random(1))
    writer = Appending(append, client_of(world), lambda: None, clock)  # type: ignore[arg-type]
    with pytest.raises(type(error)) as caught:
        writer.turn(ENTRIES)
    assert (caught.value, calls) == (error, [ENTRIES] * tries)


def test_what_is_left_to_do() -> None:
    """The index follows after the answer, and only if something was asked for."""
    world, done = World().grown(), []
    writer = Appending(partial(world.sequencer().append, once=True), client_of(world), lambda: done.append(1))
    assert writer.turn([]) == {}
    writer.follow()
    writer.turn(ENTRIES)
    assert done == []
    writer.follow()
    assert done == [1]


# ---- by its inbox


def submitting(world: World, numbers: random.Random | None = None) -> Submitting:
    """Return what submits as ann."""
    rng = numbers or random.Random(1)

    def put(entries: Sequence[bytes]) -> None:
        submit(world.stores["private"], "ann", entries, rng.randbytes(16), log="log", once=True)

    return Submitting(client_of(world), put)


def inbox(world: World) -> list[str]:
    """Return what is submitted and not decided."""
    return [listed.path for listed in world.stores["private"].list("inbox/")]


def test_what_is_refused_keeps_nothing_else_out() -> None:
    """Each entry is a submission: one that the log's policy does not admit does not take others with it."""
    world = World()
    world.sequencer(admission=policy(Rule("hashedrekord", key=KEY))).create()
    writer = submitting(world)
    writer.turn([ENTRIES[0], b"what no rule admits", ENTRIES[1]])
    assert len(world.sequencer().sequence().refused) == 1
    check(world, writer.turn([]), ENTRIES)


def test_submitted() -> None:
    """What is new is submitted, and is told once a run elsewhere has logged it; what is there, at once."""
    world = World().grown(3)
    writer = submitting(world)
    assert writer.turn(ENTRIES[:1]) == {}
    assert writer.turn([]) == {}
    assert len(inbox(world)) == 1
    world.sequencer().sequence()
    first = writer.turn(ENTRIES[1:])
    assert set(first) == {ENTRIES[0]}
    world.sequencer().sequence()
    second = writer.turn([])
    check(world, {**first, **second}, ENTRIES)
    assert [proof.index for proof in (*first.values(), *second.values())] == [3, 4]
    # in this process and in another one
    for other in (writer, submitting(world)):
        check(world, other.turn(ENTRIES), ENTRIES)
    assert inbox(world) == []


def test_submitted_and_killed() -> None:
    """A shim that died after it submitted has lost nothing: another one submits again, and it is logged once."""
    world = World().grown(3)
    assert submitting(world).turn(ENTRIES) == {}
    later = submitting(world, random.Random(2))
    assert later.turn(ENTRIES) == {}
    assert len(inbox(world)) == 2 * len(ENTRIES)
    world.sequencer().sequence()
    check(world, later.turn([]), ENTRIES)


def test_a_log_that_cannot_be_read_for_a_moment() -> None:
    """What cannot be looked for now is looked for later, from where the last look came to; and it is told why."""
    world = World().grown(300)
    writer = submitting(world)
    writer.turn(ENTRIES)
    world.sequencer().sequence()
    for path in ("checkpoint", "tile/0/001.p/46"):
        data = world.stores["public"].read(path).data
        world.put("public", path, None)
        assert writer.turn([]) == {}
        assert path in writer.trouble
        world.put("public", path, data)
    check(world, writer.turn([]), ENTRIES)
    assert writer.trouble == ""


def test_an_inbox_that_denies() -> None:
    """What certainly was not submitted is told; what may have been is looked for."""
    world = World().grown()

    def put(entries: Sequence[bytes]) -> None:
        raise Denied("no")

    with pytest.raises(Denied):
        Submitting(client_of(world), put).turn(ENTRIES)

    broken = Faults(0, Fault.DONE).wrap(world.stores["private"], "private")
    writer = Submitting(client_of(world), lambda new: submit(broken, "ann", new, bytes(16), log="log", once=True))
    assert writer.turn(ENTRIES) == {}
    assert "it is not known whether" in writer.trouble
    world.sequencer().sequence()
    check(world, writer.turn([]), ENTRIES)
    assert writer.trouble == ""
