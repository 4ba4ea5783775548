"""Logs that are damaged, and their repair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import pytest

from tests.support.faults import Died, Faults
from tests.support.readers import Objects
from tests.support.reference import flipped
from tests.support.world import NOW, World, some_entries
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.policy import policy_for
from tiles.read.runs import Hands
from tiles.store import Fetcher, Store, StoreFetcher
from tiles.tree.layout import ENTRIES, levels, tiles_of
from tiles.upkeep.audit import audit
from tiles.upkeep.repair import Repaired, repair

SMALL = (100, 200, 242, 58)  # 600: two full level-0 tiles, partial ones, a partial tile of level 1
LARGE = (65_536, 600)  # and a full tile of level 1, a partial one of level 2
ASIDE = "set-aside/20961002T070640.000000Z/"
Damage = Callable[[bytes], bytes | None]
DAMAGES: dict[str, Damage] = {
    "gone": lambda _: None,
    "empty": lambda _: b"",
    "cut short": lambda data: data[:-1],
    "too long": lambda data: data + b"\0",
    "a bit": lambda data: flipped(data, len(data) * 8 - 1),
    "zeros": lambda data: bytes(len(data)),
}


@cache
def log(*sizes: int) -> World:
    """Return a log that grew by these; not to be changed."""
    return World().grown(*sizes)


def public(world: World) -> dict[str, bytes]:
    """Return the public objects."""
    return world.contents()["public"]


def signed(world: World) -> SignedCheckpoint:
    """Return the published checkpoint."""
    return parse_signed_checkpoint(world.stores["public"].read("checkpoint").data)


def damaged(world: World, *changes: tuple[str, Damage]) -> World:
    """Return a copy of a log in which some objects are damaged."""
    other = world.copy()
    for path, damage in changes:
        other.put("public", path, damage(other.stores["public"].read(path).data))
    return other


class Told(dict[str, tuple[str, str]]):
    """What was done: path → what, how."""

    def __call__(self, path: str, what: str, how: str) -> None:
        assert path not in self
        self[path] = what, how


def run(
    world: World,
    mirror: Fetcher | None = None,
    told: Told | None = None,
    *,
    fenced: bool = True,
    dry_run: bool = False,
    wrap: Faults | None = None,
    hands: Hands | None = None,
    progress: Callable[[int], None] | None = None,
) -> Repaired:
    """Repair a log."""
    stores: list[Store] = [world.stores[role] for role in ("public", "private")]
    if wrap is not None:
        stores = [wrap.wrap(store, role) for store, role in zip(stores, ("public", "private"), strict=True)]
    return repair(
        StoreFetcher(stores[0]),
        *stores,
        signed(world),
        policy_for(world.verifier),
        now=NOW,
        mirror=mirror,
        fenced=fenced,
        told=told,
        dry_run=dry_run,
        hands=hands,
        progress=progress,
    )


def mirror_of(world: World, parallel: int = 1) -> Objects:
    """Return a mirror of a log."""
    return Objects(public(world), parallel)


def check_repaired(world: World, original: World, wrong: Mapping[str, bytes] = {}) -> None:
    """Check that a log is as it was, and what was wrong kept in the private part."""
    assert public(world) == public(original)
    private = world.contents()["private"]
    assert private == original.contents()["private"] | {f"{ASIDE}{path}": data for path, data in wrong.items()}
    tree = signed(world).tree
    store = world.stores["public"]
    assert audit(StoreFetcher(store), tree, store=store, policy=policy_for(world.verifier)).findings == ()


def tree_paths(world: World) -> list[str]:
    """Return the paths of the tiles and bundles of the published tree, and of earlier ones."""
    return [path for path in public(world) if path.startswith("tile/")]


SMALL_PATHS = tree_paths(log(*SMALL))


def of_tree(size: int) -> set[object]:
    """Return the tiles and bundles of a tree."""
    return {tile for level in (ENTRIES, *levels(size)) for tile in tiles_of(size, level)}


def committed_only(sizes: tuple[int, ...]) -> World:
    """Return a log with a batch of 300 that is committed, and whose writer died after it wrote the tiles."""
    world = World().grown(*sizes)
    faults = Faults()
    world.copy().sequencer(faults.wrap).append(some_entries("more", 300))
    number = max(i for i, (what, _) in enumerate(faults.done) if what.startswith("public create tile/"))
    with pytest.raises(Died):
        world.sequencer(Faults(number).wrap).append(some_entries("more", 300))
    return world
