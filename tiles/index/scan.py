"""Looking through all entries of a log for those that have some keys: complete, so absence is proven by the root."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tiles.entries.key_kinds import keys_of_kind
from tiles.entries.kinds import LEAF, Key
from tiles.errors import UsageError
from tiles.read.client import SCAN_LIMIT, LogClient

Wanted = Sequence[Sequence[Key]]  # an entry is a hit if it has one key of each; those of one are of one kind


def scan(
    client: LogClient, wanted: Wanted, *, any_size: bool = False, progress: Callable[[int], None] | None = None
) -> Iterator[tuple[int, bytes]]:
    """Yield index and entry of every entry that has one key of each of `wanted`, oldest first.

    any_size   also in a log of more than SCAN_LIMIT entries; UsageError, at the call, otherwise
    progress   is called with the count of further entries that were looked at
    """
    size = client.tree.size
    if not wanted:
        raise UsageError("nothing is looked for: name a file, a digest or a name")
    if size > SCAN_LIMIT and not any_size:
        raise UsageError(
            f"it would have to be looked for among {size} entries, one by one",
            hint="--scan looks at all of them, however many there are",
        )
    return _scan(client, wanted, progress or (lambda _count: None))


def _scan(client: LogClient, wanted: Wanted, progress: Callable[[int], None]) -> Iterator[tuple[int, bytes]]:
    leaves = {key.value for keys in wanted for key in keys if key.kind == LEAF}
    size = client.tree.size
    if leaves:  # of all others only the leaf hash is read
        start = 0
        for hashes in client.leaves(0, size):
            for index, leaf in enumerate(hashes, start):
                if leaf in leaves and _is_hit(entry := client.entry(index), wanted):
                    yield index, entry
            start += len(hashes)
            progress(len(hashes))
        return
    for index, entry in client.entries(0, size):
        if _is_hit(entry, wanted):
            yield index, entry
        progress(1)


def _is_hit(entry: bytes, wanted: Wanted) -> bool:
    return all(any(key in keys for key in keys_of_kind(entry, keys[0].kind)) for keys in wanted)
