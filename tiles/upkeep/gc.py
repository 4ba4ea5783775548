"""Removing what a log has no use for any more, while others may be reading and writing it.

Seven kinds of objects go, each by a rule that no writer, however long it was stopped, can turn into a loss:

- a staged batch of a size below the head's. A batch can be committed only on top of a head no larger than itself, and
  heads never shrink. A batch of the head's own size may hold refusals and no entries, and could still be committed. Age
  does not matter: a larger batch, however old, may be what a stopped writer commits next.
- a partial tile or bundle whose full one is part of the published tree, and has been there for a while (tlog-tiles
  "Partial Tiles": logs "MAY delete any partial tile once the corresponding full tile is … available"). Readers who look
  for it find the full one. The full one must also be part of a tree that was published as long ago: every checkpoint
  since then is at least that large, and needs the full one itself. The age of the full one alone proves less: the run
  that wrote it may have died, and its tree may have been published days later.
- objects of index runs that were merged into larger ones (`tiles.upkeep.superseded`).
- temporary files of a directory that are too old for a running writer to need.
- objects that trying out a bucket has left behind.
- refusals, after a time in which their submitters can look at them.
- records of submissions that are decided, once their objects are seen not to be there. What was decided never comes
  back, because a submission's name is never used again. gc first tries once more to delete these objects.

The head is read first, then the checkpoint, then the listing. Head and tree only grow meanwhile, so a rule that held
for what was read still holds when objects are deleted. Objects whose paths are not recognised stay. If a run dies, the
next one deletes the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import nlargest
from itertools import islice
from typing import Protocol, runtime_checkable

from tiles.errors import AccessError, LogError, Malformed, NotFound, Refused, UsageError
from tiles.inbox.clearing import clear, gone
from tiles.inbox.naming import is_rejection_path, name_digest
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.keys import parse_vkey
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import policy_of
from tiles.records.decided import MAX_DECIDED_SIZE, parse_decided
from tiles.records.head import Head
from tiles.records.paths import (
    CHECKPOINTS,
    DECIDED,
    REJECTED,
    STAGING,
    checkpoint_path,
    decided_digest,
    kept_size,
    staged_size,
)
from tiles.store import Listed, Store
from tiles.store.probe import PROBES
from tiles.tree.layout import BUNDLES, CHECKPOINT
from tiles.upkeep.superseded import merged_runs, own_index_heads, partial_tiles
from tiles.write.load import read_head

DAY = 86_400.0  # seconds
KEPT_REFUSALS = 30 * DAY
MIN_TEMP_AGE = 3600.0  # seconds; a running writer needs a temporary file for moments only
SAMPLE = 20  # paths

_UNCHANGED = "nothing was deleted"
_DELETE_AT_ONCE = 1000  # the most that one request of an object store takes
_CANDIDATES = 8  # how many kept checkpoints are read, largest first, to find one that the log signed
_PROBE = re.compile(rf"{PROBES}[0-9a-f]{{32}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Collected:
    """What was deleted, or in a dry run would be.

    staged, tiles, bundles, temps, probes   how many staged batches, partial tiles, partial bundles, temporary files,
                                            objects that trying out a bucket has left
    bytes                                   of all but the temporary files, as stored
    sample                                  the first SAMPLE paths
    refusals, decided                       how many refusals, and records of decided submissions that are gone
    runs                                    how many objects of merged index runs
    """

    staged: int
    tiles: int
    bundles: int
    temps: int
    probes: int
    bytes: int
    sample: tuple[str, ...]
    refusals: int = 0
    decided: int = 0
    runs: int = 0


@runtime_checkable
class KeepsTemps(Protocol):
    """A store whose dead runs leave temporary files behind."""

    def stale_temps(self, before: float) -> Sequence[str]:
        """Return the names of temporary files last written before a time (seconds since the epoch)."""
        ...

    def delete_temps(self, names: Iterable[str]) -> None:
        """Delete them."""
        ...


def gc(
    public: Store,
    private: Store,
    *,
    now: float,
    grace: float = DAY,
    keep_refusals: float = KEPT_REFUSALS,
    dry_run: bool = False,
) -> Collected:
    """Delete what the log has no use for any more, and say what that was.

    now     seconds since the epoch
    grace   seconds for which partial tiles stay once the full tile is there and published, for readers without a way
            to fall back, and index runs once they are merged
    keep_refusals   seconds for which refusals stay
    Raises NotFound if there is no log; Refused if the head is malformed, or the checkpoint not of its log.
    """
    if min(grace, keep_refusals) < 0:
        raise UsageError(f"the grace period is {min(grace, keep_refusals)} seconds, and cannot be negative")
    head = _head(private)
    covered = min(_published_size(public, head), head.tree.size)
    covered = min(covered, _size_at(public, head, now - grace))
    indexes = own_index_heads(public, head)
    if not dry_run:
        # What was just read must last before anything is deleted because of it: after a power cut an older head could
        # need its batch, an older checkpoint its partial tiles, and an older index head its runs.
        private.barrier()
        public.barrier()
    broom = _Broom(dry_run)
    # The writer that staged such a batch read a smaller head, so its commit fails: the head has changed.
    broom.sweep(private, "staged", _staged(private, head))
    # Writers and readers of the published tree, or of a larger one, never read these; those of a smaller one fall back.
    broom.sweep(public, "tile", partial_tiles(public, covered, now - grace))
    broom.sweep(public, "run", merged_runs(public, indexes, now - grace))
    broom.sweep(private, "refusal", _refusals(private, now - keep_refusals))
    for gone_for_good in _decided(private, dry_run=dry_run):
        broom.sweep(private, "decided", iter(gone_for_good))
    # Trying out a store takes seconds, so after a day its objects are left-overs.
    for store in (private, public):
        broom.sweep(store, "probe", _probes(store, now - DAY))
    # A writer that was stopped for so long fails when it gives its file a name, and has changed nothing.
    for store in (private, public):
        broom.sweep_temps(store, now - max(grace, MIN_TEMP_AGE))
    return broom.collected()


class _Broom:
    """Deletes, or only pretends to, and counts."""

    def __init__(self, dry_run: bool) -> None:
        self._dry_run = dry_run
        self._counts: Counter[str] = Counter()
        self._sample: list[str] = []

    def sweep(self, store: Store, kind: str, found: Iterator[Listed]) -> None:
        # Objects are deleted while the listing goes on: memory stays flat, and each was listed before it is deleted.
        while listed := list(islice(found, _DELETE_AT_ONCE)):
            paths = [each.path for each in listed]
            if not self._dry_run:
                store.delete(paths)
            self._count(paths, kind)
            self._counts["bytes"] += sum(each.size for each in listed)

    def sweep_temps(self, store: Store, before: float) -> None:
        if isinstance(store, KeepsTemps) and (names := store.stale_temps(before)):
            if not self._dry_run:
                store.delete_temps(names)
            self._count(names, "temp")

    def _count(self, paths: Sequence[str], kind: str) -> None:
        for path in paths:
            self._counts["bundle" if path.startswith(BUNDLES) else kind] += 1
        self._sample += paths[: SAMPLE - len(self._sample)]

    def collected(self) -> Collected:
        counts = self._counts
        return Collected(
            counts["staged"],
            counts["tile"],
            counts["bundle"],
            counts["temp"],
            counts["probe"],
            counts["bytes"],
            tuple(self._sample),
            counts["refusal"],
            counts["decided"],
            counts["run"],
        )


def _head(private: Store) -> Head:
    try:
        return read_head(private)[0]
    except LogError as error:
        raise Refused(error.message, hint=_UNCHANGED) from error


def _published_size(public: Store, head: Head) -> int:
    """The size of the published checkpoint, signed by a key of the head's; 0 if there is none."""
    try:
        data = public.read(CHECKPOINT, MAX_NOTE_SIZE).data
    except NotFound:
        return 0
    try:
        return _own(data, head).tree.size
    except LogError as error:
        # otherwise anyone who can write a checkpoint there could make this delete tiles that are still needed
        raise Refused(f"{public.url}/{CHECKPOINT}: {error.message}", hint=_UNCHANGED) from error


def _size_at(public: Store, head: Head, time: float) -> int:
    """Return the size of the largest tree known to have been published by a time (seconds since the epoch), or 0."""
    kept = public.list(CHECKPOINTS)
    # `modified` is 0.0 if the store does not know it
    sizes = (kept_size(listed.path) or 0 for listed in kept if 0.0 < listed.modified <= time)
    for size in nlargest(_CANDIDATES, sizes):
        try:
            if _own(public.read(checkpoint_path(size), MAX_NOTE_SIZE).data, head).tree.size == size:
                return size
        except (LogError, NotFound):
            continue
    return 0


def _own(data: bytes, head: Head) -> SignedCheckpoint:
    """Return a checkpoint that a key of the head's has signed. Raises LogError for any other."""
    signed = parse_signed_checkpoint(data)
    policy_of(map(parse_vkey, head.vkeys)).accept(signed, head.origin)
    return signed


def _probes(store: Store, before: float) -> Iterator[Listed]:
    """What trying out a store has left behind."""
    for listed in store.list(PROBES):
        if _PROBE.fullmatch(listed.path) and 0.0 < listed.modified <= before:
            yield listed


def _refusals(private: Store, before: float) -> Iterator[Listed]:
    for listed in private.list(REJECTED):
        # `modified` is 0.0 if the store does not know it
        if is_rejection_path(listed.path) and 0.0 < listed.modified <= before:
            yield listed


def _decided(private: Store, *, dry_run: bool) -> Iterator[list[Listed]]:
    """Yield records of decided submissions whose objects are gone, after trying to delete those objects."""
    found = private.list(DECIDED)
    while listed := list(islice(found, _DELETE_AT_ONCE)):
        records: dict[str, Listed] = {}
        for each in listed:
            with suppress(AccessError, Malformed):
                records[parse_decided(private.read(each.path, MAX_DECIDED_SIZE).data)] = each
        records = {name: each for name, each in records.items() if name_digest(name) == decided_digest(each.path)}
        if not dry_run:
            clear(private, list(records))
        absent = gone(private, list(records))
        if not dry_run:
            private.barrier()  # an object that comes back after a power cut must not come back without its record
        yield [records[name] for name in absent]


def _staged(private: Store, head: Head) -> Iterator[Listed]:
    """Batches that can never be committed any more."""
    for listed in private.list(STAGING):
        size = staged_size(listed.path)
        if size is not None and size < head.tree.size and listed.path != head.staged_path:
            yield listed
