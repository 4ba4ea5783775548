"""The commit protocol as a model: every interleaving of a few runs, and every classic mistake."""

from __future__ import annotations

import pytest

from tests.model.commit import STEPS
from tests.model.explore import Violation, explore
from tests.model.mistakes import Mistake
from tests.model.scenarios import FOUND, LARGE, SMALL


@pytest.mark.parametrize("name", SMALL)
def test_no_interleaving_breaks_a_promise(name: str) -> None:
    """Whoever runs at the same time, pauses or dies, and whatever storage gives back: the promises hold."""
    explore(SMALL[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_no_interleaving_of_more_runs_breaks_a_promise(name: str) -> None:
    """The same with more runs and entries."""
    explore(LARGE[name])


@pytest.mark.parametrize("mistake", Mistake, ids=lambda mistake: mistake.name)
def test_mistake_is_found(mistake: Mistake) -> None:
    """Each rule of the protocol is needed: without it the model finds a way to break a promise."""
    scenario, problem = FOUND[mistake]
    with pytest.raises(Violation, match=problem):
        explore(SMALL[scenario]._replace(mistake=mistake))


def test_every_step_is_explored() -> None:
    """No step of the protocol is out of the small scenarios' reach, and neither is any refusal."""
    restored = ("restored head", "restored head, sequence", "restored log and anchor")
    names = ("sequence and add", "lost staging", "removed checkpoint", *restored)
    at = frozenset[str]().union(*(explore(SMALL[name]).at for name in names))
    assert at >= {*STEPS, "end"}
    assert {place for place in at if place.startswith("refused")} == {
        "refused: the checkpoint was put back or removed",
        "refused: the head was put back",
        "refused: the head was put back, more was signed",
        "refused: another tree of this size was signed",
        "refused: the committed batch is lost",
        "refused: a tile is there with another content",
        "refused: the tree does not extend what was signed",
        "refused: the witness saw another tree",
        "refused: the published tree does not have what was committed",
    }
