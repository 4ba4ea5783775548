"""The one swap that decides: whose commit it was, where the reply is lost or another writer was first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.faults import Fault, Faults, Passing
from tests.support.submissions import with_inbox
from tests.support.traced_posix import temps
from tests.support.world import World, Wrap, not_wrapped, recording_key, some_entries
from tiles.errors import Conflict, OutcomeUnknown
from tiles.records.staged_batch import Batch
from tiles.retry import Clock
from tiles.signing.signer import Signer
from tiles.store import Store, Version
from tiles.store.directory import DirectoryStore
from tiles.tree.plan import plan
from tiles.write.cosign import Witnessing
from tiles.write.load import Expected
from tiles.write.parts import Parts
from tiles.write.recover import Steps
from tiles.write.sequencer import Sequencer

NEW = some_entries("new", 10)


class Interrupted(Passing):
    """A private part during whose first swap of the head something else happens.

    done    whether the swap is done, before that
    error   what is raised after it
    """

    def __init__(self, inner: Store, done: bool, meanwhile: Callable[[], object], error: Exception) -> None:
        super().__init__(inner, "private")
        self._done = done
        self._meanwhile = meanwhile
        self._error: Exception | None = error

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Swap it; the first time, raise after something else has happened."""
        if path != "head" or self._error is None:
            return super().swap(path, data, expected)
        error, self._error = self._error, None
        if self._done:
            super().swap(path, data, expected)
        self._meanwhile()
        raise error


def interrupted(done: bool, meanwhile: Callable[[], object], error: Exception) -> Wrap:
    """Return what interrupts a writer at its first commit."""
    return lambda store, role: (
        Interrupted(store, done, meanwhile, error) if role == "private" else not_wrapped(store, role)
    )


@pytest.mark.parametrize("fault", [Fault.NOT_DONE_UNKNOWN, Fault.DONE_UNKNOWN])
@pytest.mark.parametrize("swap", ["private swap head", "anchor swap anchor", "public swap checkpoint"])
def test_a_lost_reply_is_looked_up(swap: str, fault: Fault) -> None:
    """An append goes on after a swap without a reply, done or not, and its entries are added once."""
    world = World().grown(250)
    counting = Faults()
    world.copy().sequencer(counting.wrap).append(NEW)
    at = [name for name, _ in counting.done].index(swap)
    done = world.sequencer(Faults(at, fault).wrap).append(NEW)
    assert (done.first_index, done.count) == (250, 10)
    world.acknowledged.append((250, NEW))
    world.check()


def test_a_commit_that_others_have_built_on_is_ones_own() -> None:
    """The reply is lost, others publish the batch and go on: the entries are where they were committed, and once."""
    world = World().grown(250)

    def meanwhile() -> None:
        world.pass_time(1000.0)
        world.append([b"more"])

    done = world.sequencer(interrupted(True, meanwhile, OutcomeUnknown("lost"))).append(NEW)
    assert (done.first_index, done.count) == (250, 10)
    assert (world.committed() or ())[250:] == (*NEW, b"more")


def test_whoever_was_surely_first_is_not_taken_for_oneself() -> None:
    """A conflict at the first try is another's commit, be it of the very same entries: ours are added after it."""
    world = World().grown(250)

    def meanwhile() -> None:
        world.append(NEW)
        world.append([b"more"])

    done = world.sequencer(interrupted(False, meanwhile, Conflict("later"))).append(NEW)
    assert (done.first_index, done.count) == (261, 10)
    assert done.retries == 1
    assert (world.committed() or ())[250:] == (*NEW, b"more", *NEW)


@pytest.mark.parametrize("error", [OutcomeUnknown("lost"), Conflict("later")])
def test_a_run_does_not_claim_submissions_that_another_one_decided(error: Exception) -> None:
    """Another run decides the same submissions and goes on: this one has taken none of them."""
    world = with_inbox(3)

    def meanwhile() -> None:
        assert world.sequencer().sequence().count == 6
        world.append([b"more"])

    done = world.sequencer(interrupted(False, meanwhile, error)).sequence()
    assert (done.first_index, done.count, done.took, done.refused, done.retries) == (10, 0, (), (), 1)
    world.check(orphans=True)


def test_a_run_says_what_it_took_after_a_lost_reply() -> None:
    """The head is in place, nobody has said so: the answer is the one of a run with a reply."""
    world = with_inbox(3)
    expected = world.copy().sequencer().sequence()
    done = world.sequencer(interrupted(True, lambda: None, OutcomeUnknown("lost"))).sequence()
    assert (done.first_index, done.count, done.took, done.refused) == (3, 6, expected.took, expected.refused)


def test_a_lost_race_leaves_no_temporary_files(tmp_path: Path) -> None:
    """What was prepared with the staged batch, in any of the three directories, goes with the swap that was lost."""

    def directories() -> tuple[Parts, Signer]:
        public, private, anchor = (DirectoryStore(tmp_path / role) for role in ("log", "log.private", "anchor"))
        return Parts(public, private), Signer(recording_key(), anchor)

    def left() -> list[str]:
        return [name for role in ("log", "log.private", "anchor") for name in temps(tmp_path / role)]

    parts, signer = directories()
    ours = Steps.of(parts, signer, Expected(signer.verifier), Clock(), Witnessing())
    other, key = directories()
    writer = Sequencer(other.public, other.private, key)
    writer.create()
    state = ours.loader.load()
    planned = plan(ours.tree.right_edge(state.head.tree), [b"ours"])
    batch = Batch(planned.base, planned.count)
    name = ours.committer.stage(batch, planned.pieces, on=state, planned=planned)
    assert len(left()) == 2 + len(planned.objects)  # the head, the anchor, the tiles
    writer.append([b"theirs"])
    assert ours.committer.commit(state, planned.tree, batch, name) is None
    assert left() == []
