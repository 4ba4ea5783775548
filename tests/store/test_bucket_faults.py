"""The fault matrix over HTTP: every request of a run goes wrong in every way, and the next runs put it right.

The model and the audit are those of the fault matrix over store operations. Faults here are those of a network and of
S3, and what they come to is up to the store. On failure the schedule is in the error's note.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from itertools import product
from typing import cast

import pytest

from tests.support.object_server import ObjectServer
from tests.support.object_server_rules import Fault, possible
from tests.support.object_server_trouble import FOR_EVER, Doing, Ended, Trouble, Unrest, act, once, schedules, targets
from tests.support.object_server_world import Place
from tests.support.reference import printed_random
from tests.support.sampling import one_in, soaking
from tests.support.stories import (
    BASES,
    NEXT,
    OURS,
    Action,
    Story,
    grown,
    interrupted,
    settle,
)
from tests.support.submissions import check_submitted, submitted, with_inbox
from tests.support.world import World, explained, some_entries
from tiles.errors import AccessError, OutcomeUnknown, Unfinished
from tiles.store import Differs
from tiles.write.results import Appended
from tiles.write.sequencer import Sequencer


@pytest.fixture
def place() -> Iterator[Place]:
    """A place on an S3 server whose lists have small pages."""
    with ObjectServer("s3", page=3, slowness=0.002) as server:
        yield Place(server)


@pytest.fixture(params=["s3", "gcs", "azure"])
def any_place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """The same, of each kind."""
    with ObjectServer(request.param, page=3, slowness=0.002) as server:
        yield Place(server)


def matrix(base: World, place: Place, first: Action, then: Action, n: int = 1) -> int:
    """Run `first` with each fault, then `then` by a new process; one in n."""
    every = list(schedules(place.world(base), first))
    for target, fault, lasting in one_in(n, every):
        trouble = Trouble(target, fault, lasting)
        with explained(lambda: f"{first=} {trouble}, then {then=}"):  # noqa: B023
            story = Story(place.world(base))
            ended = story.run(first, writer=cast(Sequencer, Ended(story.world.sequencer(), place.server, trouble)))
            assert trouble.hit, "the run never came to the request"
            if story.world.committed() is None:
                assert story.run("create")
            if not ended or then != first:
                assert story.run(then)
            settle(story)
    return len(every)


@pytest.mark.parametrize(("base", "then"), [(0, "other"), (3, "same"), (250, "same"), (250, "other"), (256, "nothing")])
def test_append_survives_faults_of_requests(base: int, then: str, place: Place) -> None:
    """Whatever goes wrong at any request of an append, the next run finishes it: nothing lost, twice or forked."""
    assert matrix(grown(base), place, OURS, NEXT[then], 64) > 100


@pytest.mark.slow
@pytest.mark.parametrize("then", NEXT)
@pytest.mark.parametrize("base", BASES)
def test_append_survives_a_fault_at_every_request(base: int, then: str, place: Place) -> None:
    """The same at every request."""
    assert matrix(grown(base), place, OURS, NEXT[then]) > 100


@pytest.mark.parametrize("then", ["create", "other"])
def test_create_survives_faults_of_requests(then: str, place: Place) -> None:
    """Whatever goes wrong at any request while a log is created, creating it again, or the next run, finishes it."""
    assert matrix(World(), place, "create", NEXT.get(then, "create"), 64) > 100


@pytest.mark.slow
@pytest.mark.parametrize("then", ["create", "other", "nothing"])
def test_create_survives_a_fault_at_every_request(then: str, place: Place) -> None:
    """The same at every request."""
    assert matrix(World(), place, "create", NEXT.get(then, "create")) > 100


@pytest.mark.parametrize("then", ["same", "other"])
def test_finishing_survives_faults_of_requests(then: str, place: Place) -> None:
    """Whatever goes wrong while a dead run's work is finished, the next run finishes it."""
    assert matrix(interrupted(), place, "finish", NEXT[then], 64) > 100


@pytest.mark.slow
@pytest.mark.parametrize("then", NEXT)
def test_finishing_survives_a_fault_at_every_request(then: str, place: Place) -> None:
    """The same at every request."""
    assert matrix(interrupted(), place, "finish", NEXT[then]) > 100


# ---- the same for what was submitted


def sequence_matrix(base: int, place: Place, n: int = 1) -> int:
    """Run `sequence` with each fault, then another one that looks again at what that left; one in n."""
    world = with_inbox(base)
    expected = submitted(world)
    every = list(schedules(place.world(world), "sequence"))
    for target, fault, lasting in one_in(n, every):
        trouble = Trouble(target, fault, lasting)
        with explained(lambda: str(trouble)):  # noqa: B023
            here = place.world(world)
            with suppress(AccessError, Unfinished):
                act(Ended(here.sequencer(), place.server, trouble), "sequence")
            assert trouble.hit, "the run never came to the request"
            check_submitted(here, expected, complete=False)
            here.sequencer().sequence()
            check_submitted(here, expected, complete=True)
    return len(every)


def test_sequence_survives_faults_of_requests(place: Place) -> None:
    """Whatever goes wrong while submissions are decided, each is logged once or refused, as it should be (sampled)."""
    assert sequence_matrix(250, place, 64) > 100


@pytest.mark.slow
@pytest.mark.parametrize("base", [0, 3, 250])
def test_sequence_survives_a_fault_at_every_request(base: int, place: Place) -> None:
    """The same at every request."""
    assert sequence_matrix(base, place) > 100


# ---- a write that lands when nobody waits for it any more


def late(base: World, place: Place, first: Doing, then: Doing, n: int = 1) -> int:
    """Let `first` die at each of its writes, which lands during `then`: after each number of its requests; one in n."""
    undisturbed = targets(place.world(base), first)
    server = place.server
    writes = [target for target in undisturbed if Fault.LATE in possible(target.kind)]
    every = list(product(writes, range(1, len(undisturbed) + 10)))
    for target, requests in one_in(n, every):
        with explained(lambda: f"{first=} dies at {target}, which lands at request {requests} of {then=}"):  # noqa: B023
            world = place.world(base)
            before = world.committed() or ()
            waiting = submitted(world)
            server.lateness = FOR_EVER
            server.fault = Trouble(target, Fault.LATE, lasting=True)
            with pytest.raises((AccessError, Unfinished)):
                act(world.sequencer(), first)
            server.fault = None
            assert server.hurry(requests)
            done = act(world.sequencer(), "create" if world.committed() is None else then)
            if isinstance(done, Appended) and isinstance(then, list):
                world.acknowledged.append((done.first_index, then))
            server.settle()
            settle(Story(world))
            assert (world.committed() or ())[: len(before)] == before
            world.check(orphans=True)  # where no entry is twice
            check_submitted(world, waiting, complete=then == "sequence")
    return len(every)


@pytest.mark.parametrize(("base", "then"), [(3, "other"), (250, "other"), (250, "nothing")])
def test_a_late_write_does_no_harm(base: int, then: str, place: Place) -> None:
    """A write of a run that is long dead may land at any moment of the next one (sampled): nothing lost, or twice."""
    assert late(grown(base), place, OURS, NEXT[then], 30) > 100


@pytest.mark.slow
@pytest.mark.parametrize("then", ["other", "nothing"])
@pytest.mark.parametrize("base", BASES)
def test_a_late_write_does_no_harm_at_any_request(base: int, then: str, place: Place) -> None:
    """The same at many requests, or at every one."""
    assert late(grown(base), place, OURS, NEXT[then], soaking(4, 1)) > 100


def test_a_late_write_of_a_beginning_does_no_harm(place: Place) -> None:
    """A write of a `create` that died may land at any moment of the next one (sampled)."""
    assert late(World(), place, "create", "create", 30) > 100


@pytest.mark.slow
def test_a_late_write_of_sequence_does_no_harm(place: Place) -> None:
    """A write of a `sequence` that died may land at any moment of the next one (sampled)."""
    assert late(with_inbox(250), place, "sequence", "sequence", 30) > 100


@pytest.mark.slow
@pytest.mark.longest
def test_a_late_write_of_sequence_does_no_harm_at_any_request(place: Place) -> None:
    """The same at every request."""
    assert late(with_inbox(250), place, "sequence", "sequence", soaking(4, 1)) > 100


# ---- trouble all the time


def troubled(place: Place, rng: random.Random, runs: int) -> None:
    """Take some runs during which any request may go wrong."""
    story = Story(place.world(World()))
    done: list[str] = []
    unrest = Unrest(rng, 0)
    with explained(lambda: "\n".join([*done, *unrest.happened])):
        for number in range(runs):
            committed = story.world.committed()
            fresh = some_entries(f"run {number}", rng.choice([1, 2, 10, 250, 257]))
            actions: list[Action] = [fresh, fresh, story.unpublished(committed) or fresh, "finish"]
            action = rng.choice(actions) if committed is not None else "create"
            unrest = Unrest(rng, rng.choice([0, 0.02, 0.1, 0.3]))
            place.server.lateness = rng.choice([1, 2, 5])
            done.append(f"{action[0]!r}" if isinstance(action, list) else action)
            writer = Ended(story.world.sequencer(), place.server, unrest)
            story.run(action, writer=cast(Sequencer, writer))
        settle(story)


def test_trouble_without_end(any_place: Place) -> None:
    """Runs of all kinds while any request may go wrong: the log stays sound, and goes on."""
    rng = printed_random()
    for _ in range(3):
        troubled(any_place, rng, 10)


@pytest.mark.slow
def test_trouble_without_end_for_long(any_place: Place) -> None:
    """The same, for minutes."""
    rng = printed_random()
    for _ in range(soaking(5, 50)):
        troubled(any_place, rng, 40)


# ---- what each fault is to a caller


@pytest.mark.parametrize("fault", [None, *possible("PUT")])
@pytest.mark.parametrize("there", [False, True])
def test_swap_is_sent_once(any_place: Place, there: bool, fault: Fault | None) -> None:
    """A swap that was not answered is not sent again: it would be refused as somebody else's."""
    server, store = any_place.server, any_place.clients["private"]
    version = store.swap("head", b"1", None) if there else None
    server.requests.clear()
    server.fault = once(server.count, fault)
    collided = server.dialect == "s3" and fault is Fault.CONFLICT  # it did not happen
    if fault in (None, Fault.SLOW) or collided:
        assert store.swap("head", b"2", version) == store.read("head").version
    else:
        with pytest.raises(OutcomeUnknown):
            store.swap("head", b"2", version)
    assert [each.kind for each in server.requests].count("PUT") == (2 if collided else 1)


@pytest.mark.parametrize("fault", possible("PUT"))
def test_create_is_tried_again(any_place: Place, fault: Fault) -> None:
    """A create comes to its end whatever happened to its first request, and knows what is there."""
    server, store = any_place.server, any_place.clients["public"]
    for data in (b"1", b"1", b"2"):
        server.settle()
        server.fault = once(server.count, fault)
        if data == b"1":
            store.create({"tile/0/000": data})
        else:
            with pytest.raises(Differs):
                store.create({"tile/0/000": data})
        assert server.objects["public"] == {"log/tile/0/000": b"1"}


@pytest.mark.parametrize("fault", possible("GET"))
def test_reading_and_deleting_are_tried_again(any_place: Place, fault: Fault) -> None:
    """So do reading, listing and deleting; but half a list is an error, and nothing that looks like a whole one."""
    server, store = any_place.server, any_place.clients["public"]
    data = bytes(range(256)) * 300
    server.put("public", "log/tile/0/000", data)
    server.fault = once(server.count, fault)
    assert store.read("tile/0/000").data == data
    server.fault = once(server.count, fault)
    with pytest.raises(AccessError) if fault is Fault.TRUNCATED else nullcontext():
        assert [listed.path for listed in store.list("")] == ["tile/0/000"]
    server.fault = once(server.count, fault)
    store.delete(["tile/0/000"])
    assert server.objects["public"] == {}
