"""Withholding entries: the log says so, signed, and whoever serves it denies the objects that hold their bytes.

    look up the leaf hashes in the published tree → sign the record of each bundle → swap it in

No tile and no bundle is replaced, because each is what was signed, for ever: a bundle with other bytes in the place of
an entry would be a wrong one for every reader, and a locked or cached one could not be replaced at all. What is denied
is denied where it is served; the log's own runs, its index and its audit go on reading it. A run that dies has written
the records of some bundles, and the same call writes the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tiles.entries.payload import payload_of
from tiles.errors import AccessError, Conflict, LogError, Malformed, NotFound, OutcomeUnknown, Refused, UsageError
from tiles.notes.withheld import MAX_WITHHELD_SIZE, Entry, Withheld, check_reason, read_withheld
from tiles.read.key_changes import key_history
from tiles.read.tiles import fetch_tile
from tiles.read.withheld import open_by_history
from tiles.records.paths import withheld_path
from tiles.retry import Clock, among_writers
from tiles.signing.signer import Signer
from tiles.store import Store, StoreFetcher, Version
from tiles.tree.bundle import parse_bundle
from tiles.tree.layout import ENTRIES, TILE_WIDTH, Tile, tile_at
from tiles.tree.merkle import TreeHead, leaf_hash
from tiles.write.load import read_head
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts


@dataclass(frozen=True, slots=True)
class Withholding:
    """What was said.

    entries   in the order of the call
    deny      the paths that the host has to deny, below the log's address; one that ends in "*" is of all that begin so
    """

    origin: str
    entries: tuple[Entry, ...]
    deny: tuple[str, ...]


def withhold(
    parts: Parts, signer: Signer, indexes: Sequence[int], reason: str, clock: Clock | None = None
) -> Withholding:
    """Say that the log withholds entries.

    Raises UsageError for an index that is not published yet, or for what is no reason; Refused for a log that is not
    the signer's, and where the record that is there is not by the log.
    """
    check_reason(reason)
    head = read_head(parts.private)[0]
    tree = OwnTree(parts.public, *signer.keys.held)
    published = tree.read_checkpoint()[0]
    signer.keys.use(head.vkeys)
    if published is None:
        raise Refused(f"{parts.public.url} has no checkpoint by {signer.verifier.vkey}")
    entries = tuple(Entry(index, tree.leaf_hash(published.tree, index), reason) for index in dict.fromkeys(indexes))
    for bundle in sorted({entry.index // TILE_WIDTH for entry in entries}):
        own = [entry for entry in entries if entry.index // TILE_WIDTH == bundle]
        _say(parts.public, signer, bundle, own, clock or Clock())
    parts.public.barrier()
    return Withholding(published.origin, entries, tuple(dict.fromkeys(_denied(parts.public, published.tree, entries))))


def _say(public: Store, signer: Signer, bundle: int, entries: Sequence[Entry], clock: Clock) -> None:
    """Let the record of a bundle have these entries, too."""
    path = withheld_path(bundle)
    for _ in among_writers(clock):
        before, version, is_by_the_first = _record(public, signer, bundle)
        said = before or Withheld(signer.verifier.name, bundle, tuple(entries[:1]))
        for entry in entries:
            said = said.extended(entry)
        if said == before and is_by_the_first:
            return
        with suppress(Conflict, OutcomeUnknown):  # somebody else withholds something of the same bundle
            public.swap(path, signer.sign_withheld(said).data, version)
            return
    raise AccessError(f"{public.url}/{path}: other writers were always first", hint="run the same command again")


def _record(public: Store, signer: Signer, bundle: int) -> tuple[Withheld | None, Version | None, bool]:
    """Return what was said of a bundle, perhaps nothing, and whether that is signed by the log's first key.

    What a key that was retired has signed stays good of the entries of that time; said again, it is signed anew.
    """
    path = withheld_path(bundle)
    try:
        stored = public.read(path, MAX_WITHHELD_SIZE)
    except NotFound:
        return None, None, False
    try:
        said = open_by_history(
            stored.data, signer.keys.held, lambda: key_history(StoreFetcher(public), signer.keys.held)
        )
    except LogError as error:
        raise Refused(
            f"{public.url}/{path} is not by the log: {error.message}", hint="find out who wrote it, and delete it"
        ) from error
    if (said.origin, said.bundle) != (signer.verifier.name, bundle):
        raise Refused(f"{public.url}/{path} is of another bundle", hint="find out who put it there, and delete it")
    return said, stored.version, any(line.claims(signer.verifier) for line in read_withheld(stored.data).signatures)


def _denied(public: Store, tree: TreeHead, entries: Sequence[Entry]) -> Iterator[str]:
    """Yield the paths of what has the bytes of entries: bundles, and files that were published beside their digests."""
    for entry in entries:
        full = Tile(ENTRIES, entry.index // TILE_WIDTH)
        yield full.path
        yield f"{full.path}.p/*"
        with suppress(NotFound, LogError, Malformed, AccessError, UsageError):
            bundle = tile_at(tree.size, ENTRIES, full.index)
            logged = parse_bundle(fetch_tile(StoreFetcher(public), bundle), bundle.width)[entry.index % TILE_WIDTH]
            path = payload_of(logged) if leaf_hash(logged) == entry.leaf else None
            if path is not None:
                public.read(path)
                yield path
