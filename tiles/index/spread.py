"""A log whose records are computed by workers, ahead of whoever builds its index; docs/index-format.md, "Records".

The records of a step's entries are a pure function of them. Whoever builds takes one step after the other, and sorts,
merges and signs, while the records of the next steps are computed. What a worker cannot read or believe is computed by
the builder as ever, who then says what is wrong.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import partial

from tiles.entries.key_kinds import OWN_KINDS
from tiles.entries.kind import LEAF
from tiles.index.order import in_order
from tiles.index.record import leaf_records, records_of
from tiles.read.client import LogClient
from tiles.read.runs import Hands, Run, opened, right_bundles, right_tiles
from tiles.store import Fetcher
from tiles.tree.bundle import parse_bundle
from tiles.tree.layout import TILE_WIDTH
from tiles.tree.merkle import Hash, TreeHead
from tiles.workers import HERE

SPAN = 1 << 16  # entries, for which records are computed together


class SpreadLog:
    """Reads a log as its client does (`tiles.index.build.Entries`), and has its records computed by others.

    hands   those who compute; without any, nothing is computed ahead
    """

    def __init__(self, client: LogClient, hands: Hands) -> None:
        self._client = client
        self._hands = hands
        self._at = ("", 0)  # the kind and the first entry of the records that `_ahead` yields next
        self._ahead: Generator[bytes | None] | None = None

    @property
    def tree(self) -> TreeHead:
        """Size and root."""
        return self._client.tree

    def tree_at(self, size: int) -> TreeHead:
        """Return the tree that the log had at a size up to its own."""
        return self._client.tree_at(size)

    def entries(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """Yield (index, entry) for start ≤ index < stop."""
        return self._client.entries(start, stop)

    def leaves(self, start: int, stop: int) -> Iterator[Sequence[Hash]]:
        """Yield the leaf hashes of the entries [start, stop), several at a time, in order."""
        return self._client.leaves(start, stop)

    def records(self, kind: str, start: int, stop: int) -> bytes | None:
        """Return the records of entries, sorted and joined; None if nobody has computed them.

        Local kinds are computed here: nobody knows whether others have the same code for them.
        """
        if self._hands.workers is HERE or kind not in OWN_KINDS or start % SPAN or stop - start != SPAN:
            return None
        if self._ahead is None or self._at != (kind, start):
            self.close()
            self._ahead = self._computed(kind, start)
        self._at = kind, stop
        return next(self._ahead, None)

    def close(self) -> None:
        """Drop what was computed ahead and was not asked for."""
        if self._ahead is not None:
            self._ahead.close()
            self._ahead = None

    def _computed(self, kind: str, start: int) -> Generator[bytes | None]:
        fetcher, workers = self._client.fetcher, self._hands.workers
        runs = (self._run(first) for first in range(start, self.tree.size - SPAN + 1, SPAN))
        yield from workers.each(
            runs, partial(records_in_run, fetcher, kind), partial(_records_in_run_at, self._hands.url, kind)
        )

    def _run(self, start: int) -> Run:
        first = start // TILE_WIDTH
        roots = self._client.bundle_roots(first, first + SPAN // TILE_WIDTH)
        return Run(first, roots, self._hands.share(self._client.fetcher))


def records_in_run(fetcher: Fetcher, kind: str, run: Run) -> bytes | None:
    """Return the records of the entries of a run, sorted and joined; None if one of its objects will not do."""
    records: list[bytes] = []  # those of each object, joined
    for index, data in enumerate(right_tiles(fetcher, run) if kind == LEAF else right_bundles(fetcher, run), run.first):
        if data is None:
            return None
        first = index * TILE_WIDTH
        if kind == LEAF:
            records.append(leaf_records(data, first))
        else:
            records.append(records_of(kind, parse_bundle(data, TILE_WIDTH), first))
    return b"".join(in_order(records))


def _records_in_run_at(url: str, kind: str, run: Run) -> bytes | None:
    """Do the same in another process, which opens the log itself."""
    return records_in_run(opened(url), kind, run)
