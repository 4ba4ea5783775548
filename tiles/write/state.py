"""A log as a writer found it, or as it has just left it: what the commit builds on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tiles.errors import Refused
from tiles.inbox.admission import Admission
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.keys import SignatureType, VerifierKey, parse_vkey
from tiles.notes.note import claimed
from tiles.notes.policy import Policy
from tiles.records.head import Head
from tiles.signing.anchor import Anchor
from tiles.store import Version

# what was read, and what to hand to `swap`: the checkpoint; the head, and when it was written; the anchor
Shown = tuple[SignedCheckpoint | None, Version | None]
Stored = tuple[Head, Version, float]
Anchored = tuple[Anchor | None, Version | None]
Read = tuple[Shown, Stored, Anchored]


@lru_cache(maxsize=16)
def keys_of(vkeys: tuple[str, ...]) -> tuple[VerifierKey, ...]:
    """Return the keys that a head names; every commit asks for them, and they hardly ever change."""
    return tuple(map(parse_vkey, vkeys))


@dataclass(frozen=True, slots=True)
class State:
    """A log as a writer found it.

    policy      the publishing policy that the head names; admission, the one for submissions
    published   the published checkpoint; None in a log whose first one is not published yet
    modified    when the head was written, by the store's clock
    anchor_version, published_version   what to hand to `swap`
    """

    head: Head
    version: Version
    modified: float
    policy: Policy
    admission: Admission
    anchor: Anchor
    anchor_version: Version | None
    published: SignedCheckpoint | None
    published_version: Version | None

    @property
    def checkpoint(self) -> SignedCheckpoint:
        """The published checkpoint. Raises Refused if the first one is not published yet."""
        if self.published is None:
            raise Refused(f"the log {self.head.origin} has no published checkpoint yet")
        return self.published

    @property
    def is_signed_by_all(self) -> bool:
        """Whether the published checkpoint has the signatures of all keys of the head, all of them verified."""
        keys = {*keys_of(self.head.vkeys)}
        return self.published is not None and {key for _, key in claimed(self.published.note, keys)} == keys

    @property
    def has_one_checkpoint(self) -> bool:
        """Whether every run publishes the same bytes for a tree: no witness is asked, and keys sign a text one way.

        Otherwise which of them was published first is known only once it is.
        """
        is_fixed = all(key.type == SignatureType.ED25519 for key in keys_of(self.head.vkeys))
        return is_fixed and not self.policy.needs_witnesses

    @property
    def is_published(self) -> bool:
        """Whether readers can see all that is committed."""
        return self.published is not None and self.published.tree == self.head.tree
