"""Mirrors of other people's logs in memory."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from tests.support.other_logs import SUMDB_KEY, SUMDB_ORIGIN, ct_key, static_ct, sumdb
from tests.support.readers import Objects
from tiles.notes.policy import Policy, policy_for
from tiles.read.client import LogClient
from tiles.read.layouts import STATIC_CT, SUMDB
from tiles.read.log_formats import LogFormat
from tiles.store import Store
from tiles.watch.mirror import Mirror, Mirrored


@dataclass(frozen=True)
class Kind:
    """Logs of one format. data: where a full and a partial object of entries are, at a size of 300, and hashes."""

    log_format: LogFormat
    make: Callable[[int], dict[str, bytes]]
    policy: Policy
    data: tuple[str, str, str]

    def tree_of(self, size: int) -> dict[str, bytes]:
        """Return what a mirror has of a log of that size, which grew in one step."""
        return {path: data for path, data in self.make(size).items() if not path.startswith("lookup/")}


KINDS = {
    "sumdb": Kind(
        SUMDB,
        cache(sumdb),
        policy_for(SUMDB_KEY.verifier, SUMDB_ORIGIN),
        ("tile/8/data/000", "tile/8/data/001.p/44", "tile/8/0/001.p/44"),
    ),
    "static-ct": Kind(
        STATIC_CT, cache(static_ct), policy_for(ct_key()), ("tile/data/000", "tile/data/001.p/44", "tile/0/001.p/44")
    ),
}


def mirror_of(kind: Kind, log: Mapping[str, bytes] | Objects, target: Store) -> Mirrored:
    """Mirror a log."""
    client = LogClient(log if isinstance(log, Objects) else Objects(log), kind.policy, log_format=kind.log_format)
    client.visit()
    return Mirror(client, target).run()


def encoded(log: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return a log that keeps its data tiles gzip-encoded."""
    return {path: gzip.compress(data) if "/data/" in path else data for path, data in log.items()}
