"""A log that is moved to another place on a machine whose power is then cut, and what must hold of both places."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.check_log import published, read_or_none
from tests.support.disk_posix import Process
from tests.support.faults import Died, GatedStore
from tests.support.power_cut import NOTHING, State
from tests.support.power_machine import SYSTEMS, LeftOut, Machine, Moment, System
from tests.support.power_outside import ADMISSION
from tests.support.power_scenes import OTHERS, grown
from tests.support.world import ROLES, explained
from tiles.errors import Refused
from tiles.records.paths import ANCHOR, HEAD, MOVING
from tiles.records.settings import Settings
from tiles.retry import Clock
from tiles.signing.signer import Signer
from tiles.store.directory import DirectoryStore
from tiles.tree.layout import CHECKPOINT
from tiles.write.move import Mover, Place
from tiles.write.parts import Parts


def _roots_there(system: System) -> tuple[str, str]:
    """Return where the two parts are moved to: each to a disk of its own, or both on that of the old ones."""
    is_one = len({root.split("/")[1] for root in system.roots}) == 1
    return ("/disk/new", "/disk/new.private") if is_one else ("/four/log", "/five/log.private")


def there(machine: Machine) -> Machine:
    """Return the machine as those have it who use the log in the new place."""
    other = Machine(replace(machine.system, roots=(*_roots_there(machine.system), machine.system.roots[2])))
    other.disk, other.world, other.outside = machine.disk, machine.world, machine.outside
    other.boot()
    return other


# ---- what happens


def before(system: System, site: LeftOut = None) -> Machine:
    """Return a machine with a log on which a submission waits. All of it lasts."""
    machine = grown(replace(system, mounts=(*system.mounts, "/four", "/five")), 3)
    machine.act("submit")
    machine.disk.sync(list(machine.disk.changes), set(machine.disk.unsynced))
    return machine.copy(site)


def move(machine: Machine, meanwhile: Callable[[str], None] = lambda _: None, **process: Any) -> Process:
    """Let a new process move the log, and take down that it was done.

    meanwhile   is called before each operation on the public part of the new place
    process     as `Process` takes it
    """
    started = machine.boot(**process)
    world = machine.world
    public, private, anchor = (world.stores[role] for role in ROLES)
    new = [DirectoryStore(Path(root), started) for root in _roots_there(machine.system)]
    target = Place(Parts(GatedStore(new[0], "new", meanwhile), new[1]), "new", Settings("1"))
    clock = Clock(lambda: world.now, world.pass_time, random.Random(world.writers))
    finish = world.sequencer(admission=ADMISSION).finish
    Mover(Parts(public, private), target, Signer(world.key, anchor), clock).move(finish)
    machine.outside.is_moved = True
    return started


def moved(system: System, site: LeftOut = None) -> Machine:
    """Return what there is after a log was moved."""
    machine = before(system, site)
    move(machine)
    machine.cut()
    return machine


def moved_by_two(system: System, site: LeftOut = None) -> Machine:
    """Return what there is after two processes moved a log, of which one died as soon as the checkpoint was there.

    The other one has made what was there before last by then. It finds the checkpoint, and has nothing to write.
    """
    machine = before(system, site)
    done = [""]

    def meanwhile(what: str) -> None:
        done.append(what)
        if what == f"new read {CHECKPOINT}" and "new barrier" in done:
            with suppress(Died):
                move(machine, gate=_dies_after(f"{_roots_there(system)[0]}/{CHECKPOINT}"))

    move(machine, meanwhile)
    machine.cut()
    return machine


def moved_again(system: System, site: LeftOut = None) -> Iterator[Machine]:
    """Yield what there is after a move died before what it had swapped in lasted, and the same call went on.

    It is owed until a sync makes it last.
    """
    private = _roots_there(system)[1]
    for path in (
        f"{system.roots[2]}/{ANCHOR}",
        f"{system.roots[1]}/{HEAD}",
        f"{private}/{MOVING}",
        f"{private}/{HEAD}",
    ):
        machine = before(system, site)
        with suppress(Died):
            move(machine, gate=_dies_after(path))
        assert not machine.outside.is_moved
        swapped = machine.disk.find(path), path.rpartition("/")[2]
        machine.owed = frozenset(each for each in machine.disk.changes if (each.node, each.name) == swapped)
        move(machine)
        machine.cut()
        yield machine


def _dies_after(path: str) -> Callable[[str], None]:
    """Return a gate at which a process dies once it has renamed something to a path, before it syncs that."""
    calls = [""]

    def gate(what: str) -> None:
        if calls[-1] == f"rename {path}":
            raise Died(what)
        calls.append(what)

    return gate


def moves(site: LeftOut = None) -> Iterator[Machine]:
    """Yield moves without that sync, from the simplest on."""
    for system in SYSTEMS:
        yield moved(system, site)
        yield moved_by_two(system, site)
        yield from moved_again(system, site)


# ---- what must hold


def judge(moment: Moment, state: State) -> None:
    """Hold a state that the cut left, and what the same call makes of it, against the promises."""
    with explained(lambda: str(state)):
        machine = moment.after(state, records=False)
        new = there(machine)
        published(new.world.stores["public"], new.world.verifier)  # no checkpoint is ahead of its tiles
        is_there = read_or_none(new.world.stores["private"], HEAD) is not None
        assert is_there or not machine.outside.is_moved, "the log was moved, and its head is gone"
        if is_there:
            _goes_on(moment.after(state, records=False))
        move(machine)
        _goes_on(machine)
        try:
            machine.act(OTHERS)
        except Refused:
            return
        raise AssertionError("the log goes on in the old place, too")


def _goes_on(machine: Machine) -> None:
    """The log is in the new place, with all that it had in the old one."""
    new = there(machine)
    new.look()
    new.act(OTHERS, "sequence")
    new.check()
    new.outside.check_submissions(new.world, complete=True)


def judge_moves(machine: Machine, rng: random.Random, share: float = 1.0) -> int:
    """Judge a share of the states that a cut at any moment of a move may leave, and return how many."""
    seen = set()
    for moment in reversed(machine.moments):
        if moment.owed or machine.left_out is None:
            for state in moment.cut.states(16, rng, moment.owed if machine.left_out else NOTHING):
                if rng.random() < share and (signature := state.disk.signature()) not in seen:
                    seen.add(signature)
                    judge(moment, state)
    return len(seen)


def judge_owed(machine: Machine, rng: random.Random) -> int:
    """Judge the states in which a cut leaves everything but what is owed, and return how many."""
    owing = [moment for moment in machine.moments if moment.owed]
    for moment in owing:
        judge(moment, next(moment.cut.states(1, rng, moment.owed)))
    return len(owing)
