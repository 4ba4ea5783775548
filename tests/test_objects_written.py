"""What a batch writes: what the layout cannot do without, three objects more, and one a day."""

from __future__ import annotations

import pytest

from tiles.keys import signing_key
from tiles.layout import ENTRIES, TILE_WIDTH, level_size, levels
from tiles.sequencer import Sequencer
from tiles.signer import Signer
from tiles.store.memory import MemoryStore

DAY = 86_400.0


class Counting(MemoryStore):
    """Counts what is written."""

    writes = 0

    def create(self, objects):  # type: ignore[no-untyped-def]
        """Count each object."""
        self.writes += len(objects)
        super().create(objects)

    def swap(self, path, data, expected):  # type: ignore[no-untyped-def]
        """Count one object."""
        self.writes += 1
        return super().swap(path, data, expected)


def floor(old: int, new: int) -> int:
    """Return how many tiles and bundles change as a tree grows, and the checkpoint: no layout can write less."""
    changed = 0
    for level in (ENTRIES, *levels(new)):
        first, end = level_size(old, level), level_size(new, level)
        if end > first:
            changed += -(-end // TILE_WIDTH) - first // TILE_WIDTH
    return changed + 1


@pytest.mark.parametrize("size", [1, 10, 100, 256, 1000, 4096, 65_536])
def test_objects_per_batch(size: int) -> None:
    """The floor, and: staged batch, head, kept checkpoint; the first of a day once more."""
    public, private = Counting(), Counting()
    day = [0.0]
    key = signing_key("log.example.com", bytes(32))
    sequencer = Sequencer(public, private, Signer(key, MemoryStore()), now=lambda: day[0])
    sequencer.create()
    sequencer.append([b"first"])
    at = 1
    for batch in range(6):
        before = public.writes + private.writes
        day[0] += DAY * (batch % 2)
        sequencer.append([b"x"] * size)
        assert public.writes + private.writes - before == floor(at, at + size) + 3 + batch % 2
        at += size
