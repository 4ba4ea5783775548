"""Runs: sorted records → the objects of a run, and its root; docs/index-format.md, "Runs". Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tiles.index.record import RECORD_SIZE
from tiles.notes.index_head import Run
from tiles.records.paths import run_file_path, run_tile_path
from tiles.tree.edge import Edge
from tiles.tree.layout import TILE_WIDTH, level_size
from tiles.tree.merkle import Hash, leaf_hashes
from tiles.tree.tile import full_roots, grow_level

PAGE_RECORDS = 256
FILE_PAGES = TILE_WIDTH  # so a file has the pages of one tile of level 0

_PAGE = PAGE_RECORDS * RECORD_SIZE  # bytes
_FILE = FILE_PAGES * _PAGE


def pages_of(records: Sequence[bytes]) -> list[bytes]:
    """Return the pages of sorted records; only the last may be shorter than 256 records."""
    joined = b"".join(records)
    return [joined[at : at + _PAGE] for at in range(0, len(joined), _PAGE)]


def build_run(kind: str, level: int, number: int, records: Sequence[bytes]) -> tuple[Run, dict[str, bytes]]:
    """Return a run, and its objects by path.

    records   all of the entries that the run covers, sorted, each once
    """
    pages = pages_of(records)
    joined = b"".join(pages)
    objects = {
        run_file_path(kind, level, number, file): joined[at : at + _FILE]
        for file, at in enumerate(range(0, len(joined), _FILE))
    }
    edge: list[tuple[Hash, ...]] = []
    hashes = leaf_hashes(pages)
    while level_size(len(pages), len(edge)) > 0:
        for tile, content in grow_level(len(edge), 0, (), hashes):
            objects[run_tile_path(kind, level, number, tile)] = content
        edge.append(tuple(hashes[len(hashes) - len(hashes) % TILE_WIDTH :]))
        hashes = full_roots(hashes)
    return Run(level, number, len(records), Edge(len(pages), tuple(edge)).tree.root), objects
