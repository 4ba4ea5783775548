"""Power cuts while a log is published with witnesses, who keep what they have cosigned whatever becomes of the log.

Whatever a cut leaves, each tree that a witness has cosigned is a beginning of the committed one, `pending` is not ahead
of its tiles, lines that a `refresh` has answered with stay published, and the next run meets the quorum. All else that
is promised after a cut (`test_power_cuts`) holds too.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.power_machine import SYSTEMS, Action, Machine, System, judge_all
from tests.support.power_scenes import (
    OTHERS,
    a_few,
    cosigned,
    cosigning,
    deaths,
    refreshed,
    visiting,
)
from tests.support.reference import printed_random
from tests.support.sampling import quickly, soaking

NEXT: tuple[Action, ...] = (OTHERS, "finish", "refresh")
MOST = 1024  # choices for which all states are looked at
SCENES = [cosigned, visiting, refreshed]

each_system = pytest.mark.parametrize("system", SYSTEMS, ids=str)
some_systems = pytest.mark.parametrize("system", quickly(SYSTEMS, [SYSTEMS[0], SYSTEMS[3]]), ids=str)
each_scene = pytest.mark.parametrize("scene", SCENES)


@some_systems
@each_scene
def test_a_cut_while_witnesses_cosign(system: System, scene: Callable[[System], Machine]) -> None:
    """They are asked, or come by themselves, or cosign later (a sample)."""
    rng = printed_random()
    machine = scene(system)
    machine.moments = rng.sample(machine.moments, min(8, len(machine.moments)))
    assert judge_all(machine, 4, rng, [rng.choice(NEXT)]) > 3


@pytest.mark.slow
@each_system
@each_scene
def test_any_cut_while_witnesses_cosign(system: System, scene: Callable[[System], Machine]) -> None:
    """The same for all that a cut may leave."""
    assert judge_all(scene(system), soaking(16, MOST), printed_random(), NEXT) > 30


@some_systems
def test_a_cut_after_a_death_while_witnesses_cosign(system: System) -> None:
    """What a dead run has shown a witness lasts before another one builds on it (a sample)."""
    rng = printed_random()
    for machine in deaths(cosigning(system), a_few(rng, 0.005)):
        judge_all(machine, 4, rng, [rng.choice(NEXT)])


@pytest.mark.slow
@each_system
def test_a_cut_after_any_death_while_witnesses_cosign(system: System) -> None:
    """The same, whenever it died."""
    rng = printed_random()
    for machine in deaths(cosigning(system), a_few(rng, soaking(0.05, 1.0))):
        judge_all(machine, soaking(8, MOST), rng, [rng.choice(NEXT)])
