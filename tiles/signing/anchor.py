"""The anchor: the largest tree of a log that its signer ever agreed to sign, kept by compare-and-swap.

    tiletree-anchor/v1\\n
    origin <origin>\\n
    size <tree size>\\n
    root <root hash in base64>\\n

It lies in a store of its own, beside the key by default. If the log was put back to an older copy, its tree no longer
extends the anchor, and nothing is signed (`tiles.signing.signer`).
"""

from __future__ import annotations

from dataclasses import dataclass

from tiles.errors import Malformed, NotFound, Refused
from tiles.notes.encoding import encode_base64
from tiles.records.fields import MAX_RECORD_SIZE, format_record, parse_record, parse_tree
from tiles.records.paths import ANCHOR
from tiles.store import Store, Version
from tiles.tree.merkle import TreeHead

TITLE = "tiletree-anchor/v1"
_NAMES = ("origin", "size", "root")


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the signer remembers: the largest tree of `origin` that it ever agreed to sign."""

    origin: str
    tree: TreeHead

    @property
    def data(self) -> bytes:
        """The record, as it is stored."""
        values = (self.origin, str(self.tree.size), encode_base64(self.tree.root))
        return format_record(TITLE, list(zip(_NAMES, values, strict=True)))


def parse_anchor(data: bytes) -> Anchor:
    """Return the anchor whose `Anchor.data` is `data`. Raises Malformed if there is none."""
    origin, size, root = parse_record(TITLE, data, _NAMES)
    anchor = Anchor(origin, parse_tree(TITLE, size, root))
    if anchor.data != data:
        raise Malformed(TITLE, "not in canonical form", data)
    return anchor


class AnchorMemory:
    """The anchor of one log, in the store that keeps it."""

    def __init__(self, origin: str, store: Store) -> None:
        self.origin = origin
        self.store = store

    def recall(self) -> tuple[TreeHead | None, Version | None]:
        """Return the anchor's tree and its version; a pair of None if there is no anchor yet.

        Raises Refused if the anchor is another log's.
        """
        try:
            stored = self.store.read(ANCHOR, MAX_RECORD_SIZE)
        except NotFound:
            return None, None
        anchor = parse_anchor(stored.data)
        if anchor.origin != self.origin:
            raise Refused(
                f"the anchor at {self.store.url} is of the log {anchor.origin}, not of {self.origin}",
                hint="give each log an anchor of its own",
            )
        return anchor.tree, stored.version

    def move(self, tree: TreeHead, version: Version | None) -> None:
        """Replace the anchor of `version`; the new one lasts on return. Raises Conflict if it has another version."""
        self.store.swap(ANCHOR, Anchor(self.origin, tree).data, version)
