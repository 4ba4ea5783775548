"""Entry bundles (https://c2sp.org/tlog-tiles, "Log entries"): entries ↔ bytes.

"Entry bundles are sequences of big-endian uint16 length-prefixed log entries."
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from struct import unpack
from typing import cast

from tiles.errors import Malformed, UsageError
from tiles.native import compiled
from tiles.tree.layout import TILE_WIDTH
from tiles.tree.merkle import Hash, flat_leaves, flat_root

MAX_ENTRY_SIZE = 65_535  # bytes: what a uint16 can say


def encode_entries(entries: Sequence[bytes]) -> bytes:
    """Return entries as a bundle has them; any number of them, so that a staged batch is written the same way.

    Raises UsageError for an entry longer than MAX_ENTRY_SIZE.
    """
    lengths = _lengths()
    parts = [b""] * (2 * len(entries))
    try:
        # two slices of ready-made prefixes cost half of packing each length
        parts[0::2] = [lengths[len(entry)] for entry in entries]
    except IndexError:
        check_entry_sizes(entries)
        raise
    parts[1::2] = entries
    return b"".join(parts)


def encode_batch(entries: Sequence[bytes], first: int) -> tuple[list[bytes], bytes]:
    """Return entries as bundles have them, cut where bundles begin, and their leaf hashes, flat.

    first   how many entries go into the bundle that has some already, 1 ≤ first ≤ 256
    Raises UsageError for an entry longer than MAX_ENTRY_SIZE.
    """
    if compiled is not None:
        try:
            pieces, leaves = compiled.encode(list(entries), first)
        except ValueError:
            check_entry_sizes(entries)
            raise
        return list(pieces), leaves
    cuts = [0, *range(first, len(entries), TILE_WIDTH), len(entries)]
    return [encode_entries(entries[start:stop]) for start, stop in pairwise(cuts)], flat_leaves(entries)


def check_entry_sizes(entries: Sequence[bytes]) -> None:
    """Raise UsageError for the first entry longer than MAX_ENTRY_SIZE."""
    if max(map(len, entries), default=0) <= MAX_ENTRY_SIZE:
        return
    for position, entry in enumerate(entries):
        if len(entry) > MAX_ENTRY_SIZE:
            raise UsageError(
                f"entry {position} of the batch has {len(entry)} bytes, {MAX_ENTRY_SIZE} is the most",
                hint="log a file by its digest instead of its bytes",
            )


def decode_entries(data: bytes, what: str = "entry bundle") -> list[bytes]:
    """Return the entries in `data`. Raises Malformed unless the last one ends where the data ends."""
    entries: list[bytes] = []
    append = entries.append
    start, end = 2, len(data)
    while start <= end:  # both bytes of a length are there
        stop = start + (data[start - 2] << 8 | data[start - 1])
        append(data[start:stop])
        start = stop + 2
    if start != end + 2:
        raise Malformed(what, f"the last entry is cut short, {end} bytes in all")
    return entries


def parse_bundle(data: bytes, width: int) -> list[bytes]:
    """Return the entries of a bundle of `width` entries, 1 ≤ width ≤ 256.

    Raises Malformed for any other number of entries.
    """
    if not 1 <= width <= TILE_WIDTH:
        raise UsageError(f"bundle width {width} is not between 1 and {TILE_WIDTH}")
    stride = 2 + int.from_bytes(data[:2], "big")
    # in many logs all entries have one length, and this way takes a tenth of the time
    if len(data) == width * stride and data[::stride] + data[1::stride] == data[:1] * width + data[1:2] * width:
        return list(unpack(f"2x{stride - 2}s" * width, data))
    entries = decode_entries(data)
    if len(entries) != width:
        raise Malformed("entry bundle", f"{len(entries)} entries instead of {width}")
    return entries


def bundle_leaves(data: bytes, width: int) -> bytes:
    """Return the leaf hashes of a bundle of `width` entries, flat; 1 ≤ width ≤ 256.

    Raises Malformed for any other number of entries.
    """
    if compiled is not None and 1 <= width <= TILE_WIDTH:
        try:
            return compiled.bundle_leaves(data, width)
        except ValueError:
            parse_bundle(data, width)  # says what is wrong
            raise
    return flat_leaves(parse_bundle(data, width))


def agreed_roots(bundles: Sequence[bytes], tiles: Sequence[bytes]) -> list[Hash | None]:
    """Return the hash of each level-0 tile that is full, and has the leaf hashes of the bundle in its place; else None.

    bundles, tiles   of the same places, whatever they are
    """
    if compiled is not None:
        return cast("list[Hash | None]", compiled.agreed_roots(list(bundles), list(tiles)))
    return [_agreed_root(bundle, tile) for bundle, tile in zip(bundles, tiles, strict=True)]


def _agreed_root(bundle: bytes, tile: bytes) -> Hash | None:
    try:
        leaves = bundle_leaves(bundle, TILE_WIDTH)
    except Malformed:
        return None
    return flat_root(leaves) if leaves == tile else None


@cache
def _lengths() -> tuple[bytes, ...]:
    return tuple(size.to_bytes(2, "big") for size in range(MAX_ENTRY_SIZE + 1))
