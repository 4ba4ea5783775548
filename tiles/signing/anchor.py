"""The anchor: the largest tree of a log that its signer ever agreed to sign, kept by compare-and-swap.

    tiletree-anchor/v2\\n
    origin <origin>\\n
    identity <32 hex digits>\\n     of this anchor, as the log's head names it
    size <tree size>\\n
    root <root hash in base64>\\n
    state <state>\\n                open; frozen: no other tree is signed; sealed: nothing is, the log has a new anchor

It lies in a store of its own, beside the key by default. A log has one: its head names the identity, which was chosen
at random when the log was begun. Whoever finds no anchor, or another one, cannot know what was signed, and signs
nothing. If the log was put back to an older copy, its tree no longer extends the anchor, and nothing is signed either
(`tiles.signing.signer`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

from tiles.errors import Malformed, NotFound, Refused, explained, placed
from tiles.notes.encoding import encode_base64
from tiles.records.fields import MAX_RECORD_SIZE, format_record, parse_random_id, parse_record, parse_tree
from tiles.records.paths import ANCHOR
from tiles.store import Store, Version
from tiles.tree.merkle import EMPTY_TREE, TreeHead

TITLE = "tiletree-anchor/v2"
OPEN, FROZEN, SEALED = STATES = ("open", "frozen", "sealed")

_FENCES = 64  # so many calls that rebuild a head may die before one of them has written it
_NAMES = ("origin", "identity", "size", "root", "state")


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the signer remembers: the largest tree of `origin` that it ever agreed to sign.

    identity   32 hex digits
    state      one of STATES
    """

    origin: str
    identity: str
    tree: TreeHead = EMPTY_TREE
    state: str = OPEN

    @property
    def data(self) -> bytes:
        """The record, as it is stored."""
        values = (self.origin, self.identity, str(self.tree.size), encode_base64(self.tree.root), self.state)
        return format_record(TITLE, list(zip(_NAMES, values, strict=True)))

    @property
    def fenced(self) -> str:
        """The identity that follows this one: who has loaded the log by this one cannot sign any more.

        It follows from this one, so that a head which names this one can be told from that of another log.
        """
        return sha256(f"tiletree-anchor-after {self.identity}".encode()).hexdigest()[:32]

    def is_of(self, identity: str) -> bool:
        """Whether this is the anchor of that identity, or what a few fences have made of it."""
        each = replace(self, identity=identity)
        for _ in range(_FENCES):
            if each.identity == self.identity:
                return True
            each = replace(each, identity=each.fenced)
        return False


def parse_anchor(data: bytes) -> Anchor:
    """Return the anchor whose `Anchor.data` is `data`. Raises Malformed if there is none."""
    origin, identity, size, root, state = parse_record(TITLE, data, _NAMES)
    anchor = Anchor(origin, parse_random_id(TITLE, identity), parse_tree(TITLE, size, root), state)
    if state not in STATES or anchor.data != data:
        raise Malformed(TITLE, "not in canonical form", data)
    return anchor


class AnchorMemory:
    """The anchor of one log, in the store that keeps it."""

    def __init__(self, origin: str, store: Store) -> None:
        self.origin = origin
        self.store = store

    def recall(self) -> tuple[Anchor | None, Version | None]:
        """Return the anchor and its version; a pair of None if there is none.

        Raises Refused if it is another log's, Malformed if it is none.
        """
        try:
            stored = self.store.read(ANCHOR, MAX_RECORD_SIZE)
        except NotFound:
            return None, None
        try:
            anchor = parse_anchor(stored.data)
        except Malformed as error:
            raise placed(error, f"{self.store.url}/{ANCHOR}", error.plain) from None
        if anchor.origin != self.origin:
            raise Refused(
                f"the anchor at {self.store.url} is of the log {anchor.origin}, not of {self.origin}",
                hint=explained("the-anchor-is-gone", "give each log an anchor of its own"),
            )
        return anchor, stored.version

    def put(self, anchor: Anchor, version: Version | None) -> Version:
        """Replace the anchor of that version, None to create one, and return its version; it lasts on return.

        Raises Conflict.
        """
        return self.store.swap(ANCHOR, anchor.data, version)

    def ahead(self, anchor: Anchor) -> tuple[Store, dict[str, bytes]]:
        """Return what `put` of an anchor would write, and where (`tiles.store.drafts`). Nothing is promised by that."""
        return self.store, {ANCHOR: anchor.data}
