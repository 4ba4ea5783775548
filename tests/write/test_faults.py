"""The fault matrix: every store operation of a run goes wrong in every way, and the next runs put it right.

What must be in the log after each run is told by a model of one line per outcome (`Story.run`); `check_log` audits all
of it. On failure the schedule is in the error's note.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.support.fault_matrix import FULL, PLACES, QUICK, Folders, in_memory, matrix
from tests.support.faults import Faults
from tests.support.reference import printed_random
from tests.support.sampling import soaking
from tests.support.stories import (
    BASES,
    NEXT,
    OURS,
    Action,
    Story,
    grown,
    interrupted,
    schedules,
    settle,
)
from tests.support.world import World, explained, some_entries


@pytest.fixture(params=PLACES)
def folders(request: pytest.FixtureRequest, tmp_path: Path) -> Folders:
    """Return what gives each story a place of its own."""
    return PLACES[request.param](tmp_path)


# ---- one fault, everywhere


def taken(where: str, how: str) -> int:
    """Return one in how many schedules is run: in memory, or in directories."""
    return 1 if how != QUICK else {"memory": 12, "directory": 80}[where]


@pytest.mark.parametrize("how", [QUICK, FULL])
@pytest.mark.parametrize("where", ["memory", "directory"])
@pytest.mark.parametrize("then", NEXT)
@pytest.mark.parametrize("base", BASES)
def test_append_survives_a_fault_at_every_operation(base: int, then: str, where: str, how: str, tmp_path: Path) -> None:
    """Whatever goes wrong at any operation of an append, the next run finishes it: nothing lost, twice or forked."""
    assert matrix(grown(base), PLACES[where](tmp_path), OURS, NEXT[then], taken(where, how)) > 100


@pytest.mark.parametrize("how", [QUICK, FULL])
@pytest.mark.parametrize("where", ["memory", "directory"])
@pytest.mark.parametrize("then", ["create", "other", "nothing"])
def test_create_survives_a_fault_at_every_operation(then: str, where: str, how: str, tmp_path: Path) -> None:
    """Whatever goes wrong while a log is created, creating it again, or the next run, finishes it."""
    next_one = NEXT.get(then, "create")
    assert matrix(World(), PLACES[where](tmp_path), "create", next_one, taken(where, how)) > 50


@pytest.mark.parametrize("how", [QUICK, FULL])
@pytest.mark.parametrize("where", ["memory", "directory"])
@pytest.mark.parametrize("then", NEXT)
def test_finishing_survives_a_fault_at_every_operation(then: str, where: str, how: str, tmp_path: Path) -> None:
    """Whatever goes wrong while a dead run's work is finished, the next run finishes it."""
    assert matrix(interrupted(), PLACES[where](tmp_path), "finish", NEXT[then], taken(where, how)) > 50


# ---- a fault in the run, another one in the run that recovers, and so on


def troubled(story: Story, rng: random.Random, runs: int) -> None:
    """Take some runs, most with a fault somewhere; the schedule is in the note of what fails."""
    done: list[str] = []
    with explained(lambda: "\n".join(done)):
        for number in range(runs):
            committed = story.world.committed()
            fresh = some_entries(f"run {number}", rng.choice([1, 2, 10, 250, 257]))
            actions: list[Action] = [fresh, fresh, story.unpublished(committed) or fresh, "finish"]
            action = rng.choice(actions) if committed is not None else "create"
            at = rng.randrange(50) if rng.random() < 0.8 else None
            faults = Faults(at, pick=rng, backward=rng.random() < 0.5)
            done.append(f"{action[0]!r}" if isinstance(action, list) else action)
            ended = story.run(action, faults)
            done[-1] += f" {faults}: {'ended' if ended else 'stopped'}"
        settle(story)


@pytest.mark.parametrize("base", BASES)
def test_a_second_fault_in_the_run_that_recovers(base: int, folders: Folders) -> None:
    """A fault in a run, and one in the run after it, at any two operations (sampled), and the third one finishes."""
    rng = printed_random()
    world = grown(base)
    for first in schedules(world, OURS):
        if rng.random() < (0.2 if folders is in_memory else 0.05):
            story = Story(world.copy(folders()))
            second = Faults(rng.randrange(45), pick=rng)
            then = rng.choice(list(NEXT.values()))
            with explained(lambda: f"{first}, then {then} with {second}"):  # noqa: B023
                story.run(OURS, first)
                story.run(then, second)
                settle(story)
            story.world.remove()


def test_trouble_without_end(folders: Folders) -> None:
    """Runs of all kinds, faults anywhere in most of them: the log stays sound, and goes on."""
    rng = printed_random()
    for _ in range(25 if folders is in_memory else 8):
        story = Story(World(folders()))
        troubled(story, rng, 12)
        story.world.remove()


@pytest.mark.slow
def test_trouble_without_end_for_long(folders: Folders) -> None:
    """The same, for minutes."""
    rng = printed_random()
    for _ in range(soaking(15, 300)):
        story = Story(World(folders()))
        troubled(story, rng, 40)
        story.world.remove()
