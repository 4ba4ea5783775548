"""The two parts of a log, which are handed on together."""

from __future__ import annotations

from dataclasses import dataclass

from tiles.store import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """Where a log is.

    public    what is served: checkpoint, tiles, entry bundles, and what is kept beside them
    private   what is never served: head, staged batches, the inbox
    """

    public: Store
    private: Store
