"""The head: the one compare-and-swap object that decides what is committed (docs/data-flow.md, "The commit").

It is private and trusted: anyone who can write it can have any entry signed. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tiles.errors import Malformed
from tiles.notes.encoding import decode_decimal, encode_base64
from tiles.records.fields import format_record, parse_digest, parse_random_id, parse_repeating_record, parse_tree
from tiles.records.paths import staged_path
from tiles.tree.merkle import EMPTY_TREE, TreeHead

TITLE = "tiletree-head/v2"
_BEFORE = b"tiletree-head/v1\n"
_NAMES = ("origin", "anchor", "size", "root", "base", "batch", "policy", "admission", "state", "nonce")
_NO_BATCH = "none"


@dataclass(frozen=True, slots=True)
class Head:
    """What is committed.

    anchor      the identity of the log's anchor (`tiles.signing.anchor`), 32 hex digits
    tree        the committed tree
    base        the size of the tree it was committed on, which was published; ≤ tree.size
    batch       SHA-256 (hex) of the staged batch between the two; None if nothing was decided. A batch that only
                refuses submissions leaves the tree as it is
    policy, admission   SHA-256 (hex) of the publishing and of the admission policy, kept at `policies/<sha256>`
    frozen      nothing may be added any more
    nonce       32 hex digits, new for every commit, so that no two heads are the same bytes
    vkeys       the log's verifier keys, at least one; those that sign texts come first
    """

    origin: str
    vkeys: tuple[str, ...]
    policy: str
    admission: str
    anchor: str
    nonce: str
    tree: TreeHead = EMPTY_TREE
    base: int = 0
    batch: str | None = None
    frozen: bool = False

    @property
    def data(self) -> bytes:
        """The record, as it is stored."""
        return format_record(
            TITLE,
            [
                ("origin", self.origin),
                ("anchor", self.anchor),
                ("size", str(self.tree.size)),
                ("root", encode_base64(self.tree.root)),
                ("base", str(self.base)),
                ("batch", self.batch or _NO_BATCH),
                ("policy", self.policy),
                ("admission", self.admission),
                ("state", "frozen" if self.frozen else "open"),
                ("nonce", self.nonce),
                *(("vkey", vkey) for vkey in self.vkeys),
            ],
        )

    @property
    def staged_path(self) -> str | None:
        """Where the batch of this commit is staged; None if it has none."""
        return staged_path(self.tree.size, self.batch) if self.batch else None

    def extended(self, tree: TreeHead, batch: str, nonce: str) -> Head:
        """Return the head of the next commit: `tree` on top of this head's tree, by the batch of that digest."""
        return replace(self, base=self.tree.size, tree=tree, batch=batch, nonce=nonce)

    def anchored(self, anchor: str, nonce: str) -> Head:
        """Return the head that commits to the same, and names another anchor."""
        return replace(self, anchor=anchor, nonce=nonce)

    def admitting(self, admission: str, nonce: str) -> Head:
        """Return the head with another admission policy, on this head's tree, which has to be published."""
        return replace(self, base=self.tree.size, batch=None, admission=admission, nonce=nonce)

    def rekeyed(self, vkeys: tuple[str, ...], policy: str, batch: str, nonce: str) -> Head:
        """Return the head with other keys, and a policy for them, on this head's tree, which has to be published.

        batch   digest of what is staged: the statement that says so
        """
        return replace(self, base=self.tree.size, batch=batch, vkeys=vkeys, policy=policy, nonce=nonce)

    def closed(self, nonce: str) -> Head:
        """Return the head after which nothing can be added."""
        return replace(self, base=self.tree.size, batch=None, frozen=True, nonce=nonce)


def parse_head(data: bytes) -> Head:
    """Return the head whose `Head.data` is `data`. Raises Malformed if there is none."""
    if data.startswith(_BEFORE):
        raise Malformed(TITLE, "an early form, which names no anchor, and which no log has that is to last", data)
    values = parse_repeating_record(TITLE, data, _NAMES, "vkey")
    origin, anchor, size, root, base, batch, policy, admission, state, nonce = values[: len(_NAMES)]
    head = Head(
        origin=origin,
        vkeys=tuple(values[len(_NAMES) :]),
        policy=parse_digest(TITLE, policy),
        admission=parse_digest(TITLE, admission),
        anchor=parse_random_id(TITLE, anchor),
        nonce=parse_random_id(TITLE, nonce),
        tree=parse_tree(TITLE, size, root),
        base=decode_decimal(base, TITLE),
        batch=None if batch == _NO_BATCH else parse_digest(TITLE, batch),
        frozen=state == "frozen",
    )
    if head.base > head.tree.size or (head.batch is None and head.base != head.tree.size) or not head.vkeys:
        raise Malformed(TITLE, "base, size, batch and keys do not go together", data)
    if head.data != data:
        raise Malformed(TITLE, "not in canonical form", data)
    return head
