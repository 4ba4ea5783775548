"""gc takes what it may and nothing else, at every moment of the life of a log, and whatever happens beside it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.collecting import NOTHING, SIZES, clocked, collect, orphan, partials
from tests.support.faults import Died, Faults, GatedStore
from tests.support.world import NOW, World, some_entries
from tiles.errors import NotFound, Refused, UsageError
from tiles.notes.keys import signing_key
from tiles.records.head import parse_head
from tiles.store.directory import DirectoryStore
from tiles.store.memory import MemoryStore
from tiles.upkeep.gc import DAY, MIN_TEMP_AGE, SAMPLE, Collected, gc


def test_what_goes_and_what_stays() -> None:
    """Partial tiles go if the full one is there; those of the published edge stay, and all that is no tile."""
    world = World().grown(*SIZES)
    for role, path in (
        ("public", "tile/0/000.p/1x"),
        ("public", "tile/x"),
        ("private", "staging/1-2"),
        ("public", "x"),
    ):
        world.put(role, path, b"whatever")
    before = world.contents()
    expected = {
        "tile/0/000.p/100", "tile/0/001.p/44", "tile/0/002.p/88",
        "tile/entries/000.p/100", "tile/entries/001.p/44", "tile/entries/002.p/88",
    }  # fmt: skip
    found = collect(world)
    after = world.contents()
    gone = set(before["public"]) - set(after["public"])
    assert gone == expected
    assert found == Collected(0, 3, 3, 0, 0, sum(len(before["public"][path]) for path in gone), tuple(sorted(gone)))
    assert after["private"] == before["private"]
    assert set(partials(world)) == {
        "tile/0/000.p/1x", "tile/0/003.p/72", "tile/entries/003.p/72",
        "tile/1/000.p/1", "tile/1/000.p/2", "tile/1/000.p/3",
    }  # fmt: skip
    assert collect(world) == NOTHING


def test_dry_run() -> None:
    """A dry run says the same, and asks for no change at all."""
    world = World().grown(*SIZES)
    world.stores["private"].create({orphan(1): b""})
    before = world.contents()
    faults = Faults()
    public, private = (faults.wrap(world.stores[role], role) for role in ("public", "private"))
    found = gc(public, private, now=NOW, grace=0.0, dry_run=True)
    assert {what.split()[1] for what, _ in faults.done} == {"read", "list"}
    assert world.contents() == before
    assert found == collect(world)
    assert found.staged == 1


def test_staged_batches() -> None:
    """A staged batch goes if the head is larger; its age has nothing to do with it."""
    world = World().grown(100)
    private = world.stores["private"]
    head = parse_head(private.read("head").data)
    own = head.staged_path
    assert own is not None
    names = [orphan(size) for size in (0, 1, 99, 100, 101, 500)]
    odd = ["staging/099-" + "0" * 64, "staging/99-" + "A" * 64, "staging/99", f"{orphan(99)}x", "staging/x/y"]
    huge = orphan(2**63)
    private.create(dict.fromkeys([own, *names, *odd, huge], b"12345"))
    found = collect(world, now=NOW * 2)
    assert (found.staged, found.bytes, sorted(found.sample)) == (3, 15, sorted(names[:3]))
    assert [listed.path for listed in private.list("staging/")] == sorted([own, *names[3:], *odd, huge])


def test_probes() -> None:
    """What trying out a bucket has left goes from both parts after a day; nothing else below probe/ does."""
    world, clock = clocked()
    world.grown(1)
    private = MemoryStore("private", clock=lambda: clock[0])
    private.create(world.contents()["private"])
    world.stores["private"] = private
    names = [f"probe/{'0' * 32}", f"probe/{'f' * 32}"]
    others = ["probe/x", f"probe/{'F' * 32}", f"probe/{'0' * 33}", f"probe/{'0' * 32}/x", f"x/probe/{'0' * 32}"]
    for role in ("public", "private"):
        world.stores[role].create(dict.fromkeys([*names, *others], b"try"))
    clock[0] += DAY / 2
    world.stores["public"].create({f"probe/{'1' * 32}": b"new"})
    assert collect(world, now=clock[0] + DAY / 2 - 1, grace=0.0) == NOTHING
    dry = collect(world, now=clock[0] + DAY / 2, grace=9 * DAY, dry_run=True)
    found = collect(world, now=clock[0] + DAY / 2, grace=9 * DAY)
    assert dry == found == Collected(0, 0, 0, 0, 4, 12, (*names, *names))
    left = [listed.path for role in ("public", "private") for listed in world.stores[role].list("probe/")]
    assert sorted(left) == sorted([*others[:-1], *others[:-1], f"probe/{'1' * 32}"])


def test_default_grace_is_a_day() -> None:
    """Partial tiles stay for a day unless told otherwise."""
    clock = [NOW]
    world = World()
    world.stores["public"] = MemoryStore("public", clock=lambda: clock[0])
    world.grown(100, 200)
    stores = world.stores["public"], world.stores["private"]
    assert gc(*stores, now=NOW + DAY - 1) == NOTHING
    assert gc(*stores, now=NOW + DAY).tiles == 1


def test_a_negative_grace() -> None:
    """A negative grace period is a wrong call."""
    with pytest.raises(UsageError, match="grace"):
        collect(World().grown(1), grace=-1.0)


@pytest.mark.parametrize("path", ["tile/0/000", "tile/entries/000"])
@pytest.mark.parametrize("length", [0, 31])
def test_partials_of_a_damaged_full_tile_stay(path: str, length: int) -> None:
    """The partial tile may be all that is left of a full one that was cut short."""
    world = World().grown(100, 200)
    world.put("public", path, bytes(length))
    collect(world)
    assert f"{path}.p/100" in partials(world)
    assert len(partials(world)) == 4  # and the edge


@pytest.mark.parametrize("path", ["tile/0/001", "tile/entries/001"])
def test_partials_of_a_missing_full_tile_stay(path: str) -> None:
    """Only the full tile in its own place lets a partial one go."""
    world = World().grown(*SIZES)
    world.put("public", path, None)
    collect(world)
    assert [each for each in partials(world) if each.endswith((".p/100", ".p/44", ".p/88"))] == [f"{path}.p/44"]


def test_tiles_that_are_not_published_stay() -> None:
    """Full tiles of a committed tree that is not published yet take nothing with them."""
    world = World().grown(100)
    faults = Faults()
    world.copy().sequencer(faults.wrap).append(some_entries("more", 200))
    at = next(i for i, (what, _) in enumerate(faults.done) if what == "public swap checkpoint")
    with pytest.raises(Died):
        world.sequencer(Faults(at - 1).wrap).append(some_entries("more", 200))
    assert "tile/0/000" in world.contents()["public"]
    before = world.contents()
    assert collect(world) == NOTHING
    assert world.contents() == before


def test_no_log(tmp_path: Path) -> None:
    """Without a head there is nothing to go by."""
    with pytest.raises(NotFound):
        gc(DirectoryStore(tmp_path / "a"), DirectoryStore(tmp_path / "b"), now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_no_checkpoint() -> None:
    """A log whose checkpoint is gone loses no tile."""
    world = World().grown(100, 200)
    world.put("public", "checkpoint", None)
    assert collect(world) == NOTHING


def test_a_head_that_was_put_back() -> None:
    """Where head and checkpoint do not agree, only what is published by both accounts takes anything with it."""
    world = World().grown(100, 200, 300)
    older = World().grown(100, 200)
    world.put("private", "head", older.contents()["private"]["head"])
    collect(world)
    assert sorted(path for path in partials(world) if "/0/" in path) == ["tile/0/001.p/44", "tile/0/002.p/88"]


def test_a_checkpoint_of_somebody_else() -> None:
    """Nothing is deleted on account of a checkpoint that the head's key has not signed."""
    world = World().grown(100)
    other = World(key=replace(world.key, **vars_of(signing_key(world.key.name, b"\x07" * 32)))).grown(600)
    world.put("public", "checkpoint", other.contents()["public"]["checkpoint"])
    world.stores["public"].create({"tile/0/000": bytes(8192)})
    world.stores["private"].create({orphan(1): b""})
    before = world.contents()
    with pytest.raises(Refused, match="checkpoint: no signature by"):
        collect(world)
    world.put("public", "checkpoint", b"torn")
    with pytest.raises(Refused, match="malformed"):
        collect(world)
    world.put("private", "head", b"torn")
    with pytest.raises(Refused, match="head: malformed"):
        collect(world)
    world.put("private", "head", before["private"]["head"])
    world.put("public", "checkpoint", before["public"]["checkpoint"])
    assert world.contents() == before


def vars_of(key: object) -> dict[str, object]:
    """Return the verifier and the seed of a signing key."""
    return {name: getattr(key, name) for name in ("verifier", "seed")}


def test_what_was_read_lasts_before_anything_goes() -> None:
    """Both parts are made to last between reading head and checkpoint and the first deletion."""
    world = World().grown(*SIZES)
    world.stores["private"].create({orphan(1): b""})
    faults = Faults()
    gc(*(faults.wrap(world.stores[role], role) for role in ("public", "private")), now=NOW, grace=0.0)
    done = [what for what, _ in faults.done]
    first = next(i for i, what in enumerate(done) if " delete " in what)
    assert done[:2] == ["private read head", "public read checkpoint"]
    assert {"private barrier", "public barrier"} <= set(done[2:first])


def test_no_empty_deletions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deletions come in pieces of what one request may take, and never empty."""
    world = World().grown(*SIZES)
    asked: list[int] = []

    class Strict(GatedStore):
        def delete(self, paths: Iterable[str]) -> None:
            paths = list(paths)
            asked.append(len(paths))
            assert 1 <= len(paths) <= 4
            self.inner.delete(paths)

    monkeypatch.setattr("tiles.upkeep.gc._DELETE_AT_ONCE", 4)
    public, private = (Strict(world.stores[role], role, lambda _: None) for role in ("public", "private"))
    gc(public, private, now=NOW, grace=0.0)
    assert asked == [4, 2]
    gc(public, private, now=NOW, grace=0.0)
    assert asked == [4, 2]


def test_sample() -> None:
    """The report names a few of the paths, and counts them all."""
    world = World().grown(*[5] * 52)
    found = collect(world)
    assert (found.tiles, found.bundles) == (51, 51)
    assert len(found.sample) == SAMPLE


def test_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary files of dead runs go from both parts; those that a run may still want stay, whatever the grace."""
    world = World(tmp_path).grown(1)
    temps = [tmp_path / role / ".tmp" / name for role in ("public", "private") for name in ("old", "new")]
    now = 2_000_000_000.0
    for temp in temps:
        temp.parent.mkdir(exist_ok=True)
        temp.write_bytes(b"half")
        os.utime(temp, (now, now - MIN_TEMP_AGE - 1 if temp.name == "old" else now - MIN_TEMP_AGE))
    assert collect(world, now=now, grace=2 * MIN_TEMP_AGE).temps == 0
    assert collect(world, now=now, dry_run=True).temps == 2
    found = collect(world, now=now)
    assert (found.temps, found.sample) == (2, ("old", "old"))
    assert [temp.name for temp in temps if temp.exists()] == ["new", "new"]
    monkeypatch.delattr(DirectoryStore, "delete")
    monkeypatch.setattr(DirectoryStore, "delete_temps", pytest.fail)
    assert collect(world, now=now) == NOTHING
