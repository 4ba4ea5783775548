"""`pending`: the signed checkpoint of the committed tree, before its quorum, for witnesses that come by themselves.

It is written after the signature, so it is never ahead of the tiles or of the anchor, and never replaced by a smaller
one. It also keeps the lines of witnesses that have answered, so that a later run need not ask them again. Readers never
use it. It lies where anyone may be able to write, so it counts only as far as its signatures verify.

A run that dies before it is written leaves an older one: the next run signs the same text, and writes it. One that dies
after it: the next run finds it, and goes on.
"""

from __future__ import annotations

from collections.abc import Callable

from tiles.errors import AccessError, Conflict, OutcomeUnknown, Refused, explained
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.cosigned import adds, union
from tiles.notes.policy import Policy
from tiles.records.head import Head
from tiles.records.paths import PENDING
from tiles.retry import Clock, among_writers
from tiles.store import Store
from tiles.write.own_tree import OwnTree


def is_of_later_head(
    pending: SignedCheckpoint | None, head: Head, read_again: Callable[[], tuple[Head, object, object]]
) -> bool:
    """Whether the head is another by now, where that would explain what `pending` says.

    pending   None if there is none by the log's key: then it says nothing
    Raises Refused if more was signed than the head commits to, or another tree of its size: the head was put back.
    """
    if pending is None or pending.tree.size < head.tree.size or pending.tree == head.tree:
        return False
    now = read_again()[0]
    if now.nonce != head.nonce and now.tree.size >= pending.tree.size:
        return True
    raise Refused(
        f"{PENDING} shows that {pending.tree} was signed, and the head commits to {head.tree}",
        hint=explained(
            "something-was-put-back",
            "storage holds an older copy, or is out of order: restore the newest copy of both parts of the log",
        ),
    )


class Pending:
    """The object `pending` of one log."""

    def __init__(self, public: Store, tree: OwnTree, clock: Clock) -> None:
        self._public = public
        self._tree = tree
        self._clock = clock

    def show(self, signed: SignedCheckpoint, policy: Policy) -> SignedCheckpoint:
        """Write a signed checkpoint there, unless there is a larger one; return it with the lines that were there.

        Raises AccessError if it cannot be written, Refused if another tree of this size was signed.
        """
        for _ in among_writers(self._clock):
            found, version = self._tree.read_pending()
            if found is not None and found.tree.size > signed.tree.size:
                return signed  # another writer is further on
            if found is not None and found.tree == signed.tree:
                signed = union(signed.checkpoint, [*signed.note.signatures, *found.note.signatures], policy)
                if not adds(signed, found, policy):
                    return signed
            elif found is not None and found.tree.size == signed.tree.size:
                raise Refused(f"{self._public.url}/{PENDING} shows that {found.tree} was signed, not {signed.tree}")
            try:
                self._public.swap(PENDING, signed.data, version)
            except (Conflict, OutcomeUnknown):
                continue
            return signed
        raise AccessError(f"{self._public.url}/{PENDING} kept changing")
