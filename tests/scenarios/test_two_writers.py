"""Two writers on one log, stepped from store operation to store operation through thousands of schedules.

Neither may fail, whatever the other one does in between; afterwards `check_log` audits the log. Three kinds of
schedule: one writer is paused before an operation while the other one does all its work (a zombie); both are paused at
any pair of operations; and random ones. On failure the schedule is in the error's note, the seed is printed.
"""

from __future__ import annotations

import random

import pytest

from tests.support.races import (
    BASES,
    CREATE,
    FINISH,
    ONE,
    SEVEN,
    TEN,
    Action,
    deaths,
    grown,
    interrupted,
    meet,
    pairs,
    race,
    shuffled,
    steps_alone,
    zombies,
)
from tests.support.reference import printed_random
from tests.support.sampling import quickly, soaking
from tests.support.world import World

# ---- one pauses, the other one does all its work, the first one goes on


@pytest.mark.parametrize("base", BASES)
def test_a_writer_paused_before_any_operation_goes_on_as_a_zombie(base: int) -> None:
    """A writer that wakes up at any point of its run, with another's whole run behind it, does no harm and succeeds."""
    zombies(grown(base), (TEN, SEVEN))


@pytest.mark.parametrize("base", BASES)
def test_a_writer_that_never_wakes_up_keeps_nobody_from_writing(base: int) -> None:
    """A writer that dies before any operation leaves the other one to finish its work; its entries are there once."""
    deaths(grown(base), (TEN, SEVEN))


@pytest.mark.parametrize("actions", [(CREATE, CREATE), (CREATE, SEVEN), (FINISH, SEVEN)])
def test_a_zombie_that_creates_or_finishes(actions: tuple[Action, Action]) -> None:
    """Creating and finishing, too, may be paused before any operation while another writer does all its work."""
    world = World() if actions == (CREATE, CREATE) else grown(0)
    zombies(world, actions)


def test_a_retry_that_has_found_its_own_batch_takes_it_as_its_own() -> None:
    """Entries of a dead run that its retry has found unpublished are logged once, whoever publishes them meanwhile."""
    world = interrupted("public create tile")
    for pause in range(steps_alone(world, TEN)):
        with race(world, TEN, SEVEN) as two:
            again, other = two.writers
            two.step(again, pause)
            found = any("read staging/" in each for each in again.trace[:-1])
            two.finish(other)
            two.finish(again)
            two.check(repeated=() if found else TEN.entries)


# ---- both are paused, at any pair of operations


@pytest.mark.parametrize("part", quickly([0.2, 1], [0.2]))
def test_two_appends_meet_at_every_pair_of_operations(part: float) -> None:
    """Whichever two operations two appends are stopped at, both end well: two batches, one log."""
    rng = printed_random()
    world = grown(3)
    for i, j in pairs(world, [TEN, SEVEN]):
        if rng.random() < part:
            meet(world, [TEN, SEVEN], i, j)


def test_two_writers_meet_over_the_work_of_a_third_that_died() -> None:
    """The same where a third one's batch is committed and not published, whoever finishes it (sampled)."""
    rng = printed_random()
    world = interrupted("public create tile")
    for i, j in pairs(world, [SEVEN, ONE]):
        if rng.random() < 0.03:
            meet(world, [SEVEN, ONE], i, j)


def retry_meets_another(world: World, part: float, rng: random.Random) -> None:
    """Pause a retry, which has found its own batch unpublished, and another writer, at that part of all pairs."""
    for i, j in pairs(world, [TEN, SEVEN]):
        if rng.random() < part:
            with race(world, TEN, SEVEN) as two:
                again, other = two.writers
                two.step(again, i)
                found = any("read staging/" in each for each in again.trace[:-1])
                two.step(other, j)
                two.finish(again)
                two.finish(other)
                two.check(repeated=() if found else TEN.entries)


def test_a_retry_meets_another_writer() -> None:
    """Entries of a dead run that its retry has found unpublished are logged once, at any two operations (sampled)."""
    retry_meets_another(interrupted("public swap checkpoint"), 0.1, printed_random())


@pytest.mark.slow
@pytest.mark.parametrize("what", ["public create tile", "anchor swap", "public swap checkpoint"])
def test_a_retry_meets_another_writer_everywhere(what: str) -> None:
    """The same at many pairs, for several moments of the death."""
    retry_meets_another(interrupted(what), soaking(0.3, 1.0), printed_random())


def test_two_writers_meet_over_half_a_beginning() -> None:
    """The one thing of a beginning that appends make up for, the copy of the policy, is no matter for a quarrel."""
    with race(World(), CREATE) as beginning:
        while "swap policy.txt" not in beginning.writers[0].trace[-1]:
            beginning.step(beginning.writers[0])
        beginning.writers[0].kill()
        world = beginning.world
    rng = printed_random()
    for i, j in pairs(world, [ONE, SEVEN]):
        if rng.random() < 0.3:
            meet(world, [ONE, SEVEN], i, j)


@pytest.mark.slow
@pytest.mark.parametrize("base", BASES)
def test_two_writers_meet_everywhere(base: int) -> None:
    """The same for more logs and more kinds of runs, at every pair."""
    world = grown(base)
    for actions in ([TEN, SEVEN], [TEN, FINISH], [CREATE, SEVEN]):
        for i, j in pairs(world, actions):
            meet(world, actions, i, j)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["private swap head", "public create tile", "anchor swap", "public swap checkpoint"])
def test_two_writers_meet_over_anything_left_by_a_third(what: str) -> None:
    """The same at many pairs, over a third one that died before any of these."""
    rng = printed_random()
    world = interrupted(what)
    for i, j in pairs(world, [SEVEN, ONE]):
        if rng.random() < soaking(0.3, 1.0):
            meet(world, [SEVEN, ONE], i, j)


# ---- at random


@pytest.mark.parametrize("base", BASES)
def test_two_appends_interleaved_at_random(base: int) -> None:
    """Two appends in small turns, in random order."""
    rng = printed_random()
    world = grown(base)
    for _ in range(25):
        shuffled(world, rng, TEN, SEVEN)


def test_three_writers_some_of_which_die() -> None:
    """Three appends in random turns, each of which may die on the way: the others do not mind."""
    rng = printed_random()
    for world in [grown(250), interrupted("public create tile"), interrupted("private delete")]:
        for _ in range(12):
            shuffled(world, rng, SEVEN, ONE, FINISH, deaths=0.02)


def test_two_writers_begin_a_log_at_random() -> None:
    """Two `create` in random turns: both succeed, there is one log."""
    rng = printed_random()
    for _ in range(25):
        shuffled(World(), rng, CREATE, CREATE)


@pytest.mark.slow
def test_many_schedules() -> None:
    """The random ones, for minutes."""
    rng = printed_random()
    worlds = [*map(grown, BASES), interrupted("public create tile"), interrupted("public swap checkpoint")]
    for _ in range(soaking(400, 4000)):
        shuffled(rng.choice(worlds), rng, SEVEN, ONE, deaths=rng.choice([0, 0.02]))
