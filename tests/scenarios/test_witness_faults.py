"""Faults and races of a log that needs witnesses: each request to one is an operation that may go wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fault_matrix import FULL, PLACES, QUICK, matrix
from tests.support.faults import Fault, Faults
from tests.support.races import ONE, TEN, deaths, meet, pairs, shuffled, zombies
from tests.support.reference import printed_random
from tests.support.sampling import one_in
from tests.support.stories import NEXT, OURS, Story, operations
from tests.support.world import World


def witnessed(k: int, *counts: int) -> World:
    """Return a log whose policy takes k of three witnesses."""
    return World().witnessed(k, 3).grown(*counts)


@pytest.mark.parametrize("how", [QUICK, FULL])
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("then", NEXT)
def test_append_survives_a_fault_at_every_operation(then: str, k: int, how: str, tmp_path: Path) -> None:
    """Whatever goes wrong at any store or witness, the next run publishes the same tree, with its quorum."""
    n = 24 if how == QUICK else 1
    assert matrix(witnessed(k, 250), PLACES["memory"](tmp_path), OURS, NEXT[then], n) > 100


@pytest.mark.parametrize("how", [QUICK, FULL])
@pytest.mark.parametrize("then", ["create", "other"])
def test_create_survives_a_fault_at_every_operation(then: str, how: str, tmp_path: Path) -> None:
    """So it does while a log is begun, whose empty tree is cosigned, too."""
    n = 12 if how == QUICK else 1
    world = World().witnessed(3, 3)
    assert matrix(world, PLACES["memory"](tmp_path), "create", NEXT.get(then, "create"), n) > 50


@pytest.mark.parametrize("how", [QUICK, FULL])
def test_finishing_survives_a_fault_at_every_operation(how: str, tmp_path: Path) -> None:
    """So it does while a dead run's work is finished, part of which the witnesses have seen."""
    world = witnessed(3, 250)
    names = [name for name, _ in operations(world, OURS)]
    for what in one_in(1, ["private swap head", "public swap pending", names[-1]]):
        died = world.copy()
        if what != names[-1]:
            assert not Story(died).run(OURS, Faults(names.index(what), Fault.DIES))
        n = 24 if how == QUICK else 1
        assert matrix(died, PLACES["memory"](tmp_path), "finish", NEXT["other"], n) > 5


@pytest.mark.parametrize("scheme", ["http", "s3"])
def test_a_run_asks_or_looks_only_for_what_it_lacks(scheme: str) -> None:
    """Three requests for three witnesses, and none where the tree is published."""
    world = World().witnessed(1, 3, scheme)
    if scheme == "http":
        world.grown(3)
        asked = [name for name, _ in operations(world, OURS) if name.startswith("witness")]
        assert asked == [f"witness ask {url}" for url in world.witnesses]
        assert not [name for name, _ in operations(world, "finish") if name.startswith("witness")]


@pytest.mark.parametrize("how", [QUICK, FULL])
def test_two_writers_meet(how: str) -> None:
    """A takes some steps, B takes some, A goes on to its end, then B: the witnesses see both, in whatever order."""
    world = witnessed(2, 250)
    actions = TEN, ONE
    for i, j in one_in(60 if how == QUICK else 1, list(pairs(world, actions))):
        meet(world, actions, i, j)


def test_a_writer_that_slept_finds_the_witnesses_ahead() -> None:
    """It pauses before any of its operations, requests included, until another one has done all its work."""
    zombies(witnessed(2, 3), (TEN, ONE))


def test_a_writer_that_dies_leaves_the_rest_to_the_next() -> None:
    """Before any of its operations, requests included."""
    deaths(witnessed(2, 3), (TEN, ONE))


def test_three_writers_in_any_order() -> None:
    """Bursts of any length; some die."""
    rng = printed_random()
    for _ in range(4):
        shuffled(witnessed(2, 3), rng, TEN, ONE, deaths=0.02)
