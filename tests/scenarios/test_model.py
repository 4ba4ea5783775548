"""The commit protocol as a model: every interleaving of a few runs, and every classic mistake."""

from __future__ import annotations

import pytest

from tests.model.explore import STEPS, Violation, explore
from tests.model.mistakes import Mistake
from tests.model.scenarios import (
    ADOPTING,
    ASKING,
    DECIDING,
    FOUND,
    FREEZING,
    LARGE,
    LOOKING,
    REACHED,
    REBUILDING,
    SMALL,
    TOGETHER,
    VISITING,
)
from tests.support.sampling import quickly, soaking

# what ends in a moment; the others are for the soak
SHORT = (
    "refusal",
    "restored log",
    "restored log and anchor",
    "pending",
    "pending, restored head",
    "sequence, lost replies",
    "held",
    "once",
    "lost head, a second batch",
    "keys, two runs",
    "lost head, a witness",
    "lost private part, pending",
)
QUICK = [mistake for mistake in Mistake if FOUND[mistake][0] in SHORT]


@pytest.mark.parametrize("name", quickly(SMALL, SHORT))
def test_no_interleaving_breaks_a_promise(name: str) -> None:
    """Whoever runs at the same time, pauses or dies, and whatever storage gives back: the promises hold.

    Runs come to all the steps that the table says, and are refused in all the ways that it says.
    """
    setup = SMALL[name]
    unreached, refusals = REACHED[name]
    absent = set() if setup.holds else DECIDING
    steps = {*STEPS} - absent - (set() if setup.freeze else FREEZING) - (set() if setup.adopt else ADOPTING)
    steps -= set() if setup.rebuild else REBUILDING
    steps -= set() if setup.visits else VISITING
    steps -= set() if setup.together else TOGETHER
    steps -= set() if setup.rebuild and setup.witness else ASKING
    steps -= set() if setup.rebuild and setup.visits else LOOKING
    assert explore(setup).at - {"end"} == steps - unreached | {f"refused: {why}" for why in refusals}


def test_every_step_is_explored() -> None:
    """No step of the protocol is out of the small scenarios' reach."""
    assert set.intersection(*(unreached for unreached, _ in REACHED.values())) == set()


# half a minute or more each
LONG = {
    "large: lost staging",
    "large: removed checkpoint",
    "large: three writers",
    "large: adds of several batches",
    "large: restored head",
    "large: lost head, a tile in the way",
    "large: lost private part",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", soaking([name for name in LARGE if name not in LONG], LARGE))
def test_no_interleaving_of_more_runs_breaks_a_promise(name: str) -> None:
    """The same with more runs and entries."""
    explore(LARGE[name])


@pytest.mark.parametrize("mistake", quickly(Mistake, QUICK), ids=lambda mistake: mistake.name)
def test_mistake_is_found(mistake: Mistake) -> None:
    """Each rule of the protocol is needed: without it the model finds a way to break a promise."""
    scenario, problem = FOUND[mistake]
    with pytest.raises(Violation, match=problem):
        explore((SMALL | LARGE)[scenario]._replace(mistake=mistake))
