"""docs/index-format.md, "Runs" and "Objects"."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from tests.support.index_texts import EMPTY, slow_record, slow_root
from tiles.index.record import RECORD_SIZE, records_of
from tiles.index.run import PAGE_RECORDS, build_run, pages_of, records_in
from tiles.notes.index_head import IndexHead, Run, parse_index_head
from tiles.records.paths import index_head_path
from tiles.tree.edge import EMPTY_EDGE
from tiles.tree.layout import parse_tile_path, tiles_of
from tiles.tree.merkle import Hash, TreeHead, leaf_hash
from tiles.tree.plan import plan
from tiles.tree.proof import Node
from tiles.tree.reader import TreeReader

DOCUMENT = (Path(__file__).parents[2] / "docs" / "index-format.md").read_text(encoding="utf-8")
FILE = 65_536  # records


def some(count: int) -> list[bytes]:
    """Return sorted records."""
    rng = random.Random(count)
    return sorted(rng.randbytes(10) + index.to_bytes(6, "big") for index in range(count))


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 4096, FILE - 1, FILE, FILE + 1, 2 * FILE + 300])
def test_build(count: int) -> None:
    """The objects hold all records in order; the root is the tree hash of the pages, and the tiles lead to it."""
    records = some(count)
    run, objects = build_run("sha256/1", 2, 1234, records)
    assert run == Run(2, 1234, count, Hash(slow_root(records)))
    base = "index/sha256/1/2/x001/234/"
    files = [objects.pop(f"{base}{number:03}") for number in range(-(-count // FILE))]
    assert b"".join(files) == b"".join(records)
    assert all(len(file) == FILE * RECORD_SIZE for file in files[:-1])
    pages = pages_of(b"".join(records))
    assert [len(page) for page in pages[:-1]] == [PAGE_RECORDS * RECORD_SIZE] * (len(pages) - 1)
    tiles = {parse_tile_path(path.removeprefix(base)): data for path, data in objects.items()}
    assert set(tiles) == {tile for level in range(3) for tile in tiles_of(len(pages), level)}
    if pages:
        reader = TreeReader(TreeHead(len(pages), run.root))
        for number in {0, len(pages) // 2, len(pages) - 1}:
            node = Node(0, number)
            reader.accept({tile: tiles[tile] for tile in reader.wanted([node])})
            assert reader.hash(node) == leaf_hash(pages[number])


def test_no_records() -> None:
    """A run without records has a root and no objects."""
    assert build_run("name/1", 0, 6, []) == (Run(0, 6, 0, Hash(EMPTY)), {})


def test_the_documents_example() -> None:
    """The index of the first 4096 entries of a log, and its first record."""
    entries = [b"%d" % number for number in range(4096)]
    records = sorted(records_in(records_of("leaf/1", entries, 0)))
    run, objects = build_run("leaf/1", 0, 0, records)
    head = IndexHead("example.com/log", "leaf/1", plan(EMPTY_EDGE, entries).tree, (run,))
    assert "    " + head.text.decode().rstrip().replace("\n", "\n    ") + "\n" in DOCUMENT
    assert parse_index_head(head.text).runs == (run,)
    assert set(objects) == {"index/leaf/1/0/000/000", "index/leaf/1/0/000/tile/0/000.p/16"}
    assert re.findall(r"first record is `([0-9a-f]+)`", DOCUMENT) == [records[0].hex()]
    assert records[0] in {slow_record("leaf/1", leaf_hash(entry), at) for at, entry in enumerate(entries)}
    assert index_head_path("leaf/1") == "index/leaf/1/head"
