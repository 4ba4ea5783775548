"""Deciding what was submitted: every operation of a run goes wrong in every way, and nothing is lost, twice or both."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.faults import Died, Fault, Faults
from tests.support.races import ONE, Action, pairs, race, shuffled
from tests.support.reference import printed_random
from tests.support.sampling import quickly
from tests.support.submissions import (
    GOOD,
    JUNK,
    Sequencing,
    check_submitted,
    finish_all,
    inbox,
    rejected,
    submit,
    submitted,
    with_inbox,
)
from tests.support.world import World, explained, some_entries
from tiles.errors import AccessError, Refused, Unfinished
from tiles.inbox.admission import OPEN, Admission
from tiles.inbox.selection import Limits
from tiles.inbox.submission import format_submission
from tiles.records.head import parse_head
from tiles.records.paths import INBOX
from tiles.write.results import Sequenced


@pytest.mark.parametrize("base", [0, 3, 250])
def test_sequence(base: int) -> None:
    """One run logs what is admitted, refuses what is not with a reason, and leaves nothing behind."""
    world = with_inbox(base)
    expected = submitted(world)
    done = world.sequencer().sequence()
    check_submitted(world, expected, complete=True)
    assert (done.first_index, done.count, len(done.took), len(done.refused)) == (base, 6, 3, 1)
    assert done.checkpoint.tree.size == base + 6
    assert (done.backlog.objects, done.backlog.oldest) == (0, None)
    (name,) = rejected(world)
    assert " ".join(done.refused[0]) == world.stores["private"].read(f"rejected/{name}").data.decode().strip()
    before = world.contents()
    again = world.sequencer().sequence()
    assert (again.first_index, again.count, again.took, again.refused) == (base + 6, 0, (), ())
    assert again.checkpoint.data == done.checkpoint.data
    assert world.contents() == before


def test_a_batch_that_only_refuses() -> None:
    """It is committed on the tree as it is, and nothing is published."""
    world = with_inbox(3, good=False, junk=5)
    expected, before = submitted(world), world.history.checkpoints[-1]
    done = world.sequencer().sequence()
    check_submitted(world, expected, complete=True)
    assert (done.count, len(done.refused)) == (0, 5)
    assert [world.history.checkpoints[-1]] == [before]
    head = parse_head(world.stores["private"].read("head").data)
    assert (head.base, head.tree.size, head.batch is None) == (3, 3, False)
    world.append(some_entries("after", 2))
    check_submitted(world, expected, complete=True)


@pytest.mark.parametrize("place", ["memory", "directory"])
def test_no_name_stops_the_log(place: str, tmp_path: Path) -> None:
    """Refused again with other bytes, or under a name that is the folder of another: the first record stays."""
    world = World(None if place == "memory" else tmp_path).grown(3)
    private = world.stores["private"]
    name = submit(world, "eve", 1, JUNK)
    assert len(world.sequencer().sequence().refused) == 1
    first = private.read(f"rejected/{name}").data
    private.create({f"{INBOX}{name}": JUNK + JUNK, f"{INBOX}eve/other": JUNK, f"{INBOX}mallory": JUNK})
    assert len(world.sequencer().sequence().refused) == 3
    assert private.read(f"rejected/{name}").data == first
    private.delete([f"{INBOX}mallory"])
    private.create({f"{INBOX}mallory-too/x": JUNK})
    assert len(world.sequencer().sequence().refused) == 1
    world.append(some_entries("after", 2))
    world.check(orphans=True)
    assert not inbox(world)


def test_batches_in_turn() -> None:
    """With a small limit each run takes one submission of another submitter; the backlog counts down."""
    world = with_inbox(0, junk=0)
    expected = submitted(world)
    counts = []
    while (done := world.sequencer().sequence(Limits(objects=1))).took:
        counts.append((done.took[0].partition("/")[0], done.backlog.objects))
    assert [left for _, left in counts] == [2, 1, 0]
    assert {name for name, _ in counts[:2]} == {"ann", "bob"}
    check_submitted(world, expected, complete=True)


def test_frozen_logs_take_nothing() -> None:
    """The inbox of a frozen log stays as it is, and freezing again is no error."""
    world = with_inbox(3)
    before = inbox(world)
    last = world.sequencer().freeze()
    assert last.tree.size == 3
    assert world.sequencer().freeze().data == last.data
    with pytest.raises(Refused, match="frozen at size 3"):
        world.sequencer().sequence()
    with pytest.raises(Refused, match="frozen at size 3"):
        world.sequencer().append([b"x"])
    assert inbox(world) == before
    world.check(orphans=True)


def test_two_admission_policies() -> None:
    """A run with another admission policy than the log's refuses, and nothing is decided; with the log's it goes on."""
    world = with_inbox(3)
    before = world.contents()
    with pytest.raises(Refused, match="admission policy"):
        world.sequencer(admission=Admission(max_entries=7)).sequence()
    assert world.contents() == before
    assert world.sequencer(admission=OPEN).sequence().count == 6


def test_the_policy_of_the_log_decides() -> None:
    """A log begun with a strict policy refuses by it, whoever runs, told or not."""
    world = World()
    world.sequencer(admission=Admission(max_entries=1, submitters=("ann",))).create()
    for number, (submitter, count) in enumerate([("ann", 1), ("ann", 2), ("bob", 1)]):
        submit(world, submitter, number, format_submission(some_entries(f"{submitter}{number}", count)))
    done = world.sequencer().sequence()
    assert done.count == 1
    assert sorted(reason for _, reason in done.refused) == [
        "2 entries, 1 is the most",
        "the submitter bob is not admitted",
    ]


def schedules(world: World) -> list[Faults]:
    """Return every way in which one operation of a run can go wrong."""
    counting = Faults()
    world.copy().sequencer(counting.wrap).sequence()
    return [Faults(at, fault) for at, (_, kinds) in enumerate(counting.done) for fault in kinds]


@pytest.mark.parametrize("kind", quickly(["all", "refusals", "entries"], ["all"]))
@pytest.mark.parametrize("base", quickly([0, 250], [250]))
def test_survives_a_fault_at_every_operation(base: int, kind: str) -> None:
    """Whatever happens to one run, each submission is decided once, and the next run finishes."""
    world = with_inbox(base, good=kind != "refusals", junk=kind != "entries")
    expected = submitted(world)
    for faults in schedules(world):
        here = world.copy()
        with explained(lambda faults=faults: str(faults)):
            try:
                here.sequencer(faults.wrap).sequence()
            except (Died, AccessError, Unfinished):
                check_submitted(here, expected, complete=False)
            here.sequencer().sequence()
            check_submitted(here, expected, complete=True)


def test_survives_faults_one_after_the_other() -> None:
    """Runs that go wrong at random places, then one that does not: everything is decided once."""
    rng = printed_random()
    for _ in range(15):
        world = with_inbox(rng.choice([0, 3, 250]))
        expected = submitted(world)
        for _ in range(rng.randrange(1, 5)):
            faults = Faults(rng.randrange(40), pick=rng)
            with explained(lambda faults=faults: str(faults)):
                with suppress(Died, AccessError, Unfinished):
                    world.sequencer(faults.wrap).sequence(Limits(objects=rng.choice([1, 2, 100])))
                check_submitted(world, expected, complete=False)
        finish_all(world, expected)


def test_an_add_does_not_take_a_submission_for_its_own() -> None:
    """Entries that wait to be published as somebody's submission are added all the same: both are in the log."""
    world = World().grown(3)
    submit(world, "bob", 1, format_submission(GOOD["bob"][0]))
    counting = Faults()
    world.copy().sequencer(counting.wrap).sequence()
    swap = [what for what, _ in counting.done].index("private swap head")
    with pytest.raises(Died):
        world.sequencer(Faults(swap, Fault.DIES).wrap).sequence()
    assert world.size() == 5
    done = world.sequencer().append(GOOD["bob"][0])
    assert (done.first_index, done.count) == (5, 2)
    world.check(orphans=True, repeated=GOOD["bob"][0])


@pytest.mark.parametrize("other", [Sequencing("second"), ONE], ids=["sequence", "add"])
def test_two_runs_at_once(other: Action) -> None:
    """Two runs, or a run and an `add`, meet after any number of steps: everything is decided once."""
    world = with_inbox(3)
    expected = submitted(world)
    actions = (Sequencing("first"), other)
    every = list(pairs(world, actions))
    rng = random.Random(len(every))
    for i, j in rng.sample(every, min(len(every), 30)):
        with race(world, *actions) as two:
            first, second = two.writers
            two.step(first, i)
            two.step(second, j)
            two.finish(first)
            two.finish(second)
            two.check()
            finish_all(two.world, expected)


@pytest.mark.parametrize("deaths", [0.0, 0.3])
def test_runs_and_adds_in_any_order(deaths: float) -> None:
    """Three writers go on in bursts, some die: everything is decided once."""
    rng = printed_random()
    for _ in range(30):
        world = with_inbox(rng.choice([0, 3, 250]))
        expected = submitted(world)
        rest = shuffled(world, rng, Sequencing("first"), ONE, Sequencing("second"), deaths=deaths)
        finish_all(rest, expected)


def test_answers_say_what_was_decided() -> None:
    """What a run says it took is logged where it says."""
    world = with_inbox(250)
    done = world.sequencer().sequence()
    assert isinstance(done, Sequenced)
    entries = world.committed()
    assert entries is not None
    expected = [entry for name in done.took for entry in dict(submitted(with_inbox(250)))[name]]
    assert list(entries[done.first_index : done.first_index + done.count]) == expected


def test_zombie() -> None:
    """A run that stops before any step for longer than another full run takes, then goes on, changes nothing."""
    world = with_inbox(3)
    expected = submitted(world)
    with race(world, Sequencing("zombie")) as alone:
        alone.finish(alone.writers[0])
        steps = len(alone.schedule)
    for at in range(1, steps):
        with race(world, Sequencing("zombie")) as two:
            zombie = two.writers[0]
            two.step(zombie, at)
            two.world.pass_time(1000.0)
            two.world.sequencer().sequence()
            two.finish(zombie)
            finish_all(two.world, expected)


def test_faults_are_possible() -> None:
    """The matrix has a fault of each kind."""
    kinds = {faults.fault for faults in schedules(with_inbox(0))}
    assert kinds == set(Fault)


def test_what_is_committed_only() -> None:
    """Nothing is signed: public part and anchor stay, for another run to go on; until then no more is committed."""
    world = with_inbox(3)
    expected, before = submitted(world), world.contents()
    done = world.sequencer().sequence(publish=False)
    assert (done.published, done.count, done.checkpoint.tree.size) == (False, 6, 3)
    assert [role for role, objects in world.contents().items() if before[role] != objects] == ["private"]
    with pytest.raises(Unfinished, match="the tree of size 9 is committed, and not published yet"):
        world.sequencer().sequence(publish=False)
    assert world.sequencer().finish().tree.size == 9
    check_submitted(world, expected, complete=True)
    assert world.sequencer().sequence(publish=False).published
