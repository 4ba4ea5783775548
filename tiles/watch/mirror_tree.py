"""Copying a log's tree: bundles are read, verified up to the signed root, and written with the tiles that they make.

    level-1 tile, believed  →  256 bundles, each of which hashes to its place  →  bundles, and tiles computed from them

A tile is a function of the entries below it, so level-0 tiles are not read: that halves the requests, and one that is
damaged in the log does not matter. Objects are created in the order of the tree, 128 at a time. So what a dead run has
left is the beginning of what is missing, and the next run reads that from the mirror instead of the log, as unbelieved
as anything else: so there are two trees that no client has, by the tiles of the log and by those of both places. Memory
holds a few bundles, and one tile for each level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from itertools import chain

from tiles.errors import LogError, Malformed, NotFound, TileError
from tiles.parallel import Pool
from tiles.read.addresses import Addresses
from tiles.read.client import LogClient
from tiles.read.log_formats import TLOG_TILES
from tiles.read.tiles import TileSource
from tiles.read.verified_tree import VerifiedTree
from tiles.read.withheld import WithheldEntries
from tiles.store import Differs, Fetcher, Store, StoreFetcher
from tiles.tree.layout import ENTRIES, TILE_HEIGHT, TILE_WIDTH, Tile, level_size, levels, tile_at
from tiles.tree.merkle import Hash, node_root
from tiles.tree.proof import Node

_CHUNK = 64  # bundles whose hashes are read together: a divisor of TILE_WIDTH
_OBJECTS = 128  # written together
_BYTES = 16 << 20  # of objects written together, give or take one


class TreeCopier:
    """Copies the tree that a client reads to a store.

    client   has visited the log
    target   where the copy is, in the same format; only what verifies is written there
    told     is called with how many more entries are there
    beside   is called with each bundle and its content: it puts there what the format has beside a bundle

    objects    how many were written, or were there already
    withheld   the bundles that the log withholds, and has signed that it does: there is nothing to copy of them
    """

    def __init__(
        self,
        client: LogClient,
        target: Store,
        told: Callable[[int], None],
        beside: Callable[[Tile, bytes], None] = lambda _bundle, _data: None,
    ) -> None:
        self.objects = 0
        self.withheld: list[int] = []
        self._client = client
        self._tree = client.tree
        self._origin = client.accepted.signed.origin
        self._target = target
        self._told = told
        self._beside = beside
        self._format = client.log_format
        self._path = client.log_format.path
        self._withheld = WithheldEntries.of(client) if client.log_format is TLOG_TILES else None

    def copy(self, since: int) -> None:
        """Write all objects that the tree has and its beginning of `since` entries has not.

        Raises TileError for what does not verify, and for an object that is there with another content.
        """
        here = StoreFetcher(self._target, self._client.fetcher.parallel)
        theirs = self._reading(self._client.fetcher)
        both = Addresses([here, *_places(self._client.fetcher)])
        resumed: _Reading | None = self._reading(both)
        with _Writer(self._target) as writer:
            for bundles in _chunks(self._tree.size, since):
                if resumed is not None and not self._is_there(bundles[0]):
                    resumed = None
                for bundle, data, leaves in self._read(resumed or theirs, bundles):
                    was_here = resumed is not None and both.taken_from(self._path(bundle)) is here
                    if data is not None:
                        self._beside(bundle, data)
                        if not was_here:
                            writer.put(self._path(bundle), data)
                    writer.put(self._path(Tile(0, bundle.index, bundle.width)), b"".join(leaves))
                    self._told(bundle.width)
                for tile in _completed(bundles[-1]):
                    writer.put(self._path(tile), self._content(theirs.tree, tile))
            for level in levels(self._tree.size)[1:]:
                count = level_size(self._tree.size, level)
                if count % TILE_WIDTH and level_size(since, level) < count:
                    tile = tile_at(self._tree.size, level, count // TILE_WIDTH)
                    writer.put(self._path(tile), self._content(theirs.tree, tile))
        self.objects = writer.written

    def _reading(self, fetcher: Fetcher) -> _Reading:
        source = TileSource(fetcher, self._format)
        return _Reading(source, VerifiedTree(source, self._tree, self._origin))

    def _is_there(self, bundle: Tile) -> bool:
        """Whether a run before this one has written a bundle, or something else has been put in its place."""
        try:
            self._target.read(self._path(bundle), self._format.limit(bundle))
        except NotFound:
            return False
        return True

    def _content(self, tree: VerifiedTree, tile: Tile) -> bytes:
        """Return the content of a tile of level 1 or higher, whose hashes are believed."""
        nodes = [Node(TILE_HEIGHT * tile.level, tile.index * TILE_WIDTH + at) for at in range(tile.width)]
        tree.read(nodes[:1])
        return b"".join(tree.hash(node) for node in nodes)

    def _read(self, reading: _Reading, bundles: Sequence[Tile]) -> Iterator[tuple[Tile, bytes | None, Sequence[Hash]]]:
        """Yield bundles with their bytes and leaf hashes, verified; None instead of the bytes of a withheld one."""
        tree = reading.tree
        nodes = [_above(bundle) for bundle in bundles]
        contents = tree.read(nodes, bundles)
        expected = [list(tree.leaf_hashes(bundle)) if not bundle.is_full else [tree.hash(node)]
                    for bundle, node in zip(bundles, nodes, strict=True)]  # fmt: skip
        for at, bundle in enumerate(bundles):
            try:
                data = next(contents)
            except NotFound as error:
                yield bundle, None, self._leaves_of_withheld(tree, bundle, error)
                contents = tree.read([], bundles[at + 1 :])
            else:
                yield bundle, *self._believed(reading, bundle, data, expected[at])

    def _believed(
        self, reading: _Reading, bundle: Tile, data: bytes, expected: Sequence[Hash]
    ) -> tuple[bytes, Sequence[Hash]]:
        """Return the copy of a bundle that has the expected leaf hashes, or hashes to the one that is above them."""
        for copy in chain([data], reading.source.others(bundle, data)):
            data = copy
            try:
                leaves = self._format.leaf_hashes(self._format.parse_bundle(bundle, copy))
            except Malformed:
                continue
            if ([node_root(leaves)] if bundle.is_full else list(leaves)) == expected:
                return self._format.decoded(bundle, copy), leaves
        path = self._path(bundle)
        problem = "does not hold the entries of which the signed tree is"
        return reading.source.refuse(TileError(path, problem, evidence={path: data, "expected": b"".join(expected)}))

    def _leaves_of_withheld(self, tree: VerifiedTree, bundle: Tile, missing: NotFound) -> Sequence[Hash]:
        """Return the leaf hashes of a bundle that is missing, if the log withholds it; raise what it is otherwise."""
        if self._withheld is None:
            raise missing
        try:
            said = self._withheld.of_bundle(bundle.index)
        except (LogError, NotFound):
            said = ()
        if not said:
            raise missing
        self.withheld.append(bundle.index)
        tree.read([Node(0, bundle.index * TILE_WIDTH)])
        return tree.leaf_hashes(bundle)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Where a log is read, and its tree as it is believed from there."""

    source: TileSource
    tree: VerifiedTree


class _Writer:
    """Creates objects in their order, a batch at a time; where that waits for a network, while the next is read."""

    def __init__(self, target: Store) -> None:
        self.written = 0
        self._target = target
        self._pool = Pool(min(target.parallel, 2))
        self._waiting: dict[str, bytes] = {}
        self._bytes = 0
        self._under_way: Future[None] | None = None

    def __enter__(self) -> _Writer:
        self._pool.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            if kind is None:
                self._flush()
            self._wait(quiet=kind is not None)
        finally:
            self._pool.__exit__(kind, *rest)

    def put(self, path: str, data: bytes) -> None:
        """Write an object, sooner or later."""
        self._waiting[path] = data
        self._bytes += len(data)
        if len(self._waiting) >= _OBJECTS or self._bytes >= _BYTES:
            self._flush()

    def _flush(self) -> None:
        self._wait()  # never two at a time: what is written is the beginning of what is to be written
        if self._waiting:
            self._under_way = self._pool.start(partial(_create, self._target, self._waiting))
            self.written += len(self._waiting)
            self._waiting, self._bytes = {}, 0
        if self._target.parallel <= 1:  # it is done by now
            self._wait()

    def _wait(self, *, quiet: bool = False) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is None:
            return
        error = under_way.exception()
        if error is not None and not quiet:
            raise error


def _create(target: Store, objects: dict[str, bytes]) -> None:
    """Create objects. Raises TileError, with both contents, for one that is there with another content."""
    try:
        target.create(objects)
    except Differs as error:
        where = f"{target.url}/{error.path}"
        found = TileError(
            where,
            "is there with another content than the signed tree has; nothing was overwritten",
            evidence={error.path: error.found, "expected": error.ours},
        )
        found.hint = "find out who wrote it; once it is deleted, the mirror goes on"
        raise found from error


def _places(fetcher: Fetcher) -> Sequence[Fetcher]:
    return fetcher.every if isinstance(fetcher, Addresses) else [fetcher]


def _chunks(size: int, since: int) -> Iterator[list[Tile]]:
    """Yield the bundles that a tree has beyond its beginning, a chunk ending where a tile may."""
    at, end = since // TILE_WIDTH, -(-size // TILE_WIDTH)
    while at < end and since < size:
        stop = min(end, at - at % _CHUNK + _CHUNK)
        yield [tile_at(size, ENTRIES, index) for index in range(at, stop)]
        at = stop


def _completed(last: Tile) -> Iterator[Tile]:
    """Yield the full tiles of level 1 and higher whose last bundle this is."""
    level, count = 1, last.index + 1
    while last.is_full and count % TILE_WIDTH == 0:
        count //= TILE_WIDTH
        yield Tile(level, count - 1)
        level += 1


def _above(bundle: Tile) -> Node:
    """Return a node that tells whether a bundle is right: the hash above all its entries, or its first leaf."""
    return Node(TILE_HEIGHT, bundle.index) if bundle.is_full else Node(0, bundle.index * TILE_WIDTH)
