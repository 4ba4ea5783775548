"""The read path: URL → checkpoint → tiles → proof → verdict.

Storage and network may return anything. A checkpoint is believed once the policy accepts it and it does not contradict
what was seen before. A tile is believed once it hashes up to the checkpoint, an entry once it hashes to its leaf.

    client = LogClient(open_log(url), policy, visits=Visits(), cache=TileCache())
    accepted = client.visit()               # the checkpoint, shown to extend the last one seen
    proof = client.prove(index)             # a tlog-proof, good offline
    entry = client.entry(index)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from tiles.errors import Malformed, TileError, UsageError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.keys import VerifierKey
from tiles.notes.log_identity import is_named_by, kept_as
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import Accepted, Policy
from tiles.notes.tlog_proof import TlogProof
from tiles.read.bundles import CHUNK, believed_entries, bundles_of, first_leaf, leaves_of
from tiles.read.log_formats import TLOG_TILES, LogFormat
from tiles.read.memories import CheckpointMemory, TileMemory
from tiles.read.seen_before import SeenBefore
from tiles.read.tiles import TileSource
from tiles.read.trouble import judged
from tiles.read.verified_tree import VerifiedTree
from tiles.store import Fetcher
from tiles.store.past_caches import fetch_for
from tiles.tree.layout import ENTRIES, TILE_HEIGHT, TILE_WIDTH, Tile, tile_at
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead, fold_right, node_root
from tiles.tree.proof import Node, check_range, root_nodes

SCAN_LIMIT = 16_384  # entries: 64 tiles, 512 KiB


class LogClient:
    """Reads one log, all of it from the checkpoint of the last `visit`. Not to be shared between threads.

    fetcher      where the log is
    policy       whose signatures make a checkpoint acceptable
    visits       what was seen before; without it nothing is compared or remembered
    cache        full tiles that were believed before
    origin       if given, the only origin that will do
    log_format   where the log's objects are, and what is in them

    Every method raises AccessError for what cannot be read, and a LogError for what is not as a sound log has it.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        policy: Policy,
        *,
        visits: CheckpointMemory | None = None,
        cache: TileMemory | None = None,
        origin: str | None = None,
        log_format: LogFormat = TLOG_TILES,
    ) -> None:
        self.newer: SignedCheckpoint | None = None
        self.not_remembered = ""
        self.fetcher = fetcher
        self.policy = policy
        self._visits = visits
        self._cache = cache
        self._origin = origin
        self.log_format = log_format
        self._source = TileSource(fetcher, log_format)
        self._where = f"{fetcher.url}/{log_format.checkpoint}"
        self._visited: tuple[Accepted, VerifiedTree] | None = None

    # ---- URL → checkpoint

    def visit(self) -> Accepted:
        """Fetch the checkpoint, compare it with what was seen before, remember it, and read from it from now on.

        Where a larger one was seen before, and is shown to extend this one, the log is served from an old copy: this
        one is good, `newer` is the one seen (otherwise None), and what is remembered does not shrink. If this one
        cannot be remembered, `not_remembered` says why (otherwise ""), and the log is read all the same.
        Raises SignatureError or PolicyError as `Policy.accept` does; ForkError if this one and one seen before exclude
        each other, and HistoryUnknown if nothing shows that they do not: then the evidence is saved, and what is
        remembered stays.
        """
        return self._visit()[0]

    @property
    def accepted(self) -> Accepted:
        """The checkpoint that everything is read from; visits the log if that was not done yet."""
        return self._current[0]

    @property
    def remembers(self) -> bool:
        """Whether there is a memory of what was seen before."""
        return self._visits is not None

    @property
    def tree(self) -> TreeHead:
        """Its size and root."""
        return self.accepted.signed.tree

    @property
    def _current(self) -> tuple[Accepted, VerifiedTree]:
        return self._visited or self._visit()

    def _visit(self) -> tuple[Accepted, VerifiedTree]:
        self.not_remembered = ""
        accepted, tree = fetch_for(self.fetcher, self.log_format.checkpoint, MAX_NOTE_SIZE, self._accept)
        newer = None
        if self._visits:
            before = SeenBefore(self._visits, self.policy, self.fetcher.url)
            newer, self.not_remembered = before.compare(accepted, tree, self._verified, self._where)
        self._visited, self.newer = (accepted, tree), newer
        return accepted, tree

    def _accept(self, data: bytes) -> tuple[Accepted, VerifiedTree]:
        """Return the checkpoint in these bytes, accepted, and its tree. Raises LogError, or AccessError for a page."""
        with judged(data, self._where):
            accepted = self.policy.accept(self.log_format.parse_checkpoint(data), self._origin)
            return accepted, self._verified(accepted.signed, accepted.log)

    def _verified(self, signed: SignedCheckpoint, key: VerifierKey) -> VerifiedTree:
        name = signed.origin if is_named_by(key, signed.origin) else kept_as(key, signed.origin)
        return VerifiedTree(self._source, signed.tree, name, self._cache)

    def read_as(self, log_format: LogFormat) -> None:
        """Read from now on as another format has it, in which checkpoint and tiles of hashes are at the same paths."""
        self.log_format, self._source = log_format, TileSource(self.fetcher, log_format)
        accepted, _ = self._current
        self._visited = accepted, self._verified(accepted.signed, accepted.log)

    # ---- checkpoint → tiles → proof → verdict

    def prove(self, index: int, extra: bytes = b"") -> TlogProof:
        """Return the proof, verified, that entry `index` is in the log; its checkpoint has all that was cosigned.

        extra   application data for the proof file, authenticated by nothing
        Raises UsageError unless 0 ≤ index < the tree's size.
        """
        accepted, tree = self._current
        return TlogProof(index, tree.prove(index), accepted.signed, extra)

    def entry(self, index: int) -> bytes:
        """Return an entry. Raises UsageError unless 0 ≤ index < the tree's size."""
        return next(self.entries(index, index + 1))[1]

    def entries(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """Yield (index, entry) for start ≤ index < stop.

        Bundles are fetched in parallel, and few are held at a time, however many there are.
        Raises UsageError, at the call, unless 0 ≤ start ≤ stop ≤ the tree's size.
        """
        _, tree = self._current
        check_range(tree.size, start, stop)
        return self._entries(tree, start, stop)

    def _entries(self, tree: VerifiedTree, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        for bundles in bundles_of(tree.size, start, stop):
            for bundle, entries in self._read_bundles(tree, bundles, [first_leaf(bundle) for bundle in bundles]):
                first = bundle.index * TILE_WIDTH
                yield from list(enumerate(entries, first))[max(0, start - first) : stop - first]

    def entries_at(self, indexes: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """Yield (index, entry) for entries anywhere: those of one bundle together, bundles in the order of the indexes.

        Of a full bundle no level-0 tile is read: the entries themselves lead to the hash that is above both.
        Raises UsageError, when its turn comes, for an index that the tree does not have.
        """
        _, tree = self._current
        wanted: dict[Tile, list[int]] = {}
        for index in indexes:
            wanted.setdefault(tile_at(tree.size, ENTRIES, index // TILE_WIDTH), []).append(index)
        every = list(wanted)
        for bundles in (every[at : at + CHUNK] for at in range(0, len(every), CHUNK)):
            nodes = [Node(TILE_HEIGHT, one.index) if one.is_full else first_leaf(one) for one in bundles]
            for bundle, entries in self._read_bundles(tree, bundles, nodes):
                yield from ((index, entries[index % TILE_WIDTH]) for index in wanted[bundle])

    def _read_bundles(
        self, tree: VerifiedTree, bundles: Sequence[Tile], nodes: Sequence[Node]
    ) -> Iterator[tuple[Tile, list[bytes]]]:
        """Yield bundles with their entries. nodes: of each, its first leaf, or what is above all its entries"""
        contents = tree.read(nodes, bundles)
        # now: other reading may make the tree forget them
        known = [tree.leaf_hashes(bundle) if not node.height else [tree.hash(node)]
                 for bundle, node in zip(bundles, nodes, strict=True)]  # fmt: skip
        for bundle, expected, data in zip(bundles, known, contents, strict=True):
            yield bundle, self._believed(tree, bundle, data, expected)

    def _believed(self, tree: VerifiedTree, bundle: Tile, data: bytes, expected: Sequence[Hash]) -> list[bytes]:
        """Return the entries of a bundle, from these bytes or from another copy. Raises TileError if none will do.

        expected   the leaf hashes, or the one hash that is above all of them
        """
        if len(expected) != bundle.width:
            with suppress(Malformed):
                entries = self.log_format.parse_bundle(bundle, data)
                if node_root(self.log_format.leaf_hashes(entries)) == expected[0]:
                    return entries
            tree.read([first_leaf(bundle)])
            expected = tree.leaf_hashes(bundle)
        others = self._source.others(bundle, data)
        while True:
            try:
                return believed_entries(self.log_format, bundle, data, expected)
            except TileError as error:
                other = next(others, None)
                if other is None:
                    self._source.refuse(error)
                data = other

    def leaves(self, start: int, stop: int) -> Iterator[Sequence[Hash]]:
        """Yield the leaf hashes of the entries [start, stop) in runs, in order; level-0 tiles are read for them.

        Raises UsageError, at the call, unless 0 ≤ start ≤ stop ≤ the tree's size.
        """
        _, tree = self._current
        check_range(tree.size, start, stop)
        return leaves_of(tree, start, stop)

    def bundle_roots(self, first: int, stop: int) -> bytes:
        """Return the hash above each of the full bundles [first, stop), believed, one hash after the other."""
        _, tree = self._current
        nodes = [Node(TILE_HEIGHT, index) for index in range(first, stop)]
        tree.read(nodes)
        return b"".join(map(tree.hash, nodes))

    def tree_of(self, signed: SignedCheckpoint) -> VerifiedTree:
        """Return the tree of a checkpoint that the log has signed, by the tiles that are read here."""
        accepted, tree = self._current
        return tree if signed.tree == accepted.signed.tree else self._verified(signed, accepted.log)

    def tree_at(self, size: int) -> TreeHead:
        """Return the tree that the log had at a size, from hashes that are believed.

        Raises UsageError unless 0 ≤ size ≤ the tree's size.
        """
        if size in (0, self.tree.size):
            return self.tree if size else EMPTY_TREE
        return TreeHead(size, fold_right(self.subtrees_at(size)))

    def subtrees_at(self, size: int) -> list[Hash]:
        """Return the roots, largest first, of the complete subtrees that the log's tree was made of at a size."""
        _, tree = self._current
        if not 0 <= size <= tree.size:
            raise UsageError(f"a tree of size {tree.size} does not begin with one of size {size}")
        nodes = root_nodes(size)
        tree.read(nodes)
        return [tree.hash(node) for node in nodes]

    def find(self, leaf: Hash, *, any_size: bool = False) -> list[int]:
        """Return all indexes at which a leaf hash is, lowest first. All level-0 tiles are read, so [] is an answer too.

        any_size   also in a log of more than SCAN_LIMIT entries; UsageError otherwise
        """
        _, tree = self._current
        if tree.size > SCAN_LIMIT and not any_size:
            hint = "name the index, or ask for all of them to be looked through"
            raise UsageError(f"it would have to be looked for among {tree.size} entries, one by one", hint=hint)
        found: list[int] = []
        start = 0
        for hashes in leaves_of(tree, 0, tree.size):
            found.extend(index for index, hash_ in enumerate(hashes, start) if hash_ == leaf)
            start += len(hashes)
        return found
