"""The fault matrix: every store operation of a run goes wrong in every way, and the next runs put it right.

What must be in the log after each run is told by a model of one line per outcome (`Story.run`); `check_log` audits all
of it. On failure the schedule is in the error's note.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest

from tests.support.faults import Died, Fault, Faults
from tests.support.reference import printed_random
from tests.support.world import World, explained, some_entries
from tiles.errors import AccessError, NotFound, TilesError, Unfinished
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.write.sequencer import Appended, Sequencer

Action = list[bytes] | Literal["create", "finish"]  # append these entries, or …
Folders = Callable[[], Path | None]

OURS = some_entries("ours", 10)
OTHERS = some_entries("other", 4)
BASES = (0, 3, 250, 256)  # OURS fits, fits, crosses the end of a bundle, begins a bundle
NEXT: dict[str, Action] = {"same": OURS, "other": OTHERS, "nothing": "finish"}


def in_memory() -> None:
    """Return the place of a story: memory."""


def in_folders(folder: Path) -> Folders:
    """Return what gives each story a directory of its own."""
    numbers = itertools.count()
    return lambda: folder / str(next(numbers))


@pytest.fixture(params=["memory", "directory"])
def folders(request: pytest.FixtureRequest, tmp_path: Path) -> Folders:
    """Return what gives each story a place of its own."""
    return in_memory if request.param == "memory" else in_folders(tmp_path)


@dataclass
class Story:
    """Some runs on one log, and what its entries must be."""

    world: World

    def run(self, action: Action, faults: Faults | None = None, writer: Sequencer | None = None) -> bool:
        """Take one run, hold everything against the model, and return whether it came to its end."""
        world = self.world
        before = world.committed()
        unfinished = self.unpublished(before)
        taken_over = action == unfinished
        writer = writer or world.sequencer((faults or Faults()).wrap)
        done: Appended | SignedCheckpoint | TilesError | Died
        try:
            done = self._act(writer, action)
        except (TilesError, Died) as error:
            done = error
        after = world.committed()
        grown = (before or ()) + (tuple(action) if isinstance(action, list) and not taken_over else ())
        if isinstance(done, Appended):
            assert isinstance(action, list)
            assert after == grown
            assert done.first_index == len(grown) - len(action)
            assert done.count == len(action)
            world.acknowledged.append((done.first_index, action))
        elif isinstance(done, Unfinished):
            assert isinstance(action, list)
            assert after == grown
            assert (done.first_index, done.count) == (len(before or ()), len(action))
            assert not done.published or self._published_size() >= len(grown)
            world.acknowledged.append((done.first_index, action))
        elif isinstance(done, SignedCheckpoint):
            assert (after or ()) == (before or ())
        elif isinstance(done, NotFound) and after is None:
            assert action != "create", "a new log was not made"
        else:
            assert isinstance(done, (AccessError, Died)), f"refused what nobody has changed: {done!r}"
            assert (after or ()) in ((before or ()), grown)
        ended = isinstance(done, (Appended, SignedCheckpoint))
        if isinstance(done, Appended):
            self._check_answer(done.checkpoint)
        elif isinstance(done, SignedCheckpoint):
            self._check_answer(done)
        world.check(complete=ended, orphans=True, repeated=_repeated(after))
        return ended

    def _act(self, writer: Sequencer, action: Action) -> Appended | SignedCheckpoint:
        if action == "create":
            return writer.create()
        return writer.finish() if action == "finish" else writer.append(action)

    def _check_answer(self, signed: SignedCheckpoint) -> None:
        """What a run returns is what readers can see."""
        assert signed.data == self.world.history.checkpoints[-1]

    def _published_size(self) -> int:
        sizes = [int(note.split(b"\n")[1]) for note in self.world.history.checkpoints]
        return sizes[-1] if sizes else 0

    def unpublished(self, entries: tuple[bytes, ...] | None) -> list[bytes]:
        """Return the committed entries that readers cannot see yet."""
        return list((entries or ())[self._published_size() :])


def _repeated(entries: tuple[bytes, ...] | None) -> set[bytes]:
    """The model says how often each entry is there, so the checker need not."""
    return set(entries or ())


def operations(world: World, action: Action) -> list[tuple[str, tuple[Fault, ...]]]:
    """Return what an undisturbed run asks of its stores."""
    faults = Faults()
    assert Story(world.copy()).run(action, faults)
    return faults.done


def schedules(world: World, action: Action) -> Iterator[Faults]:
    """Yield every way in which one operation of a run can go wrong; after a swap the next one, too."""
    for at, (what, kinds) in enumerate(operations(world, action)):
        for fault in kinds:
            yield Faults(at, fault)
            if " swap " in what:
                yield Faults(at, fault, again=True)
            if " create tile/" in what:
                yield Faults(at, fault, backward=True)


def settle(story: Story) -> None:
    """Let an undisturbed run finish, and another one find nothing more to do."""
    assert story.run("finish")
    before = story.world.contents()
    assert story.run("finish")
    assert story.world.contents() == before


# ---- one fault, everywhere


def matrix(base: World, folders: Folders, first: Action, then: Action, thin: Callable[[], bool]) -> int:
    """Run `first` with each fault, then `then` by a new process or, where the first one lives, by itself."""
    count = 0
    for schedule in schedules(base, first):
        for same_process in (False, True) if schedule.fault is not Fault.DIES else (False,):
            if thin():
                continue
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
            count += 1
    return count


def nothing_left_out() -> bool:
    """Take every schedule."""
    return False


def all_but_one_in(n: int) -> Callable[[], bool]:
    """Return what leaves all but about every n-th schedule out, by a printed seed."""
    rng = printed_random()
    return lambda: rng.randrange(n) > 0


@pytest.mark.parametrize("then", NEXT)
@pytest.mark.parametrize("base", BASES)
def test_append_survives_a_fault_at_every_operation(base: int, then: str) -> None:
    """Whatever goes wrong at any operation of an append, the next run finishes it: nothing lost, twice or forked."""
    assert matrix(grown(base), in_memory, OURS, NEXT[then], nothing_left_out) > 100


@pytest.mark.parametrize("then", NEXT)
@pytest.mark.parametrize("base", BASES)
def test_append_to_a_directory_survives_faults(base: int, then: str, tmp_path: Path) -> None:
    """The same in directories, at one schedule in eight."""
    assert matrix(grown(base), in_folders(tmp_path), OURS, NEXT[then], all_but_one_in(8)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("then", NEXT)
@pytest.mark.parametrize("base", BASES)
def test_append_to_a_directory_survives_a_fault_at_every_operation(base: int, then: str, tmp_path: Path) -> None:
    """The same in directories, at every operation."""
    assert matrix(grown(base), in_folders(tmp_path), OURS, NEXT[then], nothing_left_out) > 100


@pytest.mark.parametrize("then", ["create", "other", "nothing"])
def test_create_survives_a_fault_at_every_operation(then: str) -> None:
    """Whatever goes wrong while a log is created, creating it again, or the next run, finishes it."""
    assert matrix(World(), in_memory, "create", NEXT.get(then, "create"), nothing_left_out) > 50


@pytest.mark.parametrize("then", ["create", "other", "nothing"])
def test_create_in_a_directory_survives_faults(then: str, tmp_path: Path) -> None:
    """The same in directories, at one schedule in eight."""
    assert matrix(World(), in_folders(tmp_path), "create", NEXT.get(then, "create"), all_but_one_in(8)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("then", ["create", "other", "nothing"])
def test_create_in_a_directory_survives_a_fault_at_every_operation(then: str, tmp_path: Path) -> None:
    """The same in directories, at every operation."""
    assert matrix(World(), in_folders(tmp_path), "create", NEXT.get(then, "create"), nothing_left_out) > 50


@pytest.mark.parametrize("then", NEXT)
def test_finishing_survives_a_fault_at_every_operation(then: str) -> None:
    """Whatever goes wrong while a dead run's work is finished, the next run finishes it."""
    assert matrix(interrupted(), in_memory, "finish", NEXT[then], nothing_left_out) > 50


@pytest.mark.parametrize("then", NEXT)
def test_finishing_in_a_directory_survives_faults(then: str, tmp_path: Path) -> None:
    """The same in directories, at one schedule in eight."""
    assert matrix(interrupted(), in_folders(tmp_path), "finish", NEXT[then], all_but_one_in(8)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("then", NEXT)
def test_finishing_in_a_directory_survives_a_fault_at_every_operation(then: str, tmp_path: Path) -> None:
    """The same in directories, at every operation."""
    assert matrix(interrupted(), in_folders(tmp_path), "finish", NEXT[then], nothing_left_out) > 50


def grown(base: int) -> World:
    """Return a log of that size."""
    return World().grown(*[base] * (base > 0))


def interrupted() -> World:
    """Return a log of 250 entries to which a run was adding OURS; it died right after the commit."""
    world = grown(250)
    at = [name for name, _ in operations(world, OURS)].index("private swap head")
    assert not Story(world).run(OURS, Faults(at, Fault.DIES))
    assert Story(world).unpublished(world.committed()) == OURS
    return world


# ---- a fault in the run, another one in the run that recovers, and so on


def troubled(story: Story, rng: random.Random, runs: int) -> None:
    """Take some runs, most with a fault somewhere; the schedule is in the note of what fails."""
    done: list[str] = []
    with explained(lambda: "\n".join(done)):
        for number in range(runs):
            committed = story.world.committed()
            fresh = some_entries(f"run {number}", rng.choice([1, 2, 10, 250, 257]))
            actions: list[Action] = [fresh, fresh, story.unpublished(committed) or fresh, "finish"]
            action = rng.choice(actions) if committed is not None else "create"
            at = rng.randrange(50) if rng.random() < 0.8 else None
            faults = Faults(at, pick=rng, backward=rng.random() < 0.5)
            done.append(f"{action[0]!r}" if isinstance(action, list) else action)
            ended = story.run(action, faults)
            done[-1] += f" {faults}: {'ended' if ended else 'stopped'}"
        settle(story)


@pytest.mark.parametrize("base", BASES)
def test_a_second_fault_in_the_run_that_recovers(base: int, folders: Folders) -> None:
    """A fault in a run, and one in the run after it, at any two operations (sampled), and the third one finishes."""
    rng = printed_random()
    world = grown(base)
    for first in schedules(world, OURS):
        if rng.random() < (0.2 if folders is in_memory else 0.05):
            story = Story(world.copy(folders()))
            second = Faults(rng.randrange(45), pick=rng)
            then = rng.choice(list(NEXT.values()))
            with explained(lambda: f"{first}, then {then} with {second}"):  # noqa: B023
                story.run(OURS, first)
                story.run(then, second)
                settle(story)
            story.world.remove()


def test_trouble_without_end(folders: Folders) -> None:
    """Runs of all kinds, faults anywhere in most of them: the log stays sound, and goes on."""
    rng = printed_random()
    for _ in range(25 if folders is in_memory else 8):
        story = Story(World(folders()))
        troubled(story, rng, 12)
        story.world.remove()


@pytest.mark.slow
def test_trouble_without_end_for_long(folders: Folders) -> None:
    """The same, for minutes."""
    rng = printed_random()
    for _ in range(300):
        story = Story(World(folders()))
        troubled(story, rng, 40)
        story.world.remove()
