"""One fault at every operation of a run, and what the next run makes of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.faults import Fault
from tests.support.sampling import one_in
from tests.support.stories import Action, Story, schedules, settle
from tests.support.world import World, explained

Folders = Callable[[], Path | None]


def in_memory() -> None:
    """Return the place of a story: memory."""


def in_folders(folder: Path) -> Folders:
    """Return what gives each story a directory of its own."""
    numbers = itertools.count()
    return lambda: folder / str(next(numbers))


PLACES: dict[str, Callable[[Path], Folders]] = {"memory": lambda _: in_memory, "directory": in_folders}


def matrix(base: World, folders: Folders, first: Action, then: Action, n: int = 1) -> int:
    """Run `first` with each fault, then `then` by a new process or, where the first one lives, by itself.

    n   takes one in so many
    """
    every = list(schedules(base, first))
    cases = [(each, False) for each in every] + [(each, True) for each in every if each.fault is not Fault.DIES]
    for schedule, same_process in one_in(n, cases):
        world = base.copy(folders())
        faults = replace(schedule, done=[])
        with explained(lambda: f"{first=} {faults}, then {then=} by {'itself' if same_process else 'another'}"):  # noqa: B023
            story = Story(world)
            writer = world.sequencer(faults.wrap)
            story.run(first, writer=writer)
            assert len(faults.done) > (faults.at or 0), "the run never came to the operation"
            faults.at = None
            if world.committed() is None:
                assert story.run("create", writer=writer if same_process else None)
            assert story.run(then, writer=writer if same_process else None)
            settle(story)
        world.remove()
    return len(cases)


QUICK, FULL = "quick", pytest.param("full", marks=pytest.mark.slow)
