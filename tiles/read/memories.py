"""What a client remembers between visits, as it needs it; `tiles.user` has one of each on this machine's disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.keys import VerifierKey
from tiles.tree.layout import Tile


class CheckpointMemory(Protocol):
    """What was seen of logs before (`tiles.user.seen_checkpoints.Visits` is one). Methods raise AccessError."""

    def last(self, key: VerifierKey, origin: str | None = None) -> SignedCheckpoint | None:
        """Return the last checkpoint remembered of the log whose key this is, or None. origin: if not the key's name"""
        ...

    def remember(self, key: VerifierKey, signed: SignedCheckpoint, since: SignedCheckpoint | None) -> bool:
        """Remember a checkpoint; return False, and change nothing, unless `since` is still what `last` returns."""
        ...

    def before(self, key: VerifierKey, origin: str | None = None) -> tuple[VerifierKey, ...]:
        """Return the keys by which the log of this key was known before it: what was seen by them counts for it."""
        ...

    def save_evidence(self, key: VerifierKey, evidence: Mapping[str, bytes]) -> object:
        """Keep the evidence of a fork, and return where it is, which will be printed."""
        ...


class TileMemory(Protocol):
    """Full tiles that were believed before. Nothing in it has to be right: it is verified like what is fetched.

    origin   of the log, or what stands for it (`tiles.notes.log_identity.kept_as`)
    """

    def get(self, origin: str, tile: Tile) -> bytes | None:
        """Return what was kept for a full tile of a log, or None."""
        ...

    def put(self, origin: str, tile: Tile, data: bytes) -> None:
        """Keep a full tile that was believed."""
        ...

    def drop(self, origin: str, tile: Tile) -> None:
        """Forget a tile, which was found to be wrong."""
        ...
