"""A directory log whose operator has no more rights than a user: a submitter withdraws theirs from its own folder."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.junk import well_named
from tests.support.world import World, some_entries
from tiles.inbox.submission import format_submission
from tiles.records.paths import INBOX
from tiles.write.results import Sequenced

NOBODY = 65_534
HONEST = some_entries("honest", 2)


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a directory that any user can reach."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o777)
    yield made
    for path in made.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(made)


def as_user(job: Callable[[], None]) -> None:
    """Do a job as a user who is not root."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # of forking beside other threads, of which the job has none
        child = os.fork()
    if child == 0:
        code = 1
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            job()
            code = 0
        except BaseException:  # noqa: BLE001  the child must not come back into pytest
            traceback.print_exc(file=sys.stderr)
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def sequenced(world: World) -> Sequenced:
    """Sequence beside an honest submission, which is logged at once; add and freeze afterwards."""
    for name, data in well_named(format_submission(HONEST), submitter="ann").items():
        world.stores["private"].create({INBOX + name: data})
    done = world.sequencer().sequence()
    assert [world.committed().count(entry) for entry in HONEST] == [1, 1]
    world.append([b"after"])
    world.sequencer().sequence()
    world.sequencer().freeze()
    return done


@pytest.mark.parametrize("mode", [0o555, 0o500, 0o400, 0o300, 0o100, 0o000])
def test_a_folder_without_permission(mode: int, place: Path) -> None:
    """Whatever may not be done in it, the others are served, and nothing of it is logged twice."""

    def run() -> None:
        world = World(place / "log").grown(3)
        own = well_named(format_submission([b"of eve"]), b"junk")
        for name, data in {**own, "eve/a b": b"junk"}.items():
            world.stores["private"].create({INBOX + name: data})
        eve = place / "log" / "private" / "inbox" / "eve"
        eve.chmod(mode)
        done = sequenced(world)
        if mode & 0o400 == 0:
            assert done.backlog.unlistable == ("eve",)
        if mode & 0o500 == 0o500:
            assert len(list(world.stores["private"].list("decided/"))) == 3
        assert world.committed().count(b"of eve") == int(mode & 0o500 == 0o500)
        eve.chmod(0o700)

    as_user(run)
