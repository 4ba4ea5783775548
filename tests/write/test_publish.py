"""From a committed tree to its checkpoint, where nobody disturbs and where others were quicker."""

from __future__ import annotations

import pytest

from tests.support.faults import Faults, GatedStore
from tests.support.world import NOW, World, some_entries

NEW = some_entries("new", 10)


@pytest.mark.parametrize("base", [0, 250])
def test_an_undisturbed_append_signs_at_the_first_attempt(base: int) -> None:
    """It proves against the anchor that was read at the beginning: no pause, and no second look at it."""
    world = World().grown(*[base] * (base > 0))
    faults = Faults()
    world.sequencer(faults.wrap).append(NEW)
    assert world.now == NOW
    assert [name for name, _ in faults.done if name.startswith("anchor")] == [
        "anchor read anchor",
        "anchor swap anchor",
    ]


def test_a_larger_checkpoint_is_left_in_place() -> None:
    """Another run publishes our tree, and a larger one, before our checkpoint: ours is in the log, no error."""
    world = World().grown(250)
    begun: list[str] = []

    def gate(what: str) -> None:
        if what == "public swap checkpoint" and not begun:
            begun.append(what)
            world.pass_time(1000.0)
            world.append([b"more"])

    done = world.sequencer(lambda store, role: GatedStore(store, role, gate)).append(NEW)
    assert begun
    assert (done.first_index, done.count) == (250, 10)
    assert (world.committed() or ())[250:] == (*NEW, b"more")
    assert world.sequencer().finish().tree.size == 261
