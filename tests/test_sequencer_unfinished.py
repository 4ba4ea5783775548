"""The writer when it cannot go on: what it says, what it has added, and when it gives up."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults import Died, Fault, Faults
from tiles.errors import AccessError, Conflict, OutcomeUnknown, Unfinished
from tiles.sequencer import Sequencer
from tiles.store import Store, Version
from tiles.store.memory import MemoryStore
from world import World, some_entries

NEW = some_entries("new", 10)


@pytest.fixture(params=["memory", "directory"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """Return an empty world."""
    return World(None if request.param == "memory" else tmp_path)


# ---- what is said when it cannot be finished


def broken(world: World, what: str, fault: Fault) -> Sequencer:
    """Return a writer for which the first operation of that name in an append of NEW goes wrong."""
    counting = Faults()
    world.copy().sequencer(counting.wrap).append(NEW)
    at = next(at for at, (name, _) in enumerate(counting.done) if name.startswith(what))
    return world.sequencer(Faults(at, fault).wrap)


@pytest.mark.parametrize(
    ("what", "published"),
    [
        ("public create tile/", False),
        ("anchor swap", False),
        ("public swap checkpoint", False),
        ("public create checkpoints/", True),
        ("private delete", True),
    ],
)
def test_unfinished(what: str, published: bool, world: World) -> None:
    """After the commit a failure says where the entries are, whether they can be seen, and not to add them again."""
    world.grown(250)
    with pytest.raises(Unfinished) as caught:
        broken(world, what, Fault.NOT_DONE).append(NEW)
    error = caught.value
    assert (error.first_index, error.count, error.published) == (250, 10, published)
    assert "the entries are committed, the run could not finish: broken on purpose" in error.message
    assert error.hint == "do not add them again: the next run finishes this one"
    assert isinstance(error.__cause__, AccessError)
    assert b"\n260\n" in world.sequencer().finish().data
    world.acknowledged.append((250, NEW))
    world.check()


@pytest.mark.parametrize("what", ["public read checkpoint", "private read head", "private create", "private swap head"])
def test_a_failure_before_the_commit_adds_nothing(what: str, world: World) -> None:
    """Before the commit a failure is the store's own error, and nothing was added."""
    world.grown(250)
    with pytest.raises(AccessError, match="broken on purpose"):
        broken(world, what, Fault.NOT_DONE).append(NEW)
    assert world.size() == 250
    world.append(NEW)
    world.check(orphans=True)


def test_a_dead_runs_batch_is_taken_as_ones_own(world: World) -> None:
    """An append that finds exactly its own entries committed and unpublished says where they are, and adds nothing."""
    world.grown(250)
    with pytest.raises(Died):
        broken(world, "private swap head", Fault.DIES).append(NEW)
    done = world.sequencer().append(NEW)
    assert (done.first_index, done.count) == (250, 10)
    world.acknowledged.append((250, NEW))
    world.check()


@pytest.mark.parametrize("entries", [NEW[:-1], [*NEW, b"more"], NEW[::-1], NEW[1:] + NEW[:1]])
def test_a_dead_runs_batch_is_not_taken_for_other_entries(entries: list[bytes], world: World) -> None:
    """Fewer, more, or in another order: that is another batch, added after the dead run's."""
    world.grown(250)
    with pytest.raises(Died):
        broken(world, "private swap head", Fault.DIES).append(NEW)
    assert world.sequencer().append(entries).first_index == 260
    assert (world.committed() or ())[250:] == (*NEW, *entries)


# ---- stores that never answer, writers that are always first


class Stubborn(MemoryStore):
    """A store in which swaps of one object never come to a good end."""

    def __init__(self, path: str, error: Exception) -> None:
        super().__init__("stubborn")
        self.stubborn, self.error = path, error
        self.swaps = 0

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Raise the error for that object."""
        if path == self.stubborn:
            self.swaps += 1
            raise self.error
        return super().swap(path, data, expected)


@pytest.mark.parametrize(
    ("role", "path", "error", "kind", "message"),
    [
        ("private", "head", Conflict("later"), AccessError, "other writers were first 200 times; nothing was added"),
        ("private", "head", OutcomeUnknown("lost"), OutcomeUnknown, "no answer says whether the batch was committed"),
        ("anchor", "anchor", Conflict("later"), Unfinished, "the anchor kept moving"),
        ("anchor", "anchor", OutcomeUnknown("lost"), Unfinished, "the anchor kept moving"),
        ("public", "checkpoint", Conflict("later"), Unfinished, "checkpoint kept changing"),
        ("public", "checkpoint", OutcomeUnknown("lost"), Unfinished, "checkpoint kept changing"),
    ],
)
def test_a_run_gives_up_in_the_end(role: str, path: str, error: Exception, kind: type[Exception], message: str) -> None:
    """A swap that never comes to a good end ends the run, after 200 attempts with pauses, and says so."""
    world = World().grown(3)
    stubborn = Stubborn(path, error)
    stubborn.create(world.contents()[role])
    sound: Store = world.stores[role]
    world.stores[role] = stubborn
    with pytest.raises(kind, match=message):
        world.sequencer().append(NEW)
    assert stubborn.swaps == 200
    assert 20 < world.now - World().now < 200  # the pauses grow, to at most a second
    world.stores[role] = sound
    assert world.sequencer().finish().tree.size == (3 if role == "private" else 13)
