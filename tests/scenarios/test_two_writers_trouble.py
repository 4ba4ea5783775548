"""Two writers where more goes wrong: lost replies, waiting, storage that is put back; and writers in real threads."""

from __future__ import annotations

import random
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.check_log import fold
from tests.support.faults import Died, Fault, Faults
from tests.support.races import FINISH, NOTHING, SEVEN, TEN, Action, Race, grown, meet, race, steps_alone
from tests.support.reference import printed_random
from tests.support.sampling import quickly
from tests.support.world import World, explained, some_entries
from tiles.errors import Conflict, OutcomeUnknown, Refused, Unfinished
from tiles.store import Version
from tiles.store.memory import MemoryStore
from tiles.write.sequencer import Sequencer

# ---- lost replies, patience, real threads


def lost_at(world: World, what: str, fault: Fault) -> Faults:
    """Return the fault at the first operation of that name in an append of TEN."""
    counting = Faults()
    world.copy().sequencer(counting.wrap).append(TEN.entries)
    return Faults([name for name, _ in counting.done].index(what), fault)


LOST = [Fault.DONE_UNKNOWN, Fault.NOT_DONE_UNKNOWN]
SWAPS = ["private swap head", "anchor swap anchor", "public swap checkpoint"]
MORE = Action("more", tuple(some_entries("more", 20)))
AS_MANY = Action("as many", tuple(some_entries("as many", 10)))


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("what", SWAPS)
def test_a_reply_is_lost_and_another_writer_is_faster(what: str, fault: Fault) -> None:
    """After a swap whose reply is lost, and another's whole run at any later moment, both know the truth."""
    world = grown(250)
    at = lost_at(world, what, fault).at or 0
    for pause in range(at + 1, steps_alone(world, TEN) + 5):
        meet(world, (SEVEN, TEN), 0, pause, lost={"B": Faults(at, fault)})


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("other", quickly([SEVEN, AS_MANY, MORE], [AS_MANY]))
@pytest.mark.parametrize("what", SWAPS)
def test_a_reply_is_lost_and_another_writer_is_anywhere(what: str, other: Action, fault: Fault) -> None:
    """After a lost reply, with another's run (a smaller, equal or larger batch) stopped anywhere, both end well."""
    world = grown(3)
    at = lost_at(world, what, fault).at or 0
    for stop in range(steps_alone(world, other) + 1):
        meet(world, (TEN, other), at + 1, stop, lost={"A": Faults(at, fault)})


def test_a_commit_that_cannot_be_read_back_is_not_repeated() -> None:
    """Where the head cannot be read after a lost reply, nothing is said but that, whatever others do: no second try."""
    world = grown(250)
    at = lost_at(world, "private swap head", Fault.DONE_UNKNOWN).at or 0
    for pause in (at + 1, at + 2):
        with race(world, TEN, SEVEN, lost={"A": Faults(at, Fault.DONE_UNKNOWN, again=True)}) as two:
            first, second = two.writers
            two.step(first, pause)
            two.finish(second)
            two.finish(first)
            assert isinstance(first.error, OutcomeUnknown)
            assert "it is not known whether the batch was committed" in str(first.error)
            assert "run again with the same entries" in first.error.hint
            two.world.acknowledged.append((250, TEN.entries))
            two.check(dead="A")
            assert two.world.size() == 267


@pytest.mark.parametrize("helped", [False, True])
@pytest.mark.parametrize("what", SWAPS)
def test_a_lost_request_arrives_late(what: str, helped: bool) -> None:
    """A swap that was lost, is asked for again, and turns out to have been done meanwhile: a conflict with oneself.

    helped   another writer has finished, at that moment, what can be seen
    """
    world = grown(250)
    role, _, path = what.split()
    late = Late(world.contents()[role], path, lambda: helped and world.sequencer().finish())
    world.stores[role] = late
    done = world.sequencer().append(TEN.entries)
    world.acknowledged.append((done.first_index, TEN.entries))
    assert late.swaps >= 2
    world.check()


class Late(MemoryStore):
    """A store where the first swap of an object is lost, and is done at the moment it is asked for again."""

    def __init__(self, objects: Mapping[str, bytes], path: str, meanwhile: Callable[[], object]) -> None:
        super().__init__("late")
        self.create(objects)
        self._late = path
        self._meanwhile = meanwhile
        self.swaps = 0

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Swap it, unless it is the one that comes late."""
        if path == self._late:
            self.swaps += 1
            if self.swaps == 1:
                raise OutcomeUnknown("no reply")
            if self.swaps == 2:
                super().swap(path, data, expected)
                self._meanwhile()
                raise Conflict("changed since it was read")
        return super().swap(path, data, expected)


@pytest.mark.parametrize("what", SWAPS)
def test_a_swap_whose_reply_was_lost_is_not_repeated(what: str) -> None:
    """What is found to be there is not written again."""
    world = grown(3)
    faults = lost_at(world, what, Fault.DONE_UNKNOWN)
    world.sequencer(faults.wrap).append(TEN.entries)
    assert [name for name, _ in faults.done].count(what) == 1


def test_a_commit_whose_reply_was_lost_lasts_before_it_is_built_on() -> None:
    """Read back is not lasting: there is a barrier between finding one's own head and writing the first tile."""
    world = grown(3)
    faults = lost_at(world, "private swap head", Fault.DONE_UNKNOWN)
    world.sequencer(faults.wrap).append(TEN.entries)
    names = [name for name, _ in faults.done]
    after = names[names.index("private swap head") + 1 :]
    tile = next(at for at, name in enumerate(after) if name.startswith("public create"))
    assert after[:tile] == ["private read head", "private barrier"]


class PatientStore(MemoryStore):
    """A store, like a directory, in which a commit of this moment is left to its writer for a while."""

    patience = 0.25


def test_writers_that_wait_for_one_another_come_to_an_end() -> None:
    """Where a fresh commit is left to its writer, who may be stopped or dead, the others wait and then help."""
    rng = printed_random()
    for _ in range(60):
        world = World()
        world.stores["private"] = PatientStore("private", lambda: world.now)  # noqa: B023
        shuffled_patiently(world.grown(3), rng)


def shuffled_patiently(world: World, rng: random.Random) -> None:
    """Like `shuffled`, in the world itself: its clock is not copied."""
    running = Race(world, [TEN, SEVEN], NOTHING)
    with explained(lambda: str(running)):
        try:
            while waiting := [writer for writer in running.writers if not writer.finished]:
                writer = rng.choice(waiting)
                for _ in range(rng.choice([1, 2, 5, 20])):
                    running.step(writer)
                if rng.random() < 0.01 and not writer.finished:
                    writer.kill()
            dead = [writer.name for writer in running.writers if isinstance(writer.error, Died)]
            running.check(dead=dead)
        finally:
            for writer in running.writers:
                writer.kill()


@pytest.mark.parametrize("place", ["memory", "directory"])
def test_writers_in_real_threads(place: str, tmp_path: Path) -> None:
    """Four writers append at the same time, as the interpreter has it: every batch once, where it was said to be."""
    world = World(None if place == "memory" else tmp_path).grown(3)

    def appending(name: int) -> list[tuple[int, Sequence[bytes]]]:
        writer = world.sequencer()
        batches = [some_entries(f"{name} {turn}", 3 + turn) for turn in range(10)]
        return [(writer.append(batch).first_index, batch) for batch in batches]

    with ThreadPoolExecutor(4) as pool:
        for acknowledged in pool.map(appending, range(4)):
            assert acknowledged == sorted(acknowledged)
            world.acknowledged += acknowledged
    world.check(orphans=True)
    assert world.size() == 3 + 4 * sum(range(3, 13))


# ---- storage put back while they run


@pytest.mark.parametrize("action", [TEN, FINISH])
def test_who_is_overtaken_by_another_tree_does_not_take_it_for_its_own(action: Action) -> None:
    """The head is put back under a commit, and another batch committed instead: the first writer's is not there."""
    before = grown(3)
    undone = 0
    for pause in range(steps_alone(before, TEN)):
        with race(before, TEN, MORE, TEN) as running:
            zombie, other, retry = running.writers
            running.step(zombie, pause)
            world = running.world
            if world.size() == 3 or len(world.history.checkpoints) > 2 or len(world.key.texts) > len(before.key.texts):
                continue  # not committed yet, or signed already: then the anchor refuses the other one
            if action == FINISH:
                zombie, retry = retry, zombie
                running.step(zombie, 9)  # it has read the head, and what is staged
            world.put("private", "head", before.stores["private"].read("head").data)
            running.finish(other)
            running.finish(zombie)
            assert isinstance(zombie.error, Refused)
            assert "was committed, and is not in what was signed since" in str(zombie.error)
            # tiles of what was undone may be left; everything signed is of what was not
            assert world.committed() == (*(before.committed() or ()), *MORE.entries)
            roots = {text.split(b"\n")[1]: text.split(b"\n")[2] for text in world.key.texts}
            assert set(roots) == {b"0", b"3", b"23"}
            assert b64decode(roots[b"23"]) == fold(world.committed() or ()).root(23)
            undone += 1
    assert undone > 3


def dead_after_the_commit(ahead: float = 0.0) -> tuple[World, Sequencer]:
    """Return a log with a commit of this moment, by the store's clock, and its writer, for which the rest failed."""
    world = World()
    world.stores["private"] = PatientStore("private", lambda: world.now + ahead)
    world.grown(3)
    faults = Faults()
    world.copy().sequencer(faults.wrap).append(TEN.entries)
    broken = Faults([what for what, _ in faults.done].index("public create tile/entries/000.p/13"), Fault.NOT_DONE)
    writer = world.sequencer(broken.wrap)
    with pytest.raises(Unfinished):
        writer.append(TEN.entries)
    broken.at = None
    return world, writer


def test_a_fresh_commit_is_left_to_its_writer_for_a_while() -> None:
    """Others wait until it is old enough, then they help; its own writer need not wait."""
    world, _ = dead_after_the_commit()
    start = world.now
    world.append(SEVEN.entries)
    assert PatientStore.patience <= world.now - start < PatientStore.patience + 2  # the last pauses are up to 1 s each
    world, writer = dead_after_the_commit()
    start = world.now
    assert writer.append(SEVEN.entries).first_index == 13
    assert world.now - start < PatientStore.patience


def test_a_head_from_the_future_is_not_waited_for() -> None:
    """A commit whose time, by another clock, is days ahead is finished like any other."""
    world, _ = dead_after_the_commit(ahead=1e6)
    start = world.now
    world.append(SEVEN.entries)
    assert world.now - start < PatientStore.patience
    assert world.size() == 3 + 10 + 7
