"""gc of what the inbox leaves behind: records of what is decided, and refusals."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.support.collecting import clocked, collect
from tests.support.faults import Died, Faults, GatedStore, Passing
from tests.support.world import World
from tiles.errors import AccessError, UsageError
from tiles.inbox.naming import name_digest, name_in_batch
from tiles.records.decided import format_decided
from tiles.records.paths import decided_path
from tiles.store.memory import MemoryStore
from tiles.upkeep.gc import DAY, gc

NAMES = ["eve/x", "eve/a b", "no folder", "eve/\u00e4", f"ann/{'0' * 32}-{'0' * 64}"]


class Held(Passing):
    """A store that deletes nothing below `inbox/`."""

    def delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            if path.startswith("inbox/"):
                raise AccessError(f"{path}: held on purpose")
            super().delete([path])


def recorded(world: World, *names: str, there: bool) -> list[str]:
    """Record objects as decided, and return the paths of the records."""
    paths = []
    for name in names:
        named = name_in_batch(name)
        paths.append(decided_path(name_digest(named)))
        world.put("private", paths[-1], format_decided(named))
        if there:
            world.put("private", f"inbox/{name}", b"x")
    return paths


def left(world: World, prefix: str) -> list[str]:
    """Return what is below a prefix of the private part."""
    return [listed.path for listed in world.stores["private"].list(prefix)]


@pytest.mark.parametrize("name", NAMES)
def test_a_record_goes_once_its_object_is_gone(name: str) -> None:
    """As long as the object cannot be deleted, the record stays; then both go."""
    world = World().grown(3)
    (path,) = recorded(world, name, there=True)
    private = world.stores["private"]
    world.stores["private"] = Held(private, "private")
    assert collect(world).decided == 0
    assert (left(world, "decided/"), left(world, "inbox/")) == ([path], [f"inbox/{name}"])
    world.stores["private"] = private
    assert collect(world, dry_run=True).decided == 0
    assert collect(world).decided == 1
    assert (left(world, "decided/"), left(world, "inbox/")) == ([], [])


@pytest.mark.parametrize("name", NAMES)
def test_an_object_that_is_gone_already(name: str) -> None:
    """Its record goes, and a dry run says so and changes nothing."""
    world = World().grown(3)
    (path,) = recorded(world, name, there=False)
    assert collect(world, dry_run=True).decided == 1
    assert left(world, "decided/") == [path]
    assert collect(world).decided == 1
    assert left(world, "decided/") == []


def test_an_object_that_cannot_be_looked_at_is_not_gone() -> None:
    """A failure to read or to list shows nothing, so the record stays."""
    world = World().grown(3)
    paths = recorded(world, "eve/x", "eve/a b", there=False)

    class Blind(Held):
        def read(self, path: str, limit: int | None = None):  # type: ignore[no-untyped-def]
            if path.startswith("inbox/"):
                raise AccessError("blind on purpose")
            return super().read(path, limit)

        def list(self, prefix: str):  # type: ignore[no-untyped-def]
            if prefix.startswith("inbox/"):
                raise AccessError("blind on purpose")
            return super().list(prefix)

    world.stores["private"] = Blind(world.stores["private"], "private")
    assert collect(world).decided == 0
    assert left(world, "decided/") == sorted(paths)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (f"decided/{'0' * 64}", b"x"),
        (f"decided/{'0' * 64}", format_decided("eve/x")),
        ("decided/x", format_decided("eve/x")),
        (f"decided/{'0' * 64}", b"x" * 5000),
    ],
)
def test_what_is_no_record_stays(path: str, data: bytes) -> None:
    """Nothing is deleted because of a record that is not one, or has another name."""
    world = World().grown(3)
    world.put("private", path, data)
    world.put("private", "inbox/eve/x", b"x")
    assert collect(world).decided == 0
    assert (left(world, "decided/"), left(world, "inbox/")) == ([path], ["inbox/eve/x"])


def test_the_record_goes_after_the_object() -> None:
    """The object is gone for good, by a barrier, before its record goes: a death between them loses nothing."""
    world = World().grown(3)
    recorded(world, "eve/x", there=True)
    faults = Faults()
    inner = world.stores["private"]
    world.stores["private"] = faults.wrap(inner, "private")
    collect(world)
    names = [name.split("/")[0] for name, _ in faults.done]
    end = names.index("private delete decided")
    assert "private delete inbox" in names[:end]
    assert "private barrier" in names[names.index("private delete inbox") : end]

    world = World().grown(3)
    (path,) = recorded(world, "eve/x", there=True)
    inner = world.stores["private"]

    def die(what: str) -> None:
        if what.startswith("private delete decided"):
            raise Died(what)

    world.stores["private"] = GatedStore(inner, "private", die)
    with pytest.raises(Died):
        collect(world)
    world.stores["private"] = inner
    assert (left(world, "decided/"), left(world, "inbox/")) == ([path], [])
    assert collect(world).decided == 1


def test_refusals_go_after_a_time() -> None:
    """They stay for 30 days, or as long as told; what is no refusal stays for ever."""
    world, clock = clocked()
    world.grown(1)
    private = MemoryStore("private", clock=lambda: clock[0])
    private.create(world.contents()["private"])
    world.stores["private"] = private
    refusals = [f"rejected/.odd/{'0' * 64}", f"rejected/eve/{'0' * 32}-{'1' * 64}"]
    private.create(dict.fromkeys([*refusals, "rejected/x", "rejected/.odd/x"], b"why"))
    start, stores = clock[0], (world.stores["public"], private)
    assert gc(*stores, now=start + 30 * DAY - 1).refusals == 0
    assert gc(*stores, now=start + 30 * DAY, dry_run=True).refusals == 2
    assert gc(*stores, now=start + 10, keep_refusals=10.0).refusals == 2
    assert left(world, "rejected/") == ["rejected/.odd/x", "rejected/x"]
    with pytest.raises(UsageError, match="negative"):
        gc(*stores, now=start, keep_refusals=-1.0)
