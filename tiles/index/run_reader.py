"""Reading a run: an object of an index is believed once it hashes up to the root that an index head names.

Whoever only looks for candidates, each of which is verified in the log, can read pages that nothing was shown of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tiles.errors import Malformed, NotFound, TileError, TooLong
from tiles.index.record import RECORD_SIZE
from tiles.index.run import FILE_PAGES, FILE_SIZE, PAGE_SIZE, page_count, pages_of, problem_of, records_in
from tiles.notes.index_head import Run
from tiles.records.paths import run_file_path, run_tile_path
from tiles.store import Fetcher
from tiles.store.past_caches import PastCaches, fetch_for
from tiles.store.ranges import fetch_range
from tiles.tree.layout import Tile, edge_tiles
from tiles.tree.merkle import HASH_SIZE, Hash, TreeHead, leaf_hashes
from tiles.tree.proof import Node, build_proof, inclusion_nodes
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
        self.path = run_file_path(*self._place, 0).rpartition("/")[0]  # below it are the run's objects
        self.pages = page_count(run.records)
        self._reader = TreeReader(TreeHead(self.pages, run.root))
        self._whole: tuple[int, list[bytes]] | None = None  # number and records of the file that was read whole last
        edge = edge_tiles(self.pages)
        if len(edge) == 1 and edge[0].width == 1:  # all that the edge says is the root
            self._reader.accept({edge[0]: run.root})

    def files(self) -> Iterator[bytes]:
        """Yield the records, those of one file at a time, joined, in order."""
        for number in range(-(-self.pages // FILE_PAGES)):
            data = self.file(number)
            if len(data) != self._size(number):
                path = run_file_path(*self._place, number)
                problem = "its pages lead to the root of the run, and it has another number of records"
                raise TileError(path, problem, evidence={path: data})
            yield data

    def file(self, number: int) -> bytes:
        """Return a file, whose pages are believed. number: 0 ≤ number, below the count of files"""
        first = number * FILE_PAGES
        expected = self._expected(first, min(FILE_PAGES, self.pages - first))
        path = run_file_path(*self._place, number)

        def checked(data: bytes) -> bytes:
            if leaf_hashes(pages_of(data)) != expected:
                raise TileError(path, "its pages do not lead to the root of the run", evidence={path: data})
            return data

        return fetch_for(self._fetcher, path, FILE_SIZE, checked)

    def near(self, first: int, stop: int, *, proven: bool) -> tuple[int, list[bytes]]:
        """Return records of neighbouring pages, among them [first, stop), and the number of the page they begin with.

        They are sorted, and name entries of this run. 0 ≤ first < stop ≤ pages
        proven   they are believed; otherwise anyone may have written them
        """
        begin, found = first, list[bytes]()
        for number in range(first // FILE_PAGES, (stop - 1) // FILE_PAGES + 1):
            start = number * FILE_PAGES
            at, records = self._part(number, max(first, start), min(stop, start + FILE_PAGES), proven=proven)
            begin = begin if found else at
            found += records
        return begin, found

    def prove(self, page: int) -> tuple[Hash, ...]:
        """Return the proof that a page is in the run."""
        parts = inclusion_nodes(page, self.pages)
        self._believe(self._reader.wanted([node for part in parts for node in part]))
        return build_proof(parts, self._reader.hash)

    def _part(self, number: int, first: int, stop: int, *, proven: bool) -> tuple[int, list[bytes]]:
        """Return pages of one file as `near` does; all of it if a part of it will not do."""
        begin = number * FILE_PAGES
        if self._whole is not None and self._whole[0] == number:
            return begin, self._whole[1]
        size = self._size(number)
        wanted = (first - begin) * PAGE_SIZE, min((stop - begin) * PAGE_SIZE, size)
        try:
            part = fetch_range(self._fetcher, run_file_path(*self._place, number), *wanted, size)
        except (NotFound, TooLong):
            return begin, self._all(number)
        at = -(-part.first // PAGE_SIZE)  # the first page that is whole
        end = size if part.stop == size else part.stop // PAGE_SIZE * PAGE_SIZE
        data = part.data[at * PAGE_SIZE - part.first : end - part.first]
        records = records_in(data)
        if at * PAGE_SIZE > wanted[0] or end < wanted[1] or problem_of(self.run, records):
            return begin, self._all(number)
        if proven and leaf_hashes(pages_of(data)) != self._expected(begin + at, page_count(len(records))):
            return begin, self._all(number)
        if len(data) == size and proven:
            self._whole = number, records
        return begin + at, records

    def _size(self, number: int) -> int:
        """Return how many bytes a file has."""
        return min(FILE_SIZE, self.run.records * RECORD_SIZE - number * FILE_SIZE)

    def _all(self, number: int) -> list[bytes]:
        """Return the records of a file, believed and well formed."""
        records = records_in(self.file(number))
        if problem := problem_of(self.run, records):
            path = run_file_path(*self._place, number)
            problem = f"its pages lead to the root of the run, and {problem}"
            raise TileError(path, problem, evidence={path: b"".join(records)})
        self._whole = number, records
        return records

    def _expected(self, first: int, count: int) -> list[Hash]:
        """Return the hashes of neighbouring pages, believed."""
        nodes = [Node(0, page) for page in range(first, first + count)]
        self._believe(self._reader.wanted(nodes))
        return [self._reader.hash(node) for node in nodes]

    def _believe(self, wanted: Iterable[Tile]) -> None:
        """Fetch tiles of the tree of pages, past caches if they will not do, and believe what leads to the root."""
        tiles = {tile: run_tile_path(*self._place, tile) for tile in wanted}
        fetched: dict[Tile, bytes] = {}
        fetcher = self._fetcher
        try:
            for tile, path in tiles.items():
                fetched[tile] = fetcher.fetch(path, tile.width * HASH_SIZE)
            self._accept(tiles, fetched)
        except (NotFound, TooLong, TileError):
            if not isinstance(fetcher, PastCaches):
                raise
        else:
            return
        for tile, path in tiles.items():
            fetched[tile] = fetcher.fetch_anew(path, tile.width * HASH_SIZE, fetched.get(tile))
        self._accept(tiles, fetched)

    def _accept(self, tiles: dict[Tile, str], contents: dict[Tile, bytes]) -> None:
        try:
            self._reader.accept(contents)
        except (TileError, Malformed) as error:
            paths = ", ".join(tiles.values())
            evidence = {path: contents[tile] for tile, path in tiles.items()}
            raise TileError(paths, f"not of the run's root: {error.problem}", evidence=evidence) from error
