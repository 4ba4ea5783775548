"""Logs whose partial tiles and staged batches are collected, and what must hold of them then."""

from __future__ import annotations

from tests.support.world import NOW, World
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.policy import policy_for
from tiles.store import StoreFetcher
from tiles.store.memory import MemoryStore
from tiles.tree.layout import parse_tile_path
from tiles.upkeep.audit import audit
from tiles.upkeep.gc import Collected, gc

NOTHING = Collected(0, 0, 0, 0, 0, 0, ())
SIZES = (100, 200, 300, 240)  # 100, 300, 600, 840: several partial tiles, and then the full ones


def collect(
    world: World, *, now: float = NOW, grace: float = 0.0, keep_refusals: float = 1e12, dry_run: bool = False
) -> Collected:
    """Run gc; refusals stay, unless told otherwise."""
    stores = world.stores["public"], world.stores["private"]
    return gc(*stores, now=now, grace=grace, keep_refusals=keep_refusals, dry_run=dry_run)


def partials(world: World) -> list[str]:
    """Return the paths of all partial tiles and bundles."""
    return [listed.path for listed in world.stores["public"].list("tile/") if ".p/" in listed.path]


def assert_sound(world: World, *, complete: bool = True, orphans: bool = True) -> None:
    """Check the log, of which nothing but partial tiles with full ones may be gone, and audit it as its readers do."""
    public = world.stores["public"]
    there = {listed.path for listed in public.list("")}
    for path in set(world.history.contents) - there:
        tile = parse_tile_path(path)
        assert not tile.is_full
        assert tile.full.path in there, f"{path} is gone, and there is no full one"
        world.put("public", path, world.history.contents[path])  # for the checker, who does not know of gc
    removed = set(world.history.contents) - there
    try:
        world.check(complete=complete, orphans=orphans)
    finally:
        public.delete(removed)
    for note in world.history.checkpoints:
        tree = parse_signed_checkpoint(note).tree
        report = audit(StoreFetcher(public), tree, store=public, policy=policy_for(world.verifier))
        assert not report.findings, report.findings


def orphan(size: int) -> str:
    """Return the path of a batch that was staged for a size, and lost."""
    return f"staging/{size}-{'0' * 64}"


def clocked() -> tuple[World, list[float]]:
    """Return a log whose public part has a clock, and the clock."""
    clock = [NOW]
    world = World()
    world.stores["public"] = MemoryStore("public", clock=lambda: clock[0])
    return world, clock
