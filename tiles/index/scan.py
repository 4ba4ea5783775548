"""Looking through entries of a log for those that have some keys: complete, so absence is proven by the root."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tiles.entries.key_kinds import keys_of_kind
from tiles.entries.kind import LEAF, Key
from tiles.errors import UsageError
from tiles.read.client import SCAN_LIMIT, LogClient

Wanted = Sequence[Sequence[Key]]  # an entry is a hit if it has one key of each; those of one are of one kind


def scan(
    client: LogClient,
    wanted: Wanted,
    start: int = 0,
    stop: int | None = None,
    *,
    any_size: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Iterator[tuple[int, bytes]]:
    """Yield index and entry of every entry from `start` on that has one key of each of `wanted`, oldest first.

    stop       the entries from this one on are left out
    any_size   also more than SCAN_LIMIT entries; UsageError, at the call, otherwise
    progress   is called with the count of further entries that were looked at
    """
    size = client.tree.size
    end = size if stop is None else max(start, min(stop, size))
    if not wanted:
        raise UsageError("nothing is looked for: name a file, a digest or a name")
    if not any_size and not is_few(end - start):
        raise too_large(end - start)
    return _scan(client, wanted, start, end, progress or (lambda _count: None))


def too_large(entries: int, why: str = "") -> UsageError:
    """Return what to raise where so many entries would have to be looked through. why: an index is not used"""
    return UsageError(
        f"it would have to be looked for among {entries} entries, one by one{why}",
        hint="--scan looks at all of them, however many there are",
    )


def is_few(entries: int) -> bool:
    """Whether so many entries are looked through without being asked."""
    return entries <= SCAN_LIMIT


def is_hit(entry: bytes, wanted: Wanted) -> bool:
    """Whether an entry has one key of each of `wanted`."""
    return all(any(key in keys for key in keys_of_kind(entry, keys[0].kind)) for keys in wanted)


def _scan(
    client: LogClient, wanted: Wanted, start: int, stop: int, progress: Callable[[int], None]
) -> Iterator[tuple[int, bytes]]:
    leaves = {key.value for keys in wanted for key in keys if key.kind == LEAF}
    if leaves:  # of all others only the leaf hash is read
        for hashes in client.leaves(start, stop):
            for index, leaf in enumerate(hashes, start):
                if leaf in leaves and is_hit(entry := next(client.entries_at([index]))[1], wanted):
                    yield index, entry
            start += len(hashes)
            progress(len(hashes))
        return
    few = is_few(stop - start)
    for index, entry in client.entries_at(range(start, stop)) if few else client.entries(start, stop):
        if is_hit(entry, wanted):
            yield index, entry
        progress(1)
