"""Power cuts beside a witness: what it has given out is there afterwards, whoever wrote it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress

from tests.support.faults import Died
from tests.support.power_machine import SYSTEMS, LeftOut, Machine
from tests.support.witnessing import OURS, ask, witness
from tiles.errors import AccessError, TilesError
from tiles.store import Store

MOST = 128  # choices for which all states are looked at

Call = Callable[[Store], object]


def begin(store: Store) -> object:
    """Begin the log."""
    return witness(store).begin(OURS)


def cosign(store: Store) -> object:
    """Cosign a tree of 200 entries, whether it is cosigned already or not."""
    return ask(witness(store), witness(store).last(OURS).tree.size, 200)


def _in(machine: Machine, call: Call, lives: int | None = None, broken: str = "") -> int:
    """Let a new process do something; return how many calls it made that change or sync something."""
    process = machine.boot(lives=lives, broken=broken)
    call(machine.world.stores["public"])
    return process.calls


def _cuts(base: Machine, call: Call, site: LeftOut) -> Iterator[Machine]:
    """Yield machines whose power is cut after a call has returned: by itself, after a dead one, past a failed sync."""
    for lives in range(_in(base.copy(), call) + 1):
        machine = base.copy(site)
        with suppress(Died):
            _in(machine, call, lives=lives)
        _in(machine, call)
        machine.cut()
        yield machine
    machine = base.copy(site)
    with suppress(AccessError):
        _in(machine, call, broken="/checkpoint")
        machine.cut()
        yield machine


def search_witnesses(site: LeftOut) -> str:
    """Return how a cut takes away what a witness has given out, when that sync is left out; "" if none does."""
    rng = random.Random(0)
    for system in SYSTEMS:
        new = Machine(system)
        begun = new.copy()
        _in(begun, begin)
        begun.disk.sync(list(begun.disk.changes), set(begun.disk.unsynced))
        for base, call, size in ((new, begin, 0), (begun, cosign, 200)):
            for machine in _cuts(base, call, site):
                moment = machine.moments[-1]
                for state in moment.cut.states(MOST, rng):
                    after = moment.after(state, records=False)
                    after.boot()
                    try:
                        last = witness(after.world.stores["public"]).last(OURS)
                    except TilesError as error:
                        return repr(error)
                    if last.tree.size != size:
                        return f"{last.tree.size} instead of {size} after {state}"
    return ""
