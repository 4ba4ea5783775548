"""What happens on machines whose power is then cut: runs that come to their end, and runs that die."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext, suppress

from tests.support.endorsing import PUBLIC
from tests.support.faults import Died, Stepped
from tests.support.power_machine import SYSTEMS, Action, LeftOut, Machine, System
from tests.support.witnesses import away
from tests.support.world import explained, some_entries
from tiles.errors import NotFound, Unfinished
from tiles.records.paths import newest_endorsed_path, withheld_path

OURS = some_entries("ours", 10)
OTHERS = some_entries("other", 4)
NEXT: tuple[Action, ...] = (OURS, OTHERS, "finish")


def grown(system: System, base: int) -> Machine:
    """Return a machine with a log of that size; what its last run did not sync does not last yet."""
    machine = Machine(system)
    machine.act("create")
    if base:
        machine.act(some_entries("base", base))
    return machine


# ---- a run dies, another one goes on from what it has not synced

Scene = tuple[Machine, Action, tuple[Action, ...]]  # what there is, what a process does that dies, and the next one

CREATIONS: tuple[tuple[Action, ...], ...] = (("create",), ("create", OURS), (OTHERS,), ("finish",))
APPENDS: tuple[tuple[Action, ...], ...] = ((OURS,), (OTHERS,), ("finish",), ("gc",))
DECISIONS: tuple[tuple[Action, ...], ...] = (("sequence",), (OTHERS,), ("finish",), ("gc",))


def adding(system: System) -> list[Scene]:
    """Return deaths of what creates a log, or adds to it."""
    new = Machine(system)
    scenes: list[Scene] = [(new, "create", then) for then in CREATIONS]
    return scenes + [(grown(system, size), OURS, then) for size in (3, 250) for then in APPENDS]


def deciding(system: System) -> list[Scene]:
    """Return deaths of what submits, or decides what was submitted; one batch logs and refuses, the other refuses."""
    submitted, junk = grown(system, 3), grown(system, 3)
    submitted.act("submit", "submit too much")
    junk.act("submit too much")
    scenes: list[Scene] = [(grown(system, 3), "submit", ("sequence",))]
    return scenes + [(base, "sequence", then) for base in (submitted, junk) for then in DECISIONS]


def rekeying(system: System) -> list[Scene]:
    """Return deaths of what changes the keys of a log, and what comes next: anything, or the same once more."""
    scenes: list[Scene] = [(grown(system, 3), "add_key", then) for then in ((OURS,), ("finish",), ("add_key",))]
    return scenes + [(of_two_keys(system), "retire_key", then) for then in ((OURS,), ("finish",), ("retire_key",))]


def mending(system: System) -> list[Scene]:
    """Return deaths of a repair, which is then made again."""
    return [(damaged(system), "repair", ("repair",))]


def every(calls: range) -> Iterable[int]:
    """Take all."""
    return calls


def a_few(rng: random.Random, share: float) -> Callable[[range], Iterable[int]]:
    """Return what takes a share of all."""
    return lambda calls: [call for call in calls if rng.random() < share]


def deaths(
    scenes: Iterable[Scene], take: Callable[[range], Iterable[int]] = every, site: LeftOut = None
) -> Iterator[Machine]:
    """Yield what there may be after a run died before any of its calls, or none, and another process did something.

    take   chooses, of how many calls the run makes; the last is of one that did not die
    """
    for base, first, then in scenes:
        for lives in take(range(base.copy().act(first).calls + 1)):
            machine = base.copy(site)
            with suppress(Died):
                machine.act(first, lives=lives)
            with explained(lambda: f"{first}, dead before call {lives}, then {then}"), suppress(NotFound):  # noqa: B023
                machine.act(*then)
            machine.cut()
            yield machine


# ---- short ones


def intake(system: System, site: LeftOut = None, base: int = 3) -> Machine:
    """Return what there is after two submissions, of which one is not admitted, and the run that decided them."""
    machine = grown(system, base).copy(site)
    machine.act("submit", "submit too much")
    machine.act("sequence")
    machine.cut()
    return machine


def filed(system: System, site: LeftOut = None) -> Machine:
    """Return what there is after a submission with the file whose digest it is, and the run that published both."""
    machine = grown(system, 3).copy(site)
    machine.act("submit a file")
    machine.act("sequence")
    machine.cut()
    return machine


def filing(system: System) -> list[Scene]:
    """Return deaths of what publishes files of submissions, and logs their entries."""
    submitted = grown(system, 3)
    submitted.act("submit a file", "submit too much", "submit a file")
    return [(submitted, "sequence", then) for then in DECISIONS]


def held(system: System, site: LeftOut = None) -> Machine:
    """Return what there is after a run that could not delete from the inbox what it had decided, and gc."""

    def gate(what: str) -> None:
        if what.startswith("unlink ") and "/inbox/" in what:
            raise OSError(errno.EACCES, "held on purpose")

    machine = grown(system, 3).copy(site)
    machine.act("submit", "submit too much")
    machine.act("sequence", gate=gate)
    machine.act("gc")
    machine.cut()
    return machine


def refused(system: System, site: LeftOut = None) -> Machine:
    """Return what there is after a run died before its head's name was synced, and another one tidied its batch.

    The batch only refuses, so it has nothing to be published, which would have made the head last.
    """
    calls = [""]

    def gate(what: str) -> None:
        if calls[-1].endswith("/head"):
            raise Died(what)
        calls.append(what)

    machine = grown(system, 3)
    machine.act("submit too much")
    machine = machine.copy(site)
    with suppress(Died):
        machine.act("sequence", gate=gate)
    machine.act("finish")
    machine.cut()
    return machine


def admitting(system: System, site: LeftOut = None) -> Machine:
    """Return what there is after a log was given another admission policy."""
    machine = grown(system, 3).copy(site)
    machine.act("admit")
    machine.cut()
    return machine


def of_two_keys(system: System) -> Machine:
    """Return a machine with a log that has got a second key."""
    machine = grown(system, 3)
    machine.act("add_key")
    return machine


def rekeyed(system: System, site: LeftOut = None) -> Machine:
    """Return what there is after a log got a new key, grew by both, and retired the old one."""
    machine = grown(system, 3).copy(site)
    machine.act("add_key")
    machine.act(OTHERS)
    machine.act("retire_key")
    machine.cut()
    return machine


def withheld(system: System, site: LeftOut = None) -> Machine:
    """Return what there is after an entry was withheld, by a run that is not told whether its record lasts."""
    machine = grown(system, 3).copy(site)
    machine.act("withhold", broken=withheld_path(0))
    machine.cut()
    return machine


def endorsed(system: System, site: LeftOut = None) -> Machine:
    """Return what there is after an endorsement was kept, by a run that is not told whether its copy lasts."""
    machine = grown(system, 3).copy(site)
    machine.act("endorse", broken=newest_endorsed_path(PUBLIC.name))
    machine.cut()
    return machine


def damaged(system: System) -> Machine:
    """Return a machine with a log that needs to be repaired."""
    machine = grown(system, 250)
    machine.act(OURS)
    machine.damage()
    return machine


def repaired(system: System, site: LeftOut = None) -> Machine:
    """Return what there is after a log was repaired."""
    machine = damaged(system).copy(site)
    machine.act("repair")
    machine.cut()
    return machine


def rebuilt(system: System, site: LeftOut = None) -> Machine:
    """Return what there is after the private part was lost, and its head was made again."""
    machine = grown(system, 3)
    machine.act(OURS)
    machine.lose_private_part()
    machine = machine.copy(site)
    machine.act("rebuild")
    machine.cut()
    return machine


def collected(system: System, site: LeftOut = None) -> Machine:
    """Return what there is after partial tiles were deleted, while the checkpoint that allows it may not last yet.

    The sync of its name has failed; the run saw that it is there, and died when it kept the checkpoint once more.
    """
    renamed: list[str] = []

    def gate(what: str) -> None:
        if renamed and what.startswith("open_new"):
            raise Died(what)
        if what.startswith("rename ") and what.endswith("/checkpoint"):
            renamed.append(what)

    machine = grown(system, 250).copy(site)
    with suppress(Died):
        machine.act(OURS, broken="checkpoint", gate=gate)
    machine.act("gc")
    machine.cut()
    return machine


def staged_twice(system: System, site: LeftOut = None) -> Machine:
    """Return what there is after a power cut has left a staged batch without its content, and it was staged again."""

    def gate(what: str) -> None:
        if staged and "sync" in what:
            raise Died(what)
        if what.startswith("rename_new ") and "/staging/" in what:
            staged.append(what.removeprefix("rename_new "))

    staged: list[str] = []
    machine = grown(system, 3)
    with suppress(Died):
        machine.act(OURS, gate=gate)
    machine.moments.clear()
    disk = machine.disk
    if staged and disk.find(staged[0]) in disk.unsynced:
        disk.contents[disk.find(staged[0])] = b""
    disk.sync(list(disk.changes), set(disk.unsynced))
    machine = machine.copy(site)
    machine.act(OURS)
    machine.cut()
    return machine


# ---- with witnesses


def witnessed(system: System, base: int, scheme: str = "http") -> Machine:
    """Return a machine with a log of that size whose policy takes both of two witnesses."""
    machine = Machine(system)
    machine.world.witnessed(2, 2, scheme)
    for action in ("create", some_entries("base", base)) if base else ("create",):
        for _ in range(1 if scheme == "http" else 2):  # they come by while the first run shows what it has signed
            with suppress(Unfinished):
                machine.act(action if not machine.world.size() else "finish")
    return machine


def cosigned(system: System, site: LeftOut = None, base: int = 3) -> Machine:
    """Return what there is after entries were added, and cosigned by witnesses that were asked."""
    machine = witnessed(system, base).copy(site)
    machine.act(OURS)
    machine.cut()
    return machine


def visiting(system: System, site: LeftOut = None) -> Machine:
    """Return what there is after witnesses that come by themselves saw `pending` as soon as it could be read."""
    machine = Machine(system, site)
    machine.world.witnessed(2, 2, "s3")
    for action in ("create", "create", OURS, "finish"):
        with suppress(Unfinished):
            machine.act(action)
    machine.cut()
    return machine


def refreshed(system: System, site: LeftOut = None) -> Machine:
    """Return what there is after entries were published below the quorum, and the line that is missing was added."""
    machine = witnessed(system, 3)
    machine.world.history.quorum, machine.world.history.kept_from = 0, 2
    late = list(machine.world.witnesses)[1]
    machine.world.witnesses[late].lie = away
    machine = machine.copy(site)
    machine.act("fail open")
    machine.world.witnesses[late].lie = None
    machine.act("refresh")
    machine.cut()
    return machine


def cosigning(system: System) -> list[Scene]:
    """Return deaths of what asks witnesses, and of what adds their lines."""
    base = witnessed(system, 3)
    return [(base, OURS, then) for then in ((OTHERS,), ("finish",), ("refresh",), ("gc",))]


# ---- two processes at a time


def race(machine: Machine, rng: random.Random, actions: Iterable[Action]) -> None:
    """Let a process do each of these at a time, stepped at random from system call to system call; then cut."""
    machine.world.history.lock = nullcontext()  # type: ignore[assignment]  # never two at a time, and one may stop

    def body(action: Action) -> Stepped[bool]:
        def run(writer: Stepped[bool]) -> bool:
            machine.act(action, gate=writer.gate)
            return True

        return Stepped("writer", run)

    writers = [body(action) for action in actions]
    patience = rng.choice([2, 10, 60])
    try:
        for _ in range(2000):
            running = [writer for writer in writers if not writer.finished]
            if not running:
                break
            writer = rng.choice(running)
            writer.step(rng.randrange(patience))
        assert all(writer.outcome() for writer in writers)
    finally:
        for writer in writers:
            writer.kill()
    machine.cut()


# ---- for the counter-test


def traces(site: LeftOut) -> Iterator[Machine]:
    """Yield runs without that sync, from the simplest on."""
    for system in SYSTEMS:
        machine = Machine(system, site)
        machine.act("create", OURS)
        machine.cut()
        yield machine
        machine = grown(system, 3).copy(site)
        machine.act(OURS)
        machine.cut()
        yield machine
        machine = grown(system, 3).copy(site)
        with suppress(Unfinished):
            machine.act(OURS, broken="head")
        machine.cut()
        yield machine
        for scene in (
            intake,
            held,
            refused,
            admitting,
            withheld,
            endorsed,
            rekeyed,
            repaired,
            collected,
            rebuilt,
            staged_twice,
        ):
            yield scene(system, site)
    for system in SYSTEMS:
        yield from deaths([*adding(system), *deciding(system)], site=site)
