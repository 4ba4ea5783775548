"""From a committed tree to its checkpoint, where nobody disturbs and where others were quicker."""

from __future__ import annotations

import pytest

from tests.support.faults import Died, Fault, Faults, GatedStore
from tests.support.world import NOW, World, some_entries
from tiles.write.results import Made

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


# ---- what a run has published, and what it has only found published


def faulty(world: World, what: str, fault: Fault) -> Faults:
    """Return faults by which the first operation of that name in an append of NEW goes wrong."""
    counting = Faults()
    world.copy().sequencer(counting.wrap).append(NEW)
    return Faults(next(at for at, (name, _) in enumerate(counting.done) if name.startswith(what)), fault)


def test_what_a_run_has_published() -> None:
    """Its own checkpoints are counted, once; a run that finds all done has published nothing."""
    world = World().grown(3)
    writer = world.sequencer()
    writer.append(NEW)
    assert (writer.made(), writer.made()) == (Made(1), Made())
    writer.finish()
    assert writer.made() == Made()


def test_what_was_finished_for_an_earlier_run() -> None:
    """The batch of a run that died is named apart from what this run has added itself."""
    world = World().grown(3)
    with pytest.raises(Died):
        world.sequencer(faulty(world, "public create tile/", Fault.DIES).wrap).append(NEW)
    world.acknowledged.append((3, NEW))
    world.pass_time(1000.0)
    writer = world.sequencer()
    writer.append([b"more"])
    assert writer.made() == Made(2, ((3, 10),))


def test_what_others_have_published() -> None:
    """A run died after it had published, or another one was quicker: nothing was published here."""
    world = World().grown(3)
    with pytest.raises(Died):
        world.sequencer(faulty(world, "private delete", Fault.DIES).wrap).append(NEW)
    world.acknowledged.append((3, NEW))
    writer = world.sequencer()
    writer.finish()
    assert writer.made() == Made()
    slow, overtaken = world.overtaken()
    slow.append([b"more"])
    assert overtaken
    assert slow.made() == Made()
    with pytest.raises(Died):
        world.sequencer(faulty(world, "public create tile/", Fault.DIES).wrap).append(NEW)
    world.acknowledged.append((14, NEW))
    world.pass_time(1000.0)
    overtaken.clear()
    slow.finish()
    assert overtaken
    assert slow.made() == Made()


def test_a_lost_answer_is_no_doubt() -> None:
    """The swap of the checkpoint was made and its answer is lost: it is read again, and counts as published here."""
    world = World().grown(3)
    for fault in (Fault.DONE_UNKNOWN, Fault.NOT_DONE_UNKNOWN):
        writer = world.sequencer(faulty(world, "public swap checkpoint", fault).wrap)
        writer.append(NEW)
        assert writer.made() == Made(1)
