"""Two machines with one key: random histories of what users do to logs, to copies of them, and to anchors.

Whatever is copied, lost or put back, no two trees are signed that exclude each other, except after somebody adopted an
anchor against its warning. Where the anchor itself is copied, or put back together with the log, machines cannot know;
readers can, so such a fork has to be one that the two checkpoints show.
"""

from __future__ import annotations

import random
import sys
from collections import Counter

import pytest

from tests.support.machines import Fork, History
from tests.support.reference import printed_random
from tests.support.sampling import quickly
from tests.support.world import explained
from tiles.write.adopt import Adoption

STEPS = 25


def told(history: History, seed: int) -> str:
    """Return what happened in a history."""
    return "\n".join([f"History({seed})", *history.done])


def forks(rng: random.Random, count: int, *, anchors_too: bool = False) -> int:
    """Return in how many histories two trees exclude each other."""
    found = 0
    for _ in range(count):
        history = History(seed := rng.randrange(2**32), anchors_too=anchors_too)
        try:
            with explained(lambda: told(history, seed)):  # noqa: B023
                history.live(STEPS)
        except Fork:
            found += 1
    return found


@pytest.mark.parametrize("count", quickly([40, 2000], [40]))
def test_no_fork(count: int) -> None:
    """Whatever happens to storage, nothing forks while the anchor stays where it is."""
    rng, signed, outcomes, adopted = printed_random(), 0, Counter[str](), 0
    for _ in range(count):
        history = History(seed := rng.randrange(2**32))
        with explained(lambda: told(history, seed)):  # noqa: B023
            history.live(STEPS)
        outcomes.update(history.outcomes)
        signed += len(history.told.texts)
        adopted += history.is_warned
    came = ", ".join(f"{outcome} {number}" for outcome, number in outcomes.most_common())
    sys.stdout.write(
        f"tried: {count} histories of two machines, each of its own seed: {signed} signatures, 0 forks; {adopted} "
        "ended where an adoption was answered yes against its warning; "
        f"what became of {outcomes.total()} runs: {came}\n"
    )
    assert min(outcomes["Refused"], signed) > count  # they are no idle ones


@pytest.mark.slow
def test_copied_anchors_are_why() -> None:
    """Where anchors are copied, or put back with the log, machines may fork it: so the driver finds what there is."""
    found = forks(printed_random(), 500, anchors_too=True)
    sys.stdout.write(f"tried: 500 histories in which anchors are copied, or put back with the log: {found} forks\n")
    assert found > 5


@pytest.mark.slow
def test_an_old_anchor_has_to_be_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """If an adoption left the old anchor as it is, a log would fork: the driver finds that, too."""
    monkeypatch.setattr(Adoption, "_seal", lambda *_: None)
    assert forks(printed_random(), 600) > 0
