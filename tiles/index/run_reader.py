"""Reading a run: an object of an index is believed once it hashes up to the root that an index head names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tiles.errors import Malformed, TileError
from tiles.index.run import FILE_PAGES, FILE_SIZE, page_count, pages_of, records_in
from tiles.notes.index_head import Run
from tiles.records.paths import run_file_path, run_tile_path
from tiles.store import Fetcher
from tiles.store.past_caches import fetch_for
from tiles.tree.layout import Tile
from tiles.tree.merkle import HASH_SIZE, TreeHead, leaf_hashes
from tiles.tree.proof import Node
from tiles.tree.reader import TreeReader


class RunReader:
    """Reads one run.

    fetcher   where the index is: anyone may have written what it gives
    kind      of keys
    run       as the index head has it; whoever calls has decided whether to believe that

    Every method raises NotFound or AccessError for what cannot be read, and TileError for what is not of this run.
    """

    def __init__(self, fetcher: Fetcher, kind: str, run: Run) -> None:
        self._fetcher = fetcher
        self._place = kind, run.level, run.number
        self.run = run
        self.pages = page_count(run.records)
        self._reader = TreeReader(TreeHead(self.pages, run.root))

    def files(self) -> Iterator[list[bytes]]:
        """Yield the records, those of one file at a time, in order."""
        for number in range(-(-self.pages // FILE_PAGES)):
            yield self.file(number)

    def file(self, number: int) -> list[bytes]:
        """Return the records of a file. number: 0 ≤ number, below the count of files"""
        first = number * FILE_PAGES
        nodes = [Node(0, page) for page in range(first, min(first + FILE_PAGES, self.pages))]
        self._believe(self._reader.wanted(nodes))
        expected = [self._reader.hash(node) for node in nodes]
        path = run_file_path(*self._place, number)

        def checked(data: bytes) -> list[bytes]:
            if leaf_hashes(pages_of(data)) != expected:
                raise TileError(path, "its pages do not lead to the root of the run", evidence={path: data})
            return records_in(data)

        return fetch_for(self._fetcher, path, FILE_SIZE, checked)

    def _believe(self, wanted: Iterable[Tile]) -> None:
        """Fetch tiles of the tree of pages, and believe those that lead to the root."""
        tiles = {tile: run_tile_path(*self._place, tile) for tile in wanted}
        contents = {tile: self._fetcher.fetch(path, tile.width * HASH_SIZE) for tile, path in tiles.items()}
        try:
            self._reader.accept(contents)
        except (TileError, Malformed) as error:
            paths = ", ".join(tiles.values())
            evidence = {path: contents[tile] for tile, path in tiles.items()}
            raise TileError(paths, f"not of the run's root: {error.problem}", evidence=evidence) from error
