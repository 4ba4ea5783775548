"""A log's own published tree, as its writer reads it: its checkpoint, its tiles, and its right edge.

What is read is verified: a checkpoint against the log's key, tiles and the edge against the root of the tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain

from tiles.errors import LogError, NotFound, Refused, TilesError, explained
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.keys import VerifierKey
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import policy_of
from tiles.read.tiles import TileSource, fetch_tile
from tiles.read.trouble import located
from tiles.read.verified_tree import VerifiedTree
from tiles.records.paths import PENDING, TRACES
from tiles.store import Store, StoreFetcher, Version
from tiles.tree.bundle import parse_bundle
from tiles.tree.edge import EMPTY_EDGE, Edge, edge_objects, parse_edge
from tiles.tree.layout import CHECKPOINT, ENTRIES, TILE_HEIGHT, TILE_WIDTH, Tile, tile_at
from tiles.tree.merkle import HASH_SIZE, Hash, TreeHead, edge_root, leaf_hashes
from tiles.tree.plan import Plan
from tiles.tree.proof import Node, build_proof, check_range, consistency_nodes, root_nodes, verify_consistency
from tiles.tree.reader import TreeReader


class OwnTree:
    """Reads the public part of one log. Not to be shared between threads.

    verifier   the log's key, named as its origin
    others     further keys of it: what any of them has signed is the log's
    """

    def __init__(self, public: Store, verifier: VerifierKey, *others: VerifierKey) -> None:
        self.url = public.url
        self.verifier = verifier
        self._policy = policy_of((verifier, *others))
        self._public = public
        self._edge = EMPTY_EDGE  # the right edge that was read or published last
        self._grown: Plan | None = None  # of the batch that was published last
        self._accepted: SignedCheckpoint | None = None  # the last one whose signatures are known to be ours

    def read_checkpoint(self) -> tuple[SignedCheckpoint, Version] | tuple[None, None]:
        """Return the published checkpoint, signed by our keys, and its version; a pair of None if there is none."""
        try:
            stored = self._public.read(CHECKPOINT, MAX_NOTE_SIZE)
        except NotFound:
            return None, None
        with located(f"{self.url}/{CHECKPOINT}"):
            return self.own_checkpoint(stored.data), stored.version

    def read_pending(self) -> tuple[SignedCheckpoint | None, Version | None]:
        """Return the checkpoint in `pending`, None unless our key signed it, and the version of what is there."""
        try:
            stored = self._public.read(PENDING, MAX_NOTE_SIZE)
        except NotFound:
            return None, None
        with suppress(LogError, Refused):  # what our key has not signed says nothing: anyone may have put it there
            return self.own_checkpoint(stored.data), stored.version
        return None, stored.version

    def own_checkpoint(self, data: bytes) -> SignedCheckpoint:
        """Return the checkpoint in these bytes, signed by one of our keys, and wrongly by none.

        Raises Refused for another log's, LogError for one that is not signed like that.
        """
        if self._accepted is not None and data == self._accepted.data:
            return self._accepted
        signed = parse_signed_checkpoint(data)
        if signed.origin != self.verifier.name:
            raise Refused(f"{self.url} publishes the log {signed.origin}, the key is of {self.verifier.name}")
        self._accepted = self._policy.accept(signed).signed
        return self._accepted

    def verified(self, signed: SignedCheckpoint) -> None:
        """Take note of a checkpoint by our keys whose signatures were verified: its bytes are not verified again."""
        self._accepted = signed

    def is_empty(self) -> bool:
        """Whether there is no trace of a log: no checkpoint, published or pending, and nothing else of a log only."""
        if self.read_checkpoint()[0] is not None:
            return False
        with suppress(NotFound):
            self._public.read(PENDING, MAX_NOTE_SIZE)
            return False
        return not any(next(iter(self._public.list(below)), None) for below in TRACES)

    def is_published(self, tree: TreeHead) -> bool:
        """Whether the published tree begins with `tree`, by its tiles."""
        published = self.read_checkpoint()[0]
        if published is None or published.tree.size < tree.size:
            return False
        nodes = root_nodes(tree.size)
        return self._reader(published.tree, nodes, None).root_at(tree.size) == tree

    def tree_at(self, size: int, tree: TreeHead) -> TreeHead:
        """Return the head of the first `size` entries of a tree, out of the tiles of that one."""
        return self._reader(tree, root_nodes(size), None).root_at(size)

    def leaf_hash(self, tree: TreeHead, index: int) -> Hash:
        """Return the leaf hash of an entry of a tree, verified. Raises UsageError unless 0 ≤ index < its size."""
        check_range(tree.size, index, index + 1)
        return self._reader(tree, [Node(0, index)], None).hash(Node(0, index))

    def entries_since(self, tree: TreeHead, since: int) -> Iterator[bytes]:
        """Yield the entries of `tree` from index `since` on, verified.

        Raises Refused unless all tiles and bundles that hold them can be read and verified.
        """
        source = VerifiedTree(TileSource(StoreFetcher(self._public), lenient=False), tree, self.verifier.name)
        for index in range(since // TILE_WIDTH, -(-tree.size // TILE_WIDTH)):
            bundle = tile_at(tree.size, ENTRIES, index)
            try:
                (data,) = source.read([Node(0, index * TILE_WIDTH)], [bundle])
                entries = parse_bundle(data, bundle.width)
                if leaf_hashes(entries) != list(source.leaf_hashes(bundle)):
                    raise Refused(f"{self.url}/{bundle.path} is damaged")
            except (NotFound, LogError, Refused) as error:
                raise _incomplete(self.url, tree, since, error) from error
            yield from entries[max(0, since - index * TILE_WIDTH) :]

    def check_extends(self, older: TreeHead, signed: TreeHead, holder: str, what: str = "the published tree") -> None:
        """Raise Refused unless `signed`, which the holder holds, extends an older tree. what: how that one is called"""
        if signed.size < older.size:
            raise Refused(
                f"{holder} holds size {signed.size}, and size {older.size} is published",
                hint=explained("the-anchor-is-gone"),
            )
        try:
            verify_consistency(older, signed, self.prove(older, signed, None))
        except Refused as error:
            raise _incomplete(self.url, signed, older.size, error) from error
        except LogError as error:
            raise Refused(
                f"{what} of {older} is not a beginning of {signed}, which {holder} holds",
                hint=explained("something-was-put-back"),
            ) from error

    def prove(self, since: TreeHead, tree: TreeHead, planned: Plan | None) -> tuple[Hash, ...]:
        """Return the consistency proof of two trees, out of the tiles of the larger one.

        planned   the plan whose tiles were just written, and are not read again; None reads all tiles
        """
        return self.prove_since(since.size, tree, planned)

    def prove_since(self, size: int, tree: TreeHead, planned: Plan | None) -> tuple[Hash, ...]:
        """Return the consistency proof of the first `size` entries of a tree and all of it; else as `prove`."""
        parts = consistency_nodes(size, tree.size)
        if planned is not None and (proof := _planned_proof(planned, parts)) is not None:
            return proof
        return build_proof(parts, self._reader(tree, [node for part in parts for node in part], planned).hash)

    def right_edge(self, tree: TreeHead) -> Edge:
        """Return the right edge of a published tree, verified to recompute to its root."""
        if self._edge.tree != tree:
            self._edge = parse_edge(tree, {tile: self._read_tile(tile) for tile in edge_objects(tree.size)})
        return self._edge

    def grew(self, planned: Plan) -> None:
        """Take note of what was just published: its right edge and its entries need not be read again."""
        self._edge = planned.edge
        self._grown = replace(planned, objects={})

    def grown(self) -> Plan | None:
        """Return the plan, without its objects, of the batch that was published last, and forget it."""
        grown, self._grown = self._grown, None
        return grown

    def _reader(self, tree: TreeHead, nodes: Sequence[Node], planned: Plan | None) -> TreeReader:
        """Return a reader that believes the hashes of `nodes`, from the tiles just written or from storage."""
        fresh = planned.objects if planned else {}
        reader = TreeReader(tree)
        reader.accept({tile: fresh.get(tile.path) or self._read_tile(tile) for tile in reader.wanted(nodes)})
        return reader

    def _read_tile(self, tile: Tile) -> bytes:
        """Return what is stored, not believed yet; a partial tile that gc has removed is cut from the full one.

        Raises Refused if it is gone: a log cannot grow without its edge.
        """
        try:
            return fetch_tile(StoreFetcher(self._public), tile)
        except NotFound:
            raise Refused(
                f"{self.url}/{tile.path} is gone; the log cannot grow without it",
                hint=explained("a-tile-is-gone", "`tiletree repair LOG` puts it back"),
            ) from None


def _planned_proof(planned: Plan, parts: Sequence[Sequence[Node]]) -> tuple[Hash, ...] | None:
    """Return a proof out of the tiles of a plan alone; None if it needs others.

    Nothing is verified here: they are this run's own, and whoever is given the proof verifies it against both roots.
    """
    hashes: dict[Node, Hash] = {}
    for node in chain.from_iterable(parts):
        level, height = divmod(node.height, TILE_HEIGHT)
        index, first = divmod(node.index << height, TILE_WIDTH)
        tile = tile_at(planned.tree.size, level, index)
        data = planned.objects.get(tile.path) or planned.edge.tiles().get(tile)  # one of the edge that has not changed
        if data is None:
            return None
        hashes[node] = edge_root(data[HASH_SIZE * first : HASH_SIZE * (first + (1 << height))])
    return build_proof(parts, hashes.__getitem__)


def _incomplete(url: str, tree: TreeHead, since: int, error: TilesError) -> Refused:
    return Refused(
        f"{tree} was signed, which is more than the {since} entries that are published, and not all of it is in {url}: "
        f"{error.message}",
        hint=explained("more-was-signed-than-is-published"),
    )
