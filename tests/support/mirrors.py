"""Mirrors of logs in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.support.readers import POLICY, Objects
from tiles.read.client import LogClient
from tiles.records.paths import POLICY as POLICY_FILE
from tiles.store import Store
from tiles.store.memory import MemoryStore
from tiles.tree.layout import CHECKPOINT, TILES
from tiles.watch.mirror import Mirror, Mirrored

COPIED = (CHECKPOINT, POLICY_FILE)


def mirror(
    log: Mapping[str, bytes] | Objects, target: Store, told: Callable[[int], None] = lambda _count: None
) -> Mirrored:
    """Mirror a log."""
    client = LogClient(log if isinstance(log, Objects) else Objects(log), POLICY)
    client.visit()
    return Mirror(client, target).run(told)


def contents(store: Store) -> dict[str, bytes]:
    """Return all that a store has."""
    return {listed.path: store.read(listed.path).data for listed in store.list("")}


def tree_of(log: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what a mirror has of a log that grew in one step."""
    return {path: data for path, data in log.items() if path.startswith(TILES) or path in COPIED}


def holding(objects: Mapping[str, bytes]) -> MemoryStore:
    """Return a store with these objects."""
    store = MemoryStore("mirror")
    store.create(objects)
    return store
