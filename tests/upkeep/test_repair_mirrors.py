"""Repair from a mirror: what it has is written only if the signed root proves it."""

from __future__ import annotations

import pytest

from tests.support.readers import Objects
from tests.support.reference import flipped
from tests.support.repairs import (
    DAMAGES,
    LARGE,
    SMALL,
    check_repaired,
    damaged,
    log,
    mirror_of,
    public,
    run,
)
from tests.support.world import World, recording_key, some_entries
from tiles.errors import AccessError
from tiles.tree.bundle import encode_entries


def test_a_mirror_that_has_grown() -> None:
    """What a mirror has of a larger tree is cut."""
    world = log(*SMALL)
    grown = world.copy()
    grown.append(some_entries("more", 100))
    mirror = mirror_of(grown)
    for path in [path for path in mirror.objects if path.endswith(".p/88")]:
        del mirror.objects[path]
    for lost in ("tile/entries/002.p/88", "tile/0/002.p/88"):
        other = damaged(world, *((path, DAMAGES["gone"]) for path in {lost, "tile/entries/002.p/88"}))
        assert run(other, mirror).findings == ()
        check_repaired(other, world)


@pytest.mark.parametrize(
    "lost", [["tile/entries/001"], ["tile/entries/001", "tile/0/001"], ["tile/entries/002.p/88"], ["tile/1/000.p/2"]]
)
def test_a_mirror_that_lies(lost: list[str]) -> None:
    """What a mirror has is written only if the signed root proves it."""
    original = log(*SMALL)
    world = damaged(original, *((path, DAMAGES["gone"]) for path in lost))
    before = public(world)
    other = log(600)
    bundle = "tile/entries/001"
    for content in (
        public(World(key=recording_key(seed=b"\x05" * 32)).grown(600)),
        {path: flipped(data, 77) for path, data in public(original).items()},
        public(other) | {bundle: encode_entries(some_entries("other", 256))},
        dict.fromkeys(public(original), b""),
        dict.fromkeys(public(original), b"\xff" * 100),
        {},
    ):
        done = run(world, Objects(content))
        if lost == ["tile/1/000.p/2"]:
            assert done.findings == ()
            check_repaired(world, original)
            return
        assert {finding.path for finding in done.findings} == set(lost)
        assert public(world) == before


def test_a_mirror_that_cannot_be_reached() -> None:
    """What a mirror that fails keeps from being repaired is reported, with why; it is not asked for ever."""
    original = log(*LARGE)
    lost = [f"tile/entries/{n:03d}" for n in range(20)] + ["tile/0/100"]
    world = damaged(original, *((path, DAMAGES["gone"]) for path in lost))
    mirror = mirror_of(original)

    def fail(path: str) -> None:
        raise AccessError(f"no way to {path}")

    mirror.before = fail
    done = run(world, mirror)
    assert {finding.path for finding in done.findings} == set(lost) - {"tile/0/100"}
    assert done.put_back == 1
    assert any("no way to" in note for note in done.notes)
    assert len(mirror.asked) < 10


def test_a_mirror_that_often_fails() -> None:
    """A mirror that fails for some objects, never for many in a row, is asked for all the others."""
    original = log(*LARGE)
    lost = [f"tile/entries/{n:03d}" for n in range(30)]
    world = damaged(original, *((path, DAMAGES["gone"]) for path in lost))
    mirror = mirror_of(original)
    for number, path in enumerate(lost):
        if number % 5 == 4:
            del mirror.objects[path]

    def fail(path: str) -> None:
        if path.endswith(("0", "1", "2", "5", "6", "7")):
            raise AccessError(f"no way to {path}")

    mirror.before = fail
    done = run(world, mirror)
    assert {finding.path[-1] for finding in done.findings} == set("01256749")
    assert done.put_back == 6


def test_a_mirror_without_a_checkpoint() -> None:
    """A mirror does not have to say how large it is."""
    original = log(*SMALL)
    lost = ("tile/entries/002.p/88", "tile/0/002.p/88", "tile/entries/000")
    world = damaged(original, *((path, DAMAGES["gone"]) for path in lost))
    mirror = mirror_of(original)
    del mirror.objects["checkpoint"]
    assert run(world, mirror).findings == ()
    check_repaired(world, original)
