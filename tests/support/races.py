"""Writers of one log that are stepped from store operation to store operation, by a schedule."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

from tests.support.faults import Died, Faults, GatedStore, Stepped
from tests.support.witnesses import InProcess
from tests.support.world import World, explained, some_entries
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.store import Store
from tiles.write.cosign import Witnessing
from tiles.write.results import Appended
from tiles.write.sequencer import Sequencer

Writer = Stepped[Appended | SignedCheckpoint]

BASES = (0, 3, 250, 256)


@dataclass(frozen=True)
class Action:
    """What a writer does: append its entries, or what it is called if it has none."""

    name: str
    entries: tuple[bytes, ...] = ()

    def __call__(self, sequencer: Sequencer) -> Appended | SignedCheckpoint:
        """Do it."""
        if self.entries:
            return sequencer.append(self.entries)
        return sequencer.create() if self.name == "create" else sequencer.finish()


TEN = Action("ten", tuple(some_entries("ten", 10)))
SEVEN = Action("seven", tuple(some_entries("seven", 7)))
ONE = Action("one", tuple(some_entries("one", 1)))
CREATE = Action("create")
FINISH = Action("finish")
NOTHING: Mapping[str, Faults] = {}


class Race:
    """Some writers of one log, each waiting before its first store operation."""

    def __init__(self, world: World, actions: Sequence[Action], lost: Mapping[str, Faults]) -> None:
        self.world = world
        self.lost = lost
        self.schedule: list[str] = []
        self.actions = actions
        self.writers = [self._writer(name, action) for name, action in zip("ABC", actions, strict=False)]

    def _writer(self, name: str, action: Action) -> Writer:
        def body(writer: Writer) -> Appended | SignedCheckpoint:
            faults = self.lost.get(name, Faults())

            def wrap(store: Store, role: str) -> Store:
                return GatedStore(faults.wrap(store, role), role, writer.gate)

            def sleep(seconds: float) -> None:
                self.world.pass_time(seconds)
                writer.gate("sleep")

            how = Witnessing(ways=InProcess(self.world.witnesses, faults, writer.gate))
            return action(self.world.sequencer(wrap, sleep=sleep, how=how))

        return Stepped(name, body)

    def step(self, writer: Writer, times: int = 1) -> None:
        """Let a writer take one step, or so many."""
        self.schedule += [writer.name] * times
        writer.step(times)

    def finish(self, writer: Writer) -> None:
        """Let a writer go on to its end."""
        self.schedule += [writer.name] * writer.finish(5000)

    def check(self, *, dead: Sequence[str] = (), repeated: Sequence[bytes] = ()) -> None:
        """Hold the log against what the writers were told; all but the dead ones must have come to a good end."""
        for writer, action in zip(self.writers, self.actions, strict=True):
            if writer.name not in dead:
                done = writer.outcome()
                if isinstance(done, Appended):
                    self.world.acknowledged.append((done.first_index, action.entries))
        if dead:
            self.world.sequencer().finish()
        self.world.check(orphans=True, repeated=repeated)

    def __str__(self) -> str:
        runs = [f"{name}{len(list(steps))}" for name, steps in groupby(self.schedule)]
        traces = [f"{writer.name}: {', '.join(writer.trace)}" for writer in self.writers]
        return "\n".join([f"schedule {' '.join(runs)}", *traces])


@contextmanager
def race(world: World, *actions: Action, lost: Mapping[str, Faults] = NOTHING) -> Iterator[Race]:
    """Give a race to the test, with its schedule in the note of what fails; no thread is left behind.

    lost   what goes wrong for the writer of that name
    """
    running = Race(world.copy(), actions, lost)
    with explained(lambda: str(running)):
        try:
            yield running
        finally:
            for writer in running.writers:
                writer.kill()


def steps_alone(world: World, action: Action) -> int:
    """Return how many operations an undisturbed writer makes."""
    with race(world, action) as alone:
        alone.finish(alone.writers[0])
        alone.check()
        return len(alone.schedule)


def grown(base: int) -> World:
    """Return a log of that size."""
    return World().grown(*[base] * (base > 0))


def interrupted(what: str) -> World:
    """Return a log of 250 entries to which a writer was adding TEN; it died right before an operation of that name."""
    world = grown(250)
    with race(world, TEN) as dying:
        writer = dying.writers[0]
        while what not in writer.trace[-1]:
            dying.step(writer)
        writer.kill()
        assert isinstance(writer.error, Died)
        found = dying.world
    if found.size() > 250:
        found.acknowledged.append((250, TEN.entries))
    return found


def pairs(world: World, actions: Sequence[Action]) -> Iterator[tuple[int, int]]:
    """Yield how many steps each of two writers takes before the other one goes on, every combination."""
    first, second = (steps_alone(world, action) for action in actions)
    for i in range(1, first + 1):
        for j in range(1, second + 1):
            yield i, j


def meet(world: World, actions: Sequence[Action], i: int, j: int, *, lost: Mapping[str, Faults] = NOTHING) -> None:
    """Take i steps of A, j of B, then all of A, then the rest of B. lost: as `race` takes it."""
    with race(world, *actions, lost=lost) as two:
        first, second = two.writers
        two.step(first, i)
        two.step(second, j)
        two.finish(first)
        two.finish(second)
        two.check()


def zombies(world: World, actions: Sequence[Action]) -> None:
    """Pause the first writer before any of its operations until the second one has done all its work."""
    first, second = actions
    for pause in range(steps_alone(world, first)):
        meet(world, (second, first), 0, pause)


def deaths(world: World, actions: Sequence[Action]) -> None:
    """Let the first writer die before any of its operations, and then the second one do all its work."""
    for pause in range(steps_alone(world, actions[0])):
        with race(world, *actions) as two:
            first, second = two.writers
            two.step(first, pause)
            first.kill()
            two.finish(second)
            two.check(dead=first.name)


def shuffled(world: World, rng: random.Random, *actions: Action, deaths: float = 0.0) -> World:
    """Let writers go on in bursts of any length, in any order; perhaps some die. Return the log."""
    with race(world, *actions) as running:
        dead = ""
        while waiting := [writer for writer in running.writers if not writer.finished]:
            writer = rng.choice(waiting)
            running.step(writer, rng.choice([1, 1, 2, 3, 5, 10, 20]))
            if rng.random() < deaths and not writer.finished:
                writer.kill()
                dead += writer.name
        running.check(dead=dead)
        return running.world
