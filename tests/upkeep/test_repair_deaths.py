"""A repair that dies at any operation: the next one finishes it, and nothing is lost."""

from __future__ import annotations

import pytest

from tests.support.faults import Died, Fault, Faults
from tests.support.repairs import (
    ASIDE,
    DAMAGES,
    SMALL,
    damaged,
    log,
    mirror_of,
    public,
    run,
)
from tests.support.sampling import quickly
from tests.support.world import World
from tiles.errors import AccessError

LOST = {
    "tile/0/000": DAMAGES["zeros"],
    "tile/0/001": DAMAGES["gone"],
    "tile/entries/001": DAMAGES["a bit"],
    "tile/1/000.p/2": DAMAGES["empty"],
    "tile/0/001.p/44": DAMAGES["zeros"],
    "tile/1/000.p/1": DAMAGES["zeros"],
    "tile/0/002.p/30": DAMAGES["empty"],
    "tile/entries/002.p/30": DAMAGES["cut short"],
}
# where the full tile is there for those who miss it
STOOD_IN_FOR = "tile/0/001.p/44"


def broken() -> World:
    """Return a log where every kind of repair is to be done."""
    world = damaged(log(*SMALL), *LOST.items())
    world.stores["public"].create({"tile/0/003": b"foreign"})
    return world


def operations() -> int:
    """Return how many operations a repair has."""
    faults = Faults()
    run(broken(), mirror_of(log(*SMALL)), wrap=faults)
    return len(faults.done)


COUNT = operations()


@pytest.mark.parametrize("at", quickly(range(COUNT), range(0, COUNT, 3)))
@pytest.mark.parametrize("fault", [Fault.NOT_DONE, Fault.DIES])
def test_a_repair_that_dies(at: int, fault: Fault) -> None:
    """A repair that dies anywhere is finished by the next one; nothing that was there is lost at any moment."""
    original, world = log(*SMALL), broken()
    before = public(world)
    mirror = mirror_of(original)
    faults = Faults(at, fault)
    try:
        run(world, mirror, wrap=faults)
    except (Died, AccessError):
        kept = {path.split("/", 2)[2]: data for path, data in world.contents()["private"].items() if ASIDE in path}
        for path, data in before.items():
            assert data in (public(world).get(path), kept.get(path)), path
    assert run(world, mirror).findings == ()
    assert public(original).items() - public(world).items() <= {(STOOD_IN_FOR, public(original)[STOOD_IN_FOR])}
    assert public(world).items() <= public(original).items()
    kept = {path.split("/", 2)[2]: data for path, data in world.contents()["private"].items() if ASIDE in path}
    assert kept == {path: data for path, data in before.items() if public(original).get(path) != data}


def test_order() -> None:
    """The copy in the private part lasts before anything is deleted; what is created lasts before the end."""
    faults = Faults()
    run(broken(), mirror_of(log(*SMALL)), wrap=faults)
    done = [what for what, _ in faults.done]
    changing = [what for what in done if what.split()[1] not in ("read", "list")]
    deleted = [at for at, what in enumerate(changing) if " delete " in what]
    for at in deleted:
        path = changing[at].split()[-1]
        copied = changing.index(f"private create {ASIDE}{path}")
        assert "private barrier" in changing[copied:at]
    assert changing[-1] == "public barrier"
    assert not [what for what in changing if "head" in what or "checkpoint" in what or "staging" in what]
