"""Whether all addresses of one log show one history.

A log is read from the checkpoint of its first address that has a good one. What the others show is only compared with
it: none of them can make a reader take another tree, and a log that shows another history at one of them is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tiles.errors import AccessError, ForkError, LogError, NotFound, placed
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.parallel import in_parallel
from tiles.read.addresses import Addresses
from tiles.read.client import LogClient
from tiles.read.histories import forked
from tiles.read.memories import CheckpointMemory
from tiles.read.same_history import check_history
from tiles.read.trouble import judged
from tiles.store import Fetcher
from tiles.store.past_caches import fetch_for
from tiles.tree.merkle import TreeHead


@dataclass(frozen=True, slots=True)
class Shown:
    """What one address shows of a log.

    tree      of its checkpoint, which is consistent with the one that the log is read from; None if there is no such
    problem   why there is none; "" if there is
    """

    url: str
    tree: TreeHead | None
    problem: str = ""


def compare(client: LogClient, visits: CheckpointMemory | None) -> list[Shown]:
    """Return what the addresses of a log show, in their order; [] if it has one only.

    client   has visited the log
    Raises ForkError, with the evidence, if the log shows another history at one of them.
    """
    fetcher = client.fetcher
    if not isinstance(fetcher, Addresses):
        return []
    # those that cannot be reached are not waited for again
    reached = fetcher.places()
    found = in_parallel(lambda place: _fetched(place, client), reached, len(reached))
    return list(_compared(client, fetcher, dict(zip(reached, found, strict=True)), visits))


def _compared(
    client: LogClient,
    fetcher: Addresses,
    found: dict[Fetcher, SignedCheckpoint | str],
    visits: CheckpointMemory | None,
) -> Iterator[Shown]:
    for place in fetcher.every:
        there = found.get(place, "it cannot be reached")
        if isinstance(there, str):
            yield Shown(place.url, None, there)
            continue
        try:
            check_history(client, there)
        except ForkError as fork:
            error = forked(fork, client.policy, visits) if visits else fork
            raise placed(error, f"{place.url}/{client.log_format.checkpoint}") from None
        except (LogError, AccessError) as error:
            yield Shown(place.url, None, f"nothing shows that it is of the same history: {error.message}")
        else:
            yield Shown(place.url, there.tree)


def _fetched(place: Fetcher, client: LogClient) -> SignedCheckpoint | str:
    """Return the checkpoint at an address, or why there is none that counts."""
    # a copy may still wait for its quorum: whether the log has signed it is all that matters here
    signers, path = client.policy.without_quorum(), client.log_format.checkpoint

    def accept(data: bytes) -> SignedCheckpoint:
        with judged(data, f"{place.url}/{path}"):
            return signers.accept(client.log_format.parse_checkpoint(data)).signed

    try:
        return fetch_for(place, path, MAX_NOTE_SIZE, accept)
    except NotFound:
        return "there is no checkpoint"
    except (LogError, AccessError) as error:
        return error.message
