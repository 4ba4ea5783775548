"""Runs on one log, any of which may go wrong, and a model that says what must be in the log after each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tests.support.faults import Died, Fault, Faults
from tests.support.world import World, some_entries
from tiles.errors import AccessError, NotFound, TilesError, Unfinished
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.write.results import Appended
from tiles.write.sequencer import Sequencer

Action = list[bytes] | Literal["create", "finish"]  # append these entries, or …
OURS = some_entries("ours", 10)
OTHERS = some_entries("other", 4)
BASES = (0, 3, 250, 256)  # OURS fits, fits, crosses the end of a bundle, begins a bundle
NEXT: dict[str, Action] = {"same": OURS, "other": OTHERS, "nothing": "finish"}


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
        elif isinstance(done, Unfinished) and not isinstance(action, list):  # too few witnesses cosigned
            assert (after or ()) == (before or ())
            assert not done.published
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
