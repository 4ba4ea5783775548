"""Entries that a log withholds: what it has signed about them, held to its tree.

A record counts if the log's key has signed it, for this log and this bundle, and if each leaf hash in it is the one
that the tree has at that index. A key that was retired since, or that the log had before one that is known, counts as
the log's statements about its keys have it: for entries of the trees that it has signed. Anything else is as good as no
record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from tiles.errors import LogError, NotFound, SignatureError, UsageError
from tiles.notes.key_history import KeyHistory
from tiles.notes.keys import SIGNS_TEXT, VerifierKey
from tiles.notes.note import claimed
from tiles.notes.withheld import MAX_WITHHELD_SIZE, Entry, Withheld, open_withheld, read_withheld
from tiles.read.client import LogClient
from tiles.read.key_changes import key_history
from tiles.read.tiles import TileSource
from tiles.read.verified_tree import VerifiedTree
from tiles.records.paths import withheld_path
from tiles.store import Fetcher
from tiles.store.past_caches import fetch_for
from tiles.tree.layout import BUNDLES, TILE_WIDTH, parse_tile_path
from tiles.tree.merkle import TreeHead
from tiles.tree.proof import Node

_BUNDLE = re.compile(rf"{BUNDLES}(?:x[0-9]{{3}}/)*[0-9]{{3}}", re.ASCII)


def open_by_history(data: bytes, keys: Iterable[VerifierKey], history: Callable[[], KeyHistory]) -> Withheld:
    """Return a record of the log: signed by one of these keys, or by one that the log had before.

    history   what the log says of its keys; asked for only if none of them has signed the record
    Raises Malformed; SignatureError, which says what is not known or what was too late.
    """
    known = [key for key in keys if key.type in SIGNS_TEXT]
    note = read_withheld(data)
    if claimed(note, known):
        return open_withheld(data, known)
    if not known:
        raise SignatureError(
            "a record of withheld entries is signed by a key that signs texts, and only ML-DSA-44 is pinned",
            hint="pin the log's Ed25519 key as well to have it judged: a policy with both `log` lines",
        )
    then = {use.key: use for use in history().forerunners if use.key.type in SIGNS_TEXT}
    said = open_withheld(data, [*known, *then])
    by = [then[key] for _, key in claimed(note, then)]
    last = max((use.until for use in by if use.until is not None), default=0)
    late = [entry for entry in said.entries if entry.index >= last]
    if late and all(use.until is not None for use in by):
        raise SignatureError(
            f"entry {late[0].index} is said to be withheld by {by[0].key}, which was retired at size {last}",
            hint="the log has to say so by a key that it has: `tiletree withhold` again",
        )
    return said


class WithheldEntries:
    """What one log withholds of the entries of one of its trees.

    keys   the log's
    """

    def __init__(self, fetcher: Fetcher, tree: TreeHead, origin: str, keys: Iterable[VerifierKey]) -> None:
        self._fetcher = fetcher
        self._tree = tree
        self._origin = origin
        self._keys = tuple(keys)

    @classmethod
    def of(cls, client: LogClient) -> WithheldEntries:
        """Return what the log withholds that a client reads."""
        signed = client.accepted.signed
        return cls(client.fetcher, signed.tree, signed.origin, client.policy.keys_of(signed.origin))

    def of_bundle(self, bundle: int) -> Sequence[Entry]:
        """Return the withheld entries of a bundle, perhaps none. Raises LogError for a record that does not count."""
        try:
            said = fetch_for(
                self._fetcher,
                withheld_path(bundle),
                MAX_WITHHELD_SIZE,
                self._opened,
            )
        except NotFound:
            return ()
        if (said.origin, said.bundle) != (self._origin, bundle):
            raise LogError(f"it is of bundle {said.bundle} of {said.origin}")
        nodes = [Node(0, entry.index) for entry in said.entries if entry.index < self._tree.size]
        tree = VerifiedTree(TileSource(self._fetcher, lenient=False), self._tree, self._origin)
        tree.read(nodes)
        known = said.entries[: len(nodes)]  # a larger tree may have the others
        for node, entry in zip(nodes, known, strict=True):
            if tree.hash(node) != entry.leaf:
                raise LogError(f"it says that entry {entry.index} has the leaf hash {entry.leaf.hex()}, and it has not")
        return known

    def _opened(self, data: bytes) -> Withheld:
        return open_by_history(data, self._keys, lambda: self._history)

    @cached_property
    def _history(self) -> KeyHistory:
        return key_history(self._fetcher, self._keys)

    def explained(self, error: NotFound) -> NotFound:
        """Return an error that says what is withheld, if that is why a bundle is not there; otherwise `error`."""
        found = _BUNDLE.search(error.message)
        if found is None:
            return error
        try:
            bundle = parse_tile_path(found[0]).index
            entries = self.of_bundle(bundle)
        except (LogError, NotFound, UsageError):
            return error
        if not entries:
            return error
        first = bundle * TILE_WIDTH
        which = "; ".join(f"entry {entry.index}: {entry.reason}" for entry in entries[:3])
        return NotFound(
            f"{self._fetcher.url}: the log withholds entries, so those of {first} to {first + TILE_WIDTH - 1} cannot "
            f"be read: {which}{' …' if len(entries) > 3 else ''}",
            hint="their leaf hashes are in the tree, so proofs of them are as good as ever",
        )
