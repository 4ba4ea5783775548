"""How copies of one log stand to each other."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.support.readers import OTHER_KEY, POLICY, Objects, make_log
from tiles.errors import AccessError, ForkError, LogError, NotFound
from tiles.notes.fork_evidence import check_fork
from tiles.read.client import LogClient
from tiles.read.memories import CheckpointMemory
from tiles.read.same_history import Copy, compare, worst
from tiles.tree.layout import CHECKPOINT
from tiles.user.seen_checkpoints import Visits, read_evidence

SIZES = (3, 300, 600)


def copy_of(size: int, tag: str = "entry", **changed: bytes) -> LogClient:
    """Return a client for a copy of a log at a size."""
    grown = [one for one in SIZES if one <= size]
    return LogClient(Objects({**make_log(*grown, tag=tag), **changed}), POLICY)


def compared(*clients: LogClient, visits: Visits | None = None) -> list[Copy]:
    """Return how each other copy stands to the first one."""
    first, *others = clients
    return compare(first, [(str(n), partial(_same, one)) for n, one in enumerate(others)], POLICY, visits)


def _same(client: LogClient, visits: CheckpointMemory | None) -> LogClient:
    """Return the client; with a memory, another one for the same copy."""
    return client if visits is None else LogClient(client.fetcher, POLICY, visits=visits)


def relations(*clients: LogClient) -> list[str]:
    """Return in a word how each other copy stands to the first one."""
    return [copy.relation for copy in compared(*clients)]


def test_copies_of_one_history() -> None:
    """The same tree, one that is behind, and one that is ahead; each by a proof."""
    assert relations(copy_of(300), copy_of(300), copy_of(3), copy_of(600)) == ["same", "behind", "ahead"]
    assert relations(copy_of(600)) == []


@pytest.mark.parametrize("size", SIZES)
def test_another_history(tmp_path: Path, size: int) -> None:
    """Another history is a fork at every size; the evidence is saved, and holds with the log's key alone."""
    visits = Visits(tmp_path / "state")
    found = compared(copy_of(300), copy_of(size, tag="other"), visits=visits)
    assert [copy.relation for copy in found] == ["fork"]
    error = worst(found)
    assert isinstance(error, ForkError)
    assert check_fork(error.evidence, POLICY)
    (directory,) = (visits.directory / "forks").iterdir()
    assert check_fork(read_evidence(directory), POLICY)
    assert str(directory) in error.hint


def test_two_that_agree_with_the_first_and_not_with_each_other() -> None:
    """Two copies that are both ahead of the first one are compared with each other, too."""
    other = LogClient(Objects(make_log(3, 300, tag="other", same_up_to=3)), POLICY)
    found = relations(copy_of(3), copy_of(600), other)
    assert found == ["ahead", "fork"]


def test_what_cannot_be_compared() -> None:
    """A copy that is not there, or that somebody else signed, is no fork; the worst of all decides."""
    away = LogClient(Objects({}), POLICY)
    forged = copy_of(300, **{CHECKPOINT: make_log(300, key=OTHER_KEY)[CHECKPOINT]})
    found = compared(copy_of(300), away, forged)
    assert [copy.relation for copy in found] == ["unknown", "unknown"]
    assert isinstance(found[0].error, NotFound)
    assert isinstance(worst(found), LogError)
    assert worst(found[:0]) is None
    assert isinstance(worst(found[:1]), AccessError)
    with pytest.raises(NotFound):
        compared(away, copy_of(300))


def test_tiles_that_are_missing() -> None:
    """Where the largest copy lacks the tiles that would show it, the others are not compared, and none is accused."""
    bare = LogClient(Objects({CHECKPOINT: make_log(*SIZES)[CHECKPOINT]}), POLICY)
    assert relations(copy_of(3), bare) == ["unknown"]


def test_what_was_seen_before(tmp_path: Path) -> None:
    """A copy that is ahead of the log must not contradict what was seen before, which was ahead of the log as well."""
    visits = Visits(tmp_path / "state")
    LogClient(Objects(make_log(3, 300, tag="other", same_up_to=3)), POLICY, visits=visits).visit()
    (found,) = compared(copy_of(3), copy_of(600), visits=visits)
    assert found.relation == "fork"
    visits = Visits(tmp_path / "fresh")
    (found,) = compared(copy_of(3), copy_of(600), visits=visits)
    assert found.relation == "ahead"
    (found,) = compared(copy_of(300), copy_of(3), visits=visits)  # which has no tiles of what was seen
    assert found.relation == "behind"
