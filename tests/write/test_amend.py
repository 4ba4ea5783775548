"""Another admission policy for a log that exists, by a commit that adds nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.faults import Died, Faults, GatedStore
from tests.support.submissions import submit
from tests.support.world import World, explained, some_entries
from tiles.errors import AccessError, Conflict, Refused, Unfinished
from tiles.inbox.admission import OPEN, Admission
from tiles.inbox.submission import format_submission
from tiles.records.head import parse_head
from tiles.store import Store
from tiles.store.memory import MemoryStore

STRICT = Admission(max_entries=1, submitters=("ann",))
WIDER = Admission(max_entries=2, submitters=("ann", "bob"))
TWO = some_entries("two", 2)


def admission_of(world: World) -> str:
    """Return the SHA-256 of the policy that the log's head names."""
    return parse_head(world.stores["private"].read("head").data).admission


def ask(world: World, submitter: str = "bob") -> None:
    """Submit two entries."""
    submit(world, submitter, 1, format_submission(TWO))


def test_from_now_on() -> None:
    """What waits is judged by the new policy, what was refused stays refused, and the checkpoint is the same."""
    world = World()
    world.sequencer(admission=STRICT).create()
    world.append(some_entries("first", 3))
    ask(world, "eve")
    assert len(world.sequencer().sequence().refused) == 1
    ask(world)
    before = world.sequencer().finish()
    assert world.sequencer().admit(WIDER, STRICT.sha256).data == before.data
    assert admission_of(world) == WIDER.sha256
    done = world.sequencer().sequence()
    assert (done.count, done.refused) == (2, ())
    with pytest.raises(Refused, match="admission policy"):
        world.sequencer(admission=STRICT).sequence()
    world.sequencer().admit(STRICT, WIDER.sha256)
    ask(world)
    assert len(world.sequencer().sequence().refused) == 1
    world.check(orphans=True, repeated=TWO)


def test_refused() -> None:
    """Not instead of another policy than the log's, and not in a frozen log; the same one again is no change."""
    world = World().grown(3)
    with pytest.raises(Refused, match=f"is {OPEN.sha256}, not {STRICT.sha256}"):
        world.sequencer().admit(WIDER, STRICT.sha256)
    world.sequencer().admit(STRICT, OPEN.sha256)
    before = world.contents()
    world.sequencer().admit(STRICT, OPEN.sha256)
    assert world.contents() == before
    world.sequencer().freeze()
    with pytest.raises(Refused, match="is frozen at size 3"):
        world.sequencer().admit(WIDER, STRICT.sha256)


def test_a_run_that_has_loaded_the_old_policy() -> None:
    """At whichever of its operations the policy is changed: it decides by the policy that its commit follows."""
    counting = Faults()
    world = World().grown(3)
    ask(world)
    world.copy().sequencer(counting.wrap).sequence()
    outcomes = set()
    for at in range(len(counting.done)):
        here, left = world.copy(), iter(range(at))

        def gate(_what: str, here: World = here, left: Iterator[int] = left) -> None:
            if next(left, None) is None and admission_of(here) == OPEN.sha256:
                here.sequencer().admit(STRICT, OPEN.sha256)

        def wrap(store: Store, role: str, gate: Callable[[str], None] = gate) -> Store:
            return GatedStore(store, role, gate)

        done = here.sequencer(wrap).sequence()
        outcomes.add((done.count, len(done.refused)))
        assert admission_of(here) == STRICT.sha256
        here.check(orphans=True)
    assert outcomes == {(2, 0), (0, 1)}


def test_a_fault_at_every_operation() -> None:
    """The log goes on by one of the two policies, and the same call again gets the new one."""
    world = World().grown(250)
    counting = Faults()
    world.copy().sequencer(counting.wrap).admit(STRICT, OPEN.sha256)
    for faults in [Faults(at, fault) for at, (_, kinds) in enumerate(counting.done) for fault in kinds]:
        here = world.copy()
        with explained(lambda faults=faults: str(faults)):
            try:
                here.sequencer(faults.wrap).admit(STRICT, OPEN.sha256)
            except (Died, AccessError, Unfinished):
                assert admission_of(here) in (OPEN.sha256, STRICT.sha256)
            here.append(TWO)
            here.sequencer().admit(STRICT, OPEN.sha256)
            assert admission_of(here) == STRICT.sha256
            here.check(orphans=True)


class Busy(MemoryStore):
    """A store in which another writer is always first."""

    def swap(self, *_: object) -> str:
        """Lose."""
        raise Conflict("later")


def test_it_gives_up_in_the_end() -> None:
    """After many lost swaps it says that nothing was changed."""
    world = World().grown(3)
    busy = Busy()
    busy.create(world.contents()["private"])
    world.stores["private"] = busy
    with pytest.raises(AccessError, match="other writers were first 200 times; the admission policy is as it was"):
        world.sequencer().admit(STRICT, OPEN.sha256)
