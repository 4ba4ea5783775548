"""For gc: public objects whose place larger ones have taken: of partial tiles full ones, of index runs merged ones.

Index runs. A run that is not live, and whose entries the index head covers, is of no use: its entries are in the live
run that covers them, and no later head has it among its live runs, because a head covers ever more. Whoever still uses
it can do without: a reader who holds an older head takes the newer one, and a builder who merges from it computes it
from the entries, and then loses the swap of the head, which has changed. So gc needs no lock against them; runs stay
for the grace period after they were merged, so that readers seldom have to begin again.

The head is read before the listing. Runs that builders create meanwhile lie beyond what it covers, and stay. Only a
head that the log's key has signed decides anything: without one, every run stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from tiles.errors import AccessError, LogError, Malformed
from tiles.notes.index_head import MAX_HEAD_SIZE, IndexHead, Run, open_index_head, run_range
from tiles.notes.keys import parse_vkey
from tiles.records.head import Head
from tiles.records.paths import INDEX, head_kind, index_head_path, run_of, run_prefix
from tiles.store import Listed, Store
from tiles.tree.layout import ENTRIES, TILE_WIDTH, TILES, Tile, level_size, parse_tile_path
from tiles.tree.merkle import HASH_SIZE


def kept_indexes(public: Store) -> Iterator[str]:
    """Yield the kinds of keys for which there is something where an index of the log would be."""
    for name in public.folders(INDEX):
        for version in public.folders(f"{INDEX}{name}/"):
            if head_kind(f"{INDEX}{name}/{version}/head") is not None:
                yield f"{name}/{version}"


def own_index_head(public: Store, head: Head, kind: str) -> IndexHead:
    """Return the index head that a key of the log's head has signed. Raises AccessError; LogError for any other."""
    data = public.read(index_head_path(kind), MAX_HEAD_SIZE).data
    failure: LogError | None = None
    for vkey in head.vkeys:
        try:
            found = open_index_head(data, [parse_vkey(vkey)])
        except LogError as error:
            failure = error
            continue
        if (found.origin, found.kind) != (head.origin, kind):
            raise Malformed("index head", f"it is of {found.origin}, {found.kind}")
        return found
    raise failure or Malformed("head", "it names no key")


def own_index_heads(public: Store, head: Head) -> list[IndexHead]:
    """Return the index heads of a log that decide which runs are of no use any more."""
    found = []
    for kind in kept_indexes(public):
        with suppress(AccessError, LogError):
            found.append(own_index_head(public, head, kind))
    return found


def merged_runs(public: Store, heads: Iterable[IndexHead], before: float) -> Iterator[Listed]:
    """Yield the objects of runs that are not live any more, and which were merged before a time."""
    for head in heads:
        settled = [run for run in head.runs if _is_settled(public, head.kind, run, before)]
        for listed in public.list(f"{INDEX}{head.kind}/"):
            place = run_of(listed.path)
            # `modified` is 0.0 if the store does not know how long the object has been there
            if place is not None and place[0] == head.kind and 0.0 < listed.modified <= before:
                covers = run_range(*place[1:])
                around = (run.covers for run in settled if covers[0] in run.covers and covers[-1] in run.covers)
                if any(larger != covers for larger in around):
                    yield listed


def _is_settled(public: Store, kind: str, run: Run, before: float) -> bool:
    """Whether all objects of a run were there before a time."""
    listed = list(public.list(run_prefix(kind, run.level, run.number)))
    return all(0.0 < each.modified <= before for each in listed)


def partial_tiles(public: Store, covered: int, before: float) -> Iterator[Listed]:
    """Yield partial tiles and bundles of a tree of size `covered` whose full ones were written before a time.

    A full tile is listed right before its partial ones: "067" and "067.p/1" sort like that.
    """
    full: tuple[Tile, Listed] | None = None
    for listed in public.list(TILES):
        try:
            tile = parse_tile_path(listed.path)
        except Malformed:
            continue
        if tile.is_full:
            full = tile, listed
        elif (
            full is not None
            and tile.full == full[0]
            and (tile.index + 1) * TILE_WIDTH <= level_size(covered, tile.level)
            # `modified` is 0.0 if the store does not know how long the object has been there
            and 0.0 < full[1].modified <= before
            and _is_whole(full[0], full[1].size, listed.size)
        ):
            yield listed


def _is_whole(full: Tile, size: int, partial: int) -> bool:
    """Whether a full tile is as long as it must be: if it is damaged, only its partial tiles may be left."""
    return size >= partial if full.level == ENTRIES else size == TILE_WIDTH * HASH_SIZE
