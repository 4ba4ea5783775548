"""A log of up to ten thousand million entries, computed instead of stored: what a batch writes, and a proof reads.

All entries are the same bytes. Then all full tiles of a level are the same, too, and any tile of a log of any size can
be computed when it is asked for; hashes, proofs and signatures are real, and so is the code that makes and checks them.
"""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

from tests.bench.given import ORIGIN, SEED
from tests.bench.scale_stages import BATCH, ENTRY_SIZE, PROOFS, proofs
from tests.bench.simulate_table import cells
from tests.bench.table import text_table
from tiles.errors import NotFound
from tiles.notes.checkpoint import Checkpoint, sign_checkpoint
from tiles.notes.keys import signing_key
from tiles.tree.bundle import encode_entries
from tiles.tree.edge import Edge
from tiles.tree.layout import CHECKPOINT, ENTRIES, TILE_WIDTH, level_size, levels, parse_tile_path, tile_at
from tiles.tree.merkle import HASH_SIZE, Hash, leaf_hash, node_root
from tiles.tree.plan import plan

SIZES = tuple(10**power for power in range(6, 11))
TIMES = 5  # of which the quickest counts
ENTRY = bytes(ENTRY_SIZE)


def tile_hashes(size: int) -> list[Hash]:
    """Return for each level of tiles the one hash that they all consist of."""
    found = [leaf_hash(ENTRY)]
    while len(found) < len(levels(size)):
        found.append(node_root([found[-1]] * TILE_WIDTH))
    return found


def edge_of(size: int) -> Edge:
    """Return the right edge of the log of a size."""
    hashes = tuple((hash_,) * (level_size(size, level) % TILE_WIDTH) for level, hash_ in enumerate(tile_hashes(size)))
    return Edge(size, hashes, encode_entries([ENTRY] * (size % TILE_WIDTH)))


class Computed:
    """A fetcher of the log of a size."""

    def __init__(self, size: int) -> None:
        self.url, self.parallel = "computed:", 1
        key = signing_key(ORIGIN, SEED)
        self._size = size
        self._hashes = tile_hashes(size)
        self._checkpoint = sign_checkpoint(Checkpoint(ORIGIN, edge_of(size).tree), key).data

    def fetch(self, path: str, limit: int) -> bytes:
        """Return an object, of which none is longer than any limit."""
        del limit
        if path == CHECKPOINT:
            return self._checkpoint
        tile = parse_tile_path(path)
        if tile.level == ENTRIES or tile_at(self._size, tile.level, tile.index) != tile:
            raise NotFound(path)
        return self._hashes[tile.level] * tile.width


def objects(size: int) -> tuple[int, int]:
    """Return how many tiles and bundles a log has once it is of that size, and their bytes."""
    count = total = 0
    for level in (ENTRIES, *levels(size)):
        held = level_size(size, max(level, 0))
        count += -(-held // TILE_WIDTH)
        total += held * (len(ENTRY) + 2 if level == ENTRIES else HASH_SIZE)
    return count, total


def simulate(size: int) -> dict[str, Any]:
    """Plan the last batch of a log of a size, and make proofs of its entries."""
    edge, entries = edge_of(size - BATCH), [ENTRY] * BATCH
    tracemalloc.start()
    planned = plan(edge, entries)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    seconds = []
    for _ in range(TIMES):
        started = time.process_time()
        plan(edge, entries)
        seconds.append(time.process_time() - started)
    count, total = objects(size)
    return {
        "entries": size,
        "levels": len(levels(size)),
        "objects": count,
        "bytes": total,
        "written": len(planned.objects),
        "plan_us": round(1e6 * min(seconds) / BATCH, 3),
        "plan_peak": peak,
        "edge_bytes": sum(len(hashes) * HASH_SIZE for hashes in edge.hashes) + len(edge.bundle),
    } | proofs(Computed(size), PROOFS)


if __name__ == "__main__":
    print(text_table(*cells([simulate(size) for size in SIZES])))
