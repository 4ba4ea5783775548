"""Power cuts while submissions are put and decided, and while a log is repaired.

A submission that was acknowledged is in the inbox, or logged once, or refused, as it should be, and is decided only
once. What a repair replaces or removes is kept; what it has reported stays right, and one that was cut short is made
again. All else that is promised after a cut (`test_power_cuts`) holds too.
"""

from __future__ import annotations

import random

import pytest

from tests.support.power_machine import SYSTEMS, Action, System, judge_all
from tests.support.power_scenes import (
    OTHERS,
    a_few,
    deaths,
    deciding,
    filed,
    filing,
    grown,
    held,
    intake,
    mending,
    race,
    repaired,
)
from tests.support.reference import printed_random
from tests.support.sampling import quickly, soaking

NEXT: tuple[Action, ...] = (OTHERS, "sequence")
MOST = 1024  # choices for which all states are looked at

each_system = pytest.mark.parametrize("system", SYSTEMS, ids=str)
some_systems = pytest.mark.parametrize("system", quickly(SYSTEMS, [SYSTEMS[0], SYSTEMS[3]]), ids=str)


# ---- submissions


@pytest.mark.parametrize(("system", "base"), list(zip(SYSTEMS, [0, 250, 253, 0], strict=True)), ids=str)
def test_a_cut_while_submissions_are_decided(system: System, base: int) -> None:
    """Whatever a cut leaves of submitting and of deciding, nothing is lost, logged twice, or decided again."""
    assert judge_all(intake(system, base=base), 64, printed_random(), NEXT) > 20


@some_systems
def test_a_cut_while_a_file_is_published(system: System) -> None:
    """No state has an entry whose file is not there whole, or something else in its place; the next run goes on."""
    assert judge_all(filed(system), soaking(8, MOST), printed_random(), ["sequence"]) > 20


@pytest.mark.slow
@each_system
def test_a_cut_after_any_death_while_files_are_published(system: System) -> None:
    """What a dead run has published is made to last before the next one commits on its account, whenever it died."""
    rng = printed_random()
    for machine in deaths(filing(system), a_few(rng, soaking(0.15, 1.0))):
        judge_all(machine, soaking(16, MOST), rng, soaking((rng.choice(NEXT),), NEXT))


@some_systems
def test_a_cut_beside_what_cannot_be_deleted(system: System) -> None:
    """That it is decided lasts before the staged batch goes, and its deletion lasts before the record goes."""
    assert judge_all(held(system), 16, printed_random(), NEXT) > 10


@some_systems
def test_a_cut_after_a_death_while_deciding(system: System) -> None:
    """What a dead run has decided is made to last before a submission goes on its account (a sample)."""
    rng = printed_random()
    for machine in deaths(deciding(system), a_few(rng, 0.01)):
        judge_all(machine, 8, rng, [rng.choice(NEXT)])


@pytest.mark.slow
@each_system
def test_a_cut_after_any_death_while_deciding(system: System) -> None:
    """What a dead run has decided is made to last before a submission goes on its account, whenever it died."""
    rng = printed_random()
    for machine in deaths(deciding(system), a_few(rng, soaking(0.15, 1.0))):
        judge_all(machine, soaking(16, MOST), rng, soaking((rng.choice(NEXT),), NEXT))


def race_and_cut(system: System, rng: random.Random) -> None:
    """Cut the power at some moments of a race of two runs that decide, or of one and whoever submits or adds."""
    machine = grown(system, rng.choice([3, 250])).copy()
    machine.act("submit", "submit too much")
    others: list[Action] = ["sequence", "submit", OTHERS]
    race(machine, rng, ["sequence", rng.choice(others)])
    machine.moments = rng.sample(machine.moments, 4)
    judge_all(machine, 4, rng, ["sequence"])


@some_systems
def test_a_cut_while_two_runs_decide(system: System) -> None:
    """A cut at any moment of two processes' work loses no submission, and none is decided twice (a sample)."""
    rng = printed_random()
    for _ in range(3):
        race_and_cut(system, rng)


@pytest.mark.slow
@each_system
def test_a_cut_while_two_runs_decide_for_long(system: System) -> None:
    """The same, for minutes."""
    rng = printed_random()
    for _ in range(soaking(60, 1000)):
        race_and_cut(system, rng)


# ---- repairing


@some_systems
def test_a_cut_while_a_log_is_repaired(system: System) -> None:
    """What was wrong is in place or set aside, the next repair finishes, and what was reported done stays so."""
    assert judge_all(repaired(system), 16, printed_random(), NEXT) > 20


@some_systems
def test_a_cut_after_a_death_while_repairing(system: System) -> None:
    """A repair that finds done what a dead one did makes that last before it says that all is right (a sample)."""
    rng = printed_random()
    # the last one did not die, the one before only lacked its last sync
    for machine in deaths(mending(system), lambda calls: [rng.choice(calls[:-2]), *calls[-2:]]):
        judge_all(machine, 4, rng, ["finish"])


@pytest.mark.slow
@each_system
def test_a_cut_after_any_death_while_repairing(system: System) -> None:
    """A repair that finds done what a dead one did makes that last before it says so, whenever that died."""
    rng = printed_random()
    for machine in deaths(mending(system)):
        judge_all(machine, soaking(16, MOST), rng, [OTHERS])
