"""A mirror on a machine whose power is cut: what is published has all of its tree, and the next run makes it whole."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.disk import Disk
from tests.support.disk_posix import Process
from tests.support.faults import Died, Passing
from tests.support.mirrors import contents, mirror, tree_of
from tests.support.power_cut import Cut
from tests.support.readers import make_log
from tests.support.reference import printed_random
from tiles.errors import TilesError
from tiles.store import Store
from tiles.store.directory import DirectoryStore
from tiles.tree.layout import CHECKPOINT

OLD, NEW = make_log(300), make_log(600)
PLACE = Path("/disk/mirror")


class Forgetful(Passing):
    """A directory whose barrier does nothing."""

    def barrier(self) -> None:
        """Do nothing."""


def store_on(disk: Disk, cuts: list[Cut] | None = None, lives: int | None = None, *, forgets: bool = False) -> Store:
    """Return the mirror as a new process has it.

    cuts    gets what there is before each sync
    lives   how many calls it makes before it dies
    """

    def before_sync(_changes: object, _contents: object) -> bool:
        if cuts is not None:
            cuts.append(Cut(disk))
        return True

    process = Process(disk, 1, is_old=False, renamed=lambda _path: None, before_sync=before_sync, lives=lives)
    store = DirectoryStore(PLACE, process)
    return Forgetful(store, "mirror") if forgets else store


def check(disk: Disk, log: Mapping[str, bytes]) -> None:
    """Hold a disk against the promises, and let the next run make it whole."""
    store = store_on(disk)
    left = contents(store)
    whole = tree_of(OLD) | tree_of(log)
    assert left.items() <= whole.items() | tree_of(OLD).items()
    for tree in (OLD, NEW):
        if left.get(CHECKPOINT) == tree[CHECKPOINT]:
            assert left.keys() >= tree_of(tree).keys() - {"policy.txt"}
    mirror(log, store)
    assert contents(store).items() >= tree_of(log).items()


def states(cuts: list[Cut], rng: random.Random, most: int = 6) -> Iterator[Disk]:
    """Yield what cuts may leave."""
    for cut in cuts:
        for state in cut.states(most, rng):
            yield state.disk.copy()


def cut_runs(*, forgets: bool = False) -> Iterator[Disk]:
    """Yield what cuts leave of a mirror that is begun, and then grows."""
    rng = printed_random()
    disk = Disk(["/disk"])
    for log in (OLD, NEW):
        cuts: list[Cut] = []
        mirror(log, store_on(disk, cuts, forgets=forgets))
        yield from states([*cuts, Cut(disk)], rng)


def test_a_cut() -> None:
    """Whatever a cut at any sync leaves, no checkpoint is ahead of its tiles."""
    tried = 0
    for disk in cut_runs():
        check(disk, NEW)
        tried += 1
    assert tried > 20


def test_a_cut_after_a_death() -> None:
    """A run that died has synced nothing of what it did last: the next one does not build on what may be lost."""
    rng = printed_random()
    for lives in rng.sample(range(1, 120), 6):
        disk = Disk(["/disk"])
        mirror(OLD, store_on(disk))
        with suppress(Died):
            mirror(NEW, store_on(disk, lives=lives))
        mirror(NEW, store_on(disk))
        for left in states([Cut(disk)], rng):
            assert contents(store_on(left)).items() >= tree_of(NEW).items()


def test_the_barrier_is_needed() -> None:
    """Without it, a cut leaves a checkpoint without all of its tiles."""

    def run() -> None:
        for disk in cut_runs(forgets=True):
            check(disk, NEW)

    with pytest.raises((AssertionError, TilesError)):
        run()
