"""Mirrors of logs in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.support.readers import POLICY, Objects
from tests.support.signed_text import LOG
from tiles.notes.withheld import Entry, Withheld, sign_withheld
from tiles.read.client import LogClient
from tiles.records.paths import POLICY as POLICY_FILE
from tiles.records.paths import withheld_path
from tiles.store import Store
from tiles.store.memory import MemoryStore
from tiles.tree.layout import CHECKPOINT, TILE_WIDTH, TILES
from tiles.tree.merkle import HASH_SIZE, to_hash
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


def withholding(log: Mapping[str, bytes], bundle: int) -> dict[str, bytes]:
    """Return a log that withholds the first entry of a bundle, and has signed that it does."""
    leaf = to_hash(log[f"tile/0/{bundle:03}"][:HASH_SIZE])
    said = Withheld(LOG.verifier.name, bundle, (Entry(bundle * TILE_WIDTH, leaf, "a court said so"),))
    record = {withheld_path(bundle): sign_withheld(said, LOG).data}
    return {path: data for path, data in log.items() if path != f"tile/entries/{bundle:03}"} | record
