"""Importing a log: the entries of another one, in order, through the same commit as any other entries.

    SRC → verified bundles → batches → append → DST, whose root is SRC's at every size

DST's tree has to be a prefix of SRC's. So an import that was interrupted goes on where it stopped, and one that is
repeated later adds what SRC has gained since. Bundles are read and checked by workers (`tiles.workers`), a few ahead;
the order is decided here, by one compare-and-swap a batch. In memory are one batch, and what the workers have ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

from tiles.entries.batching import BATCH_SIZE, MAX_BATCH_BYTES
from tiles.errors import Refused, UsageError, VerificationError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.read.client import LogClient
from tiles.read.runs import Hands
from tiles.read.spread import can_spread, proven_bundles
from tiles.tree.bundle import parse_bundle
from tiles.tree.layout import TILE_WIDTH
from tiles.tree.merkle import TreeHead
from tiles.write.ahead import MAX_BATCH
from tiles.write.results import Appended

_OTHERS = "a log that is imported into may have no other writers"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import added: the entries [first_index, first_index + count), published by `checkpoint`."""

    first_index: int
    count: int
    checkpoint: SignedCheckpoint = field(repr=False)


class Appends(Protocol):
    """What an import needs of a log to write to: a Sequencer, or a Log."""

    def append(self, entries: Sequence[bytes]) -> Appended:
        """Append entries, in order, as one batch, publish it, and say where they are."""
        ...

    def finish(self) -> SignedCheckpoint:
        """Publish what is committed, and return the published checkpoint."""
        ...


def import_log(
    source: LogClient,
    log: Appends,
    *,
    batch_size: int = BATCH_SIZE,
    progress: Callable[[int], None] | None = None,
    hands: Hands | None = None,
) -> Imported:
    """Append to a log the entries that another one has beyond its size, and return what was added, perhaps nothing.

    source       reads the other log; all of it up to the checkpoint of its last visit
    batch_size   entries committed at a time, 1 to MAX_BATCH. A batch ends where the log's size is a multiple of it,
                 and after a bundle's last entry once it has more than MAX_BATCH_BYTES
    progress     is called with how many more of the other log's entries the log has; first with those it had before
    hands        read and check bundles of the other log

    Raises Refused, before anything is added, unless the log is a prefix of the other one; and if another writer adds
    to it meanwhile. Raises VerificationError if the other log is not sound, or if the log does not have its root.
    """
    if not 1 <= batch_size <= MAX_BATCH:
        raise UsageError(f"a batch has 1 to {MAX_BATCH} entries, not {batch_size}")
    published = log.finish()
    first, size = published.tree.size, source.tree.size
    _check_prefix(published.tree, source)
    count = progress or _nobody
    count(first)
    at = first
    for batch in _batches(_bundles(source, first, hands or Hands()), first, batch_size):
        # Reading took a while, and entries that are appended at a wrong index stay there: check the size once more.
        _check_size(log.finish().tree.size, at)
        done = log.append(batch)
        if done.first_index != at:
            raise Refused(
                f"another writer was first: from index {at} on the log has other entries, "
                f"and the {len(batch)} of {source.accepted.signed.origin} that belong there are at {done.first_index}",
                hint=_OTHERS,
            )
        at += len(batch)
        published = done.checkpoint
        _check_root(published.tree, at, source)
        count(len(batch))
    _check_size(published.tree.size, size)
    return Imported(first, size - first, published)


def _check_prefix(tree: TreeHead, source: LogClient) -> None:
    """Raise Refused unless a tree is one that the source had."""
    origin = source.accepted.signed.origin
    if tree.size > source.tree.size:
        raise Refused(
            f"the log has {tree.size} entries, more than the {source.tree.size} of {origin}",
            hint="import the other way round, or into a new log",
        )
    known = source.tree_at(tree.size)
    if tree != known:
        raise Refused(
            f"the log has other entries than {origin}: at size {tree.size} its root is {tree.root.hex()}, "
            f"that of {origin} was {known.root.hex()}",
            hint="import into a new log",
        )


def _check_size(size: int, expected: int) -> None:
    if size != expected:
        raise Refused(f"another writer was first: from index {expected} on the log has other entries", hint=_OTHERS)


def _check_root(tree: TreeHead, size: int, source: LogClient) -> None:
    """Raise VerificationError if a published tree of this size is not the source's; a larger one is not compared."""
    if tree.size == size and tree != (known := source.tree_at(size)):
        raise VerificationError(
            f"the log has root {tree.root.hex()} at size {size}, {source.accepted.signed.origin} has {known.root.hex()}"
        )


def _bundles(source: LogClient, first: int, hands: Hands) -> Iterator[Sequence[bytes]]:
    """Yield the source's entries from an index on, those of one bundle together."""
    size = source.tree.size
    begin, stop = -(-first // TILE_WIDTH), size // TILE_WIDTH
    if not can_spread(source) or begin >= stop:
        yield from _read(source, first, size)
        return
    yield from _read(source, first, begin * TILE_WIDTH)
    with closing(proven_bundles(source, begin, stop, hands)) as done:
        for index, data in enumerate(done, begin):
            if data is not None:
                yield parse_bundle(data, TILE_WIDTH)
            else:  # the client looks for other copies, or says what is wrong
                yield from _read(source, index * TILE_WIDTH, (index + 1) * TILE_WIDTH)
    yield from _read(source, stop * TILE_WIDTH, size)


def _read(source: LogClient, start: int, stop: int) -> Iterator[Sequence[bytes]]:
    """Yield entries as the client reads them, those of one bundle together."""
    for _, entries in groupby(source.entries(start, stop), lambda each: each[0] // TILE_WIDTH):
        yield [entry for _, entry in entries]


def _batches(bundles: Iterable[Sequence[bytes]], first: int, batch_size: int) -> Iterator[list[bytes]]:
    """Yield entries, cut where they are to be committed. first: the index of the first one"""
    batch: list[bytes] = []
    held = 0  # bytes
    at = first
    for entries in bundles:
        start = 0
        while start < len(entries):
            taken = entries[start : start + batch_size - at % batch_size]
            batch += taken
            held += sum(map(len, taken))
            start, at = start + len(taken), at + len(taken)
            if at % batch_size == 0 or (held > MAX_BATCH_BYTES and at % TILE_WIDTH == 0):
                yield batch
                batch, held = [], 0
    if batch:
        yield batch


def _nobody(_: int) -> None:
    """Do nothing: the caller did not ask for progress."""
