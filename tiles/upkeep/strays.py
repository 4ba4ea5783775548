"""What a listing of a log shows besides its tree: other tiles, kept checkpoints, and what should not be there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial

from tiles.errors import LogError, Malformed, NotFound, TileError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.key_history import KeyHistory
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import Policy
from tiles.read.key_changes import key_history
from tiles.read.log_formats import MAX_BUNDLE_SIZE, ROOMY
from tiles.read.tiles import fetch_tile
from tiles.records.paths import CHECKPOINTS, KEYS, is_day_path, kept_size
from tiles.store import Fetcher, Listed, ListsUnknown, Store
from tiles.tree.blame import Finding
from tiles.tree.bundle import parse_bundle
from tiles.tree.layout import ENTRIES, TILE_WIDTH, TILES, Tile, level_size, parse_tile_path, tile_at
from tiles.tree.merkle import TreeHead
from tiles.tree.proof import root_nodes
from tiles.tree.reader import TreeReader
from tiles.tree.tile import parse_tile

_NONE: frozenset[str] = frozenset()
_THOUSAND = frozenset(f"{last:03d}" for last in range(1000))


def take_inventory(
    store: Store, fetcher: Fetcher, tree: TreeHead, policy: Policy | None, damaged: Collection[str]
) -> Iterator[Finding]:
    """Yield what is wrong below tile/ and checkpoints/, apart from the tiles and bundles of the tree itself.

    fetcher   reads the same log
    tree      the tree head that was audited
    policy    one of its logs must have signed the kept checkpoints; None skips the check of signatures
    damaged   the paths where that audit found something; what cannot be checked without them is passed over
    """
    yield from check_tiles(store, fetcher, tree, damaged)
    yield from _check_checkpoints(store, fetcher, tree, policy)


def check_tiles(store: Store, fetcher: Fetcher, tree: TreeHead, damaged: Collection[str]) -> Iterator[Finding]:
    """Yield what is wrong below tile/: a partial tile must be the beginning of the tree's own tile in its place.

    A tile that reaches beyond the tree, from a writer that has not published it yet, must begin with the tree's own.
    """
    last: tuple[Tile, bytes] | None = None
    for listed in _beside_own(store, tree):
        try:
            tile = parse_tile_path(listed.path)
        except Malformed:
            yield Finding(listed.path, "is not the path of a tile or an entry bundle")
            continue
        known = in_tree(tree, tile)
        if tile == known:
            continue
        try:
            data = _read_tile(store, listed, tile)
            if known is None or known.path in damaged:
                continue
            if last is None or last[0] != known:
                last = known, fetch_tile(fetcher, known, ROOMY)
        except Malformed as error:
            yield Finding(tile.path, error.problem)
        except (NotFound, TileError):
            continue  # gone since it was listed, or found by the audit
        else:
            yield from _compare(tile, data, *last)


def _beside_own(store: Store, tree: TreeHead) -> Iterator[Listed]:
    """Yield what is below tile/, without most of the tree's own full tiles, which are nearly all of a large log."""
    if isinstance(store, ListsUnknown):  # which does not even look at them: that takes a third of the time
        yield from store.list_unknown(TILES, partial(_own_names, tree))
        return
    folder, own = "", _NONE
    for listed in store.list(TILES):
        above, slash, name = listed.path.rpartition("/")
        if above != folder:
            folder, own = above, _own_names(tree, above + slash)
        if name not in own:
            yield listed


def _own_names(tree: TreeHead, folder: str) -> frozenset[str]:
    """Return the names of the tree's own full tiles in a folder, if it has them under all thousand names; else none.

    To find a name there takes a fifth of the time of parsing its path.
    """
    try:
        ends = [parse_tile_path(folder + name) for name in ("000", "999")]
    except Malformed:
        return _NONE
    return _THOUSAND if all(in_tree(tree, tile) == tile for tile in ends) else _NONE


def _compare(tile: Tile, data: bytes, known: Tile, content: bytes) -> Iterator[Finding]:
    if not (content.startswith(data) if tile.width < known.width else data.startswith(content)):
        relation = "the beginning of" if tile.width < known.width else "a continuation of"
        yield Finding(tile.path, f"is not {relation} {known.path}")


def _read_tile(store: Store, listed: Listed, tile: Tile) -> bytes:
    """Return a tile or bundle. Raises NotFound; Malformed if these are not the bytes of one."""
    data = _read(store, listed, MAX_BUNDLE_SIZE)
    if tile.level == ENTRIES:
        parse_bundle(data, tile.width)
    else:
        parse_tile(data, tile.width)
    return data


def _read(store: Store, listed: Listed, limit: int) -> bytes:
    if listed.size > limit:
        raise Malformed("object", f"{listed.size} bytes, {limit} is the most")
    return store.read(listed.path, limit).data


def in_tree(tree: TreeHead, tile: Tile) -> Tile | None:
    """Return the tree's own tile in the place of another; None if it has none there."""
    there = level_size(tree.size, tile.level) > tile.index * TILE_WIDTH
    return tile_at(tree.size, tile.level, tile.index) if there else None


def _check_checkpoints(store: Store, fetcher: Fetcher, tree: TreeHead, policy: Policy | None) -> Iterator[Finding]:
    """Yield kept checkpoints that the log did not sign, or whose trees are not prefixes of the tree."""
    # policies change, so it is not known which cosignatures an older checkpoint needed
    signers = policy.without_quorum() if policy else None
    history = KeyHistory(())
    if signers is not None:
        try:
            history = key_history(fetcher, [log.key for log in signers.logs])
        except LogError as error:
            yield Finding(KEYS, error.message)
    roots = _Roots(fetcher, tree)
    for listed in store.list(CHECKPOINTS):
        size = kept_size(listed.path)
        if size is None and not is_day_path(listed.path):
            yield Finding(listed.path, "is not the path of a kept checkpoint")
            continue
        try:
            signed = parse_signed_checkpoint(_read(store, listed, MAX_NOTE_SIZE))
            if signers is not None:
                history.accept(signers, signed)
        except NotFound:
            continue  # gone since it was listed
        except LogError as error:
            yield Finding(listed.path, error.message)
        else:
            yield from _check_checkpoint(listed.path, size, signed, roots)


def _check_checkpoint(path: str, size: int | None, signed: SignedCheckpoint, roots: _Roots) -> Iterator[Finding]:
    if size is not None and signed.tree.size != size:
        yield Finding(path, f"is of size {signed.tree.size}")
    known = roots.at(signed.tree.size)
    if known is not None and known != signed.tree:
        yield Finding(path, f"has root {signed.tree.root.hex()}, the log had {known.root.hex()} at size {known.size}")


class _Roots:
    """The roots that a log had at earlier sizes, from the tiles of its tree."""

    def __init__(self, fetcher: Fetcher, tree: TreeHead) -> None:
        self._fetcher = fetcher
        self._reader: TreeReader | None = None
        self._tree = tree

    def at(self, size: int) -> TreeHead | None:
        """Return the tree head of a size; None above the tree's own size, and if tiles that it needs are damaged."""
        if not 0 < size < self._tree.size:
            return self._tree if size == self._tree.size else None
        reader = self._reader = self._reader or TreeReader(self._tree)
        nodes = root_nodes(size)
        try:
            reader.accept({tile: fetch_tile(self._fetcher, tile, ROOMY) for tile in reader.wanted(nodes)})
        except (NotFound, TileError):
            return None
        return reader.root_at(size)
