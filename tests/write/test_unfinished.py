"""The writer when it cannot go on: what it says, what it has added, and when it gives up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.faults import Died, Fault, Faults, GatedStore, Passing
from tests.support.submissions import JUNK, submit
from tests.support.world import World, some_entries
from tiles.errors import AccessError, Conflict, OutcomeUnknown, Refused, Unfinished
from tiles.inbox.admission import OPEN, Admission
from tiles.store import Object, Store, Version
from tiles.store.memory import MemoryStore
from tiles.write.sequencer import Sequencer

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
        ("public create checkpoints/", False),
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


class Waiting(MemoryStore):
    """A store in which a commit is left to its writer for a year."""

    patience = 3.2e7


def test_a_commit_that_stays_fresh_is_left_alone() -> None:
    """Whoever only finds a commit that others are to finish gives up in the end, and has changed nothing."""
    world = World()
    world.stores["private"] = Waiting("private", lambda: world.now)
    world.grown(3)
    with pytest.raises(Died):
        broken(world, "private swap head", Fault.DIES).append(NEW)
    before = world.contents()
    for action in (lambda: world.append([b"one"]), lambda: world.sequencer().finish()):
        with pytest.raises(AccessError, match="memory://private: the head did not come to rest in 200 attempts"):
            action()
    assert world.contents() == before


class Overtaken(Passing):
    """A store whose first swap of the head is lost while something else happens; or, if it is done, its answer."""

    def __init__(self, inner: Store, meanwhile: Callable[[], object], *, done: bool = False) -> None:
        super().__init__(inner, "private")
        self._meanwhile: Callable[[], object] | None = meanwhile
        self._done = done

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Swap it, unless it is the one that is lost."""
        if path == "head" and self._meanwhile is not None:
            meanwhile, self._meanwhile = self._meanwhile, None
            if self._done:
                super().swap(path, data, expected)
            meanwhile()
            raise OutcomeUnknown("no reply")
        return super().swap(path, data, expected)


def test_equal_entries_of_another_writer_are_not_taken_for_ones_own() -> None:
    """The swap is lost, another writer commits the very same entries, to the same tree: ours are added after them."""
    world = World().grown(250)
    writer = world.sequencer(
        lambda store, role: Overtaken(store, lambda: world.append(NEW)) if role == "private" else store
    )
    done = writer.append(NEW)
    assert (done.first_index, done.count) == (260, 10)
    assert (world.committed() or ())[250:] == (*NEW, *NEW)


def refuse(world: World) -> None:
    """Decide a submission that is none."""
    submit(world, "eve", 1, JUNK)
    assert len(world.sequencer().sequence().refused) == 1


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda world: world.sequencer().freeze(),
        lambda world: world.sequencer().admit(Admission(max_entries=7), OPEN.sha256),
        refuse,
    ],
    ids=["frozen", "another policy", "refused"],
)
def test_another_head_of_the_same_tree(meanwhile: Callable[[World], object]) -> None:
    """The swap is done, its answer is lost, and another writer commits without an entry: ours are said to be there."""
    world = World().grown(250)
    lossy = [lambda store: Overtaken(store, lambda: meanwhile(world), done=True)]
    writer = world.sequencer(lambda store, role: lossy.pop()(store) if role == "private" and lossy else store)
    assert writer.append(NEW).first_index == 250
    assert (world.committed() or ())[250:] == tuple(NEW)


class TwoMoments(Passing):
    """A store that reads a head and, a moment earlier, its version: another writer commits in between.

    Before that the batch of the head that is there is published and tidied up, right before it would be read.
    """

    def __init__(self, inner: Store, world: World) -> None:
        super().__init__(inner, "private")
        self._world = world
        self._coming = ["staging/", "head"]

    def read(self, path: str, limit: int | None = None) -> Object:
        """Read it, once what is coming has come."""
        if not self._coming or not path.startswith(self._coming[0]):
            return super().read(path, limit)
        if self._coming.pop(0) == "staging/":
            self._world.sequencer().finish()
            return super().read(path, limit)
        before = super().read(path, limit)
        self._world.append([b"of another writer"])
        now = super().read(path, limit)
        return Object(now.data, now.modified, before.version)


def test_a_head_that_is_newer_than_its_version() -> None:
    """A batch that was published and tidied up is not taken for lost because another head has its version."""
    world = World().grown(3)
    with pytest.raises(Died):
        broken(world, "private swap head", Fault.DIES).append(NEW)
    world.acknowledged.append((3, NEW))
    writer = world.sequencer(lambda store, role: TwoMoments(store, world) if role == "private" else store)
    assert writer.append([b"mine"]).first_index == 14
    world.acknowledged.append((14, [b"mine"]))
    world.check(orphans=True)


def test_a_checkpoint_that_goes_while_nobody_knows_whether_it_was_committed() -> None:
    """The swap is lost, others go on, and the checkpoint is removed: it is not ours, and the log is refused."""
    world = World().grown(250)
    left = []

    def meanwhile() -> None:
        world.append(NEW)
        world.append([b"more"])
        world.put("public", "checkpoint", None)
        left.append(world.contents())

    writer = world.sequencer(lambda store, role: Overtaken(store, meanwhile) if role == "private" else store)
    with pytest.raises(Refused, match="checkpoint is gone; the log has 261 entries"):
        writer.append(NEW)
    assert left == [world.contents()]


@pytest.mark.parametrize("fault", [Fault.NOT_DONE_UNKNOWN, Fault.DONE_UNKNOWN])
def test_a_beginning_whose_reply_is_lost(fault: Fault, world: World) -> None:
    """A swap of the first head with no answer is asked for again: the log is begun, whether it was done or not."""
    counting = Faults()
    world.copy().sequencer(counting.wrap).create()
    at = [name for name, _ in counting.done].index("private swap head")
    assert world.sequencer(Faults(at, fault).wrap).create().tree.size == 0
    world.check()


def test_a_beginning_that_is_never_answered() -> None:
    """A swap of the first head that never has an answer ends the run after 200 attempts, and says what to do."""
    world = World()
    world.stores["private"] = stubborn = Stubborn("head", OutcomeUnknown("lost"))
    with pytest.raises(OutcomeUnknown, match="no answer says whether the log was begun") as caught:
        world.sequencer().create()
    assert caught.value.hint == "run init again"
    assert stubborn.swaps == 200


@pytest.mark.parametrize("error", [Conflict("later"), OutcomeUnknown("lost")])
def test_freezing_gives_up_in_the_end(error: Exception) -> None:
    """A swap of the head that never comes to a good end is no freeze: the run says so, and the log goes on."""
    world = World().grown(3)
    stubborn = Stubborn("head", error)
    stubborn.create(world.contents()["private"])
    sound, world.stores["private"] = world.stores["private"], stubborn
    with pytest.raises(AccessError, match="other writers were first 200 times; the log is not frozen"):
        world.sequencer().freeze()
    assert stubborn.swaps == 200
    world.stores["private"] = sound
    world.append(NEW)
    world.check(orphans=True)


@pytest.mark.parametrize("fault", [Fault.NOT_DONE_UNKNOWN, Fault.DONE_UNKNOWN])
def test_a_freeze_whose_reply_is_lost(fault: Fault) -> None:
    """It is looked up whether it was done, and done again if not."""
    world = World().grown(3)
    counting = Faults()
    world.copy().sequencer(counting.wrap).freeze()
    at = [name for name, _ in counting.done].index("private swap head")
    assert world.sequencer(Faults(at, fault).wrap).freeze().tree.size == 3
    with pytest.raises(Refused, match="is frozen at size 3"):
        world.append(NEW)


def test_a_log_that_another_run_begins_meanwhile() -> None:
    """There is no head yet, and when the public part is read there is a log: it is the one that was to be made."""
    world = World()
    begun = []

    def gate(what: str) -> None:
        if what == "public read checkpoint" and not begun:
            begun.append(what)
            begun.append(world.sequencer().create())

    signed = world.sequencer(lambda store, role: GatedStore(store, role, gate)).create()
    assert signed == begun[1]
    world.check()
