"""What a run knows of the log that it leaves: the state that it would load."""

from __future__ import annotations

from dataclasses import replace

from tests.support.faults import Faults, GatedStore
from tests.support.world import World, some_entries
from tiles.write.ahead import Ahead
from tiles.write.complete import Done
from tiles.write.sequencer import Sequencer

NEW = some_entries("new", 10)


def committed(writer: Sequencer) -> Done | None:
    """Let a writer commit a batch, step by step, and return what it came to."""
    state, _ = writer._recoverer.settle()
    planner = writer._planner(once=False)
    ahead, _ = planner.on(state, writer._steps.tree.right_edge(state.head.tree), Ahead(NEW))
    assert ahead.staged is not None
    return writer._completer.commit(state, *ahead.staged)


def test_what_is_left_is_what_would_be_loaded() -> None:
    """Head, checkpoint, anchor and their versions are those that are there; only when the head was written differs."""
    world = World().grown(3)
    writer = world.sequencer()
    done = committed(writer)
    assert done is not None
    assert done.left is not None
    found = writer._steps.loader.load()
    assert replace(done.left, modified=found.modified) == found


def test_nothing_is_known_of_a_log_that_another_run_has_published() -> None:
    """Another run publishes the tree before this one does: it cannot tell what came after that."""
    world = World().grown(3)
    slow, overtaken = world.overtaken()
    done = committed(slow)
    assert overtaken
    assert done is not None
    assert done.left is None


def test_a_lost_race_leaves_nothing() -> None:
    """Another writer was first: nothing is committed, and no tile is written."""
    world = World().grown(3)
    others = iter([b"other"])

    def gate(what: str) -> None:
        if what == "private swap head" and (entry := next(others, None)):
            world.append([entry])

    faults = Faults()
    assert committed(world.sequencer(lambda store, role: GatedStore(faults.wrap(store, role), role, gate))) is None
    assert not [what for what, _ in faults.done if what.startswith("public create")]
