"""Bundles that workers read and check, ahead of whoever takes them one after the other.

What a worker cannot read or believe is left to whoever takes them: `LogClient` looks for other copies, and says what is
wrong when it is that bundle's turn.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from itertools import chain

from tiles.errors import TilesError
from tiles.read.client import LogClient
from tiles.read.log_formats import TLOG_TILES
from tiles.read.runs import Hands, Run, some_bundles, some_bundles_at
from tiles.store.past_caches import Several
from tiles.tree.layout import TILE_WIDTH
from tiles.workers import HERE

_BUNDLES = 16  # of one run: few enough that their bytes can be held, for each worker and two more


def can_spread(client: LogClient) -> bool:
    """Tell whether others can read a log: each copy of one that has several is judged where it is read."""
    return client.log_format is TLOG_TILES and not isinstance(client.fetcher, Several)


def proven_bundles(client: LogClient, first: int, stop: int, hands: Hands) -> Generator[bytes | None]:
    """Yield the full bundles [first, stop) of a log, in order; None for one that the client is to be asked for.

    Raises what the client raises when the hashes above them cannot be read.
    """
    share = hands.share(client.fetcher)

    def runs() -> Iterator[Run]:
        for at in range(first, stop, _BUNDLES):
            yield Run(at, client.bundle_roots(at, min(at + _BUNDLES, stop)), share)

    here, there = partial(some_bundles, client.fetcher), partial(some_bundles_at, hands.url)
    with closing(hands.workers.each(runs(), here, there)) as done:
        yield from chain.from_iterable(done)


class ReadAhead:
    """The full bundles of a log from some place on, read by others until it is closed."""

    def __init__(self, client: LogClient, hands: Hands) -> None:
        self.is_used = hands.workers is not HERE and can_spread(client)
        self._client = client
        self._hands = hands
        self._at = 0  # the bundle that `_bundles` yields next
        self._bundles: Generator[bytes | None] | None = None

    def bundle(self, index: int) -> bytes | None:
        """Return a full bundle, which leads to the tree; None if the client is to be asked for it."""
        if not self.is_used:
            return None
        if self._bundles is None or self._at != index:
            self.close()
            self._bundles = proven_bundles(self._client, index, self._client.tree.size // TILE_WIDTH, self._hands)
        self._at = index + 1
        try:
            return next(self._bundles, None)
        except TilesError:  # of a bundle further on, perhaps: it is said when it is that one's turn
            self.close()
            self.is_used = False
            return None

    def close(self) -> None:
        """Drop what was read ahead and was not taken."""
        if self._bundles is not None:
            self._bundles.close()
            self._bundles = None
