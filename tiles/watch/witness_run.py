"""A witness that asks: it reads logs where they are published, and nobody has to reach it.

    pending      the signed checkpoint of a tree that waits for its cosignatures; a log need not have one
    checkpoint   the published one

The larger one of those that the log's key has signed is cosigned, once the log's own tiles have shown that it extends
what was cosigned last. That is no visit of a client (`tiles.read.client`), which accepts one checkpoint by a policy
and remembers it: here there are two, of which only the log's own lines count, and what was cosigned is the memory.

Each log is visited by itself, and for a bounded time: one that is broken, slow or hostile keeps no other from being
cosigned.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from functools import partial

from tiles.errors import AccessError, ForkError, LogError, NotFound
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.parallel import in_background
from tiles.read.histories import check_extends, unproven
from tiles.read.memories import CheckpointMemory
from tiles.read.tiles import TileSource
from tiles.read.trouble import judged
from tiles.read.verified_tree import VerifiedTree
from tiles.records.paths import PENDING
from tiles.store import Fetcher
from tiles.store.past_caches import fetch_for
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead
from tiles.watch.witness import Last, Witness, WitnessedLog, log_lines

AT_ONCE = 8  # logs
WITHIN = 120.0  # seconds for one log

BEHIND = "behind"  # the log shows a smaller tree, which the one cosigned last begins with


class _Behind(Exception):
    """Nothing is to be cosigned."""

    def __init__(self, last: Last) -> None:
        super().__init__()
        self.last = last


@dataclass(frozen=True, slots=True)
class Visited:
    """What became of a log.

    outcome   COSIGNED, REFRESHED or BEHIND
    tree      what is cosigned last by now, at that time
    error     anything that was raised instead of a result
    """

    log: WitnessedLog
    outcome: str = ""
    tree: TreeHead = EMPTY_TREE
    time: int = 0
    error: BaseException | None = None


def visit(witness: Witness, log: WitnessedLog, fetcher: Fetcher, visits: CheckpointMemory) -> Visited:
    """Cosign what a log shows.

    fetcher   where it is published
    visits    where evidence is kept
    Raises what `Witness.cosign` does; HistoryUnknown for a smaller tree that nothing there shows to be of the same
    history, and ForkError, with the evidence saved.
    """
    shown = offered(log, fetcher)
    newest = shown[-1]
    source = TileSource(fetcher)
    tree = VerifiedTree(source, newest.tree, log.origin)

    def prove(last: Last) -> Sequence[Hash]:
        if last.tree.size <= newest.tree.size:
            return check_extends(last.signed, newest, tree)
        try:
            check_extends(newest, last.signed, VerifiedTree(source, last.tree, log.origin))
        except NotFound as error:
            raise unproven(fetcher.url, newest, last.signed, error, log.policy, visits) from error
        raise _Behind(last)

    try:
        for other in shown[:-1]:
            check_extends(other, newest, tree)
    except ForkError as fork:
        raise witness.forked(log, fork) from None
    try:
        done = witness.cosign(log, newest, prove)
    except _Behind as behind:
        return Visited(log, BEHIND, behind.last.tree, behind.last.time)
    return Visited(log, done.outcome, done.signed.tree, done.time)


def visit_all(
    logs: Sequence[WitnessedLog],
    visit_one: Callable[[WitnessedLog], Visited],
    within: float = WITHIN,
    now: Callable[[], float] = time.monotonic,
) -> Iterator[Visited]:
    """Visit all logs, AT_ONCE at a time, and yield what became of each as it is done.

    within   seconds for each log. A visit that takes longer is given up and counts as failed. Its thread may go on
             until the program ends, and may still cosign: that is as sound as ever
    """
    waiting = deque(logs)
    under_way: dict[Future[Visited], tuple[WitnessedLog, float]] = {}
    while waiting or under_way:
        while waiting and len(under_way) < AT_ONCE:
            log = waiting.popleft()
            under_way[in_background(partial(visit_one, log))] = (log, now() + within)
        first = min(until for _, until in under_way.values())
        done, _ = wait(under_way, timeout=max(0.0, first - now()), return_when=FIRST_COMPLETED)
        for future in done:
            log, _ = under_way.pop(future)
            error = future.exception()
            yield future.result() if error is None else Visited(log, error=error)
        for future, (log, until) in list(under_way.items()):
            if until <= now():
                del under_way[future]
                yield Visited(log, error=AccessError(f"{log.origin}: not done within {within:g} seconds"))


def offered(log: WitnessedLog, fetcher: Fetcher) -> list[SignedCheckpoint]:
    """Return the checkpoints that a log shows and its key has signed, the smaller one first; at least one.

    Raises what is wrong with the published one if neither will do.
    """
    found: list[SignedCheckpoint] = []
    trouble: LogError | AccessError | None = None
    for path in (PENDING, CHECKPOINT):
        try:
            found.append(fetch_for(fetcher, path, MAX_NOTE_SIZE, partial(_accepted, log, f"{fetcher.url}/{path}")))
        except (LogError, AccessError) as error:
            trouble = error
    if not found:
        raise trouble or NotFound(f"{fetcher.url}: there is no checkpoint")
    return sorted(found, key=lambda signed: signed.tree.size)


def _accepted(log: WitnessedLog, where: str, data: bytes) -> SignedCheckpoint:
    with judged(data, where):
        signed = parse_signed_checkpoint(data)
        log_lines(log, signed)
    return signed
