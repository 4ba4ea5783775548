"""Beginning a new anchor for a log that exists: to move it, or because it is lost (docs/data-flow.md, "The anchor").

The old anchor is sealed first, where it can be reached, so that nothing more is signed with it. Then the new one is
created, and then the head is swapped for one that names it. A run that dies in between leaves a log that nobody can
write to, and the same call finishes the work.

Before that, whatever the log's key has signed and is still known is compared: the published checkpoint, `pending`, the
newest of those kept below `checkpoints/`, what is in both places, and what this user has seen. Where the old anchor
does not say it, the witnesses of the log's policy are asked as well (`tiles.write.signed_before`). A `pending` that is
not the committed tree's is replaced by the published checkpoint, last of all: it is contained in the published tree, so
a run that dies before that does no harm.

Where the old anchor cannot be reached, nobody can know what was signed with it. The new one then begins with the
published tree. Another writer that was about to sign would fork the log, so all others have to be stopped before.
The same holds where another run has sealed it: a newer anchor may be in use somewhere, for a copy of this log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeGuard

from tiles.errors import AccessError, Conflict, LogError, OutcomeUnknown, ProofError, Refused, explained
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import MAX_POLICY_SIZE, parse_policy
from tiles.records.head import Head
from tiles.records.paths import CHECKPOINTS, HEAD, MOVED, PENDING, STAGING, kept_size
from tiles.retry import Clock, among_writers
from tiles.signing.anchor import FROZEN, OPEN, SEALED, Anchor, AnchorMemory
from tiles.store import Version
from tiles.tree.merkle import EMPTY_TREE, TreeHead
from tiles.tree.proof import verify_consistency
from tiles.write.cosign import Witnessing
from tiles.write.load import read_head
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts
from tiles.write.remains import kept_policy
from tiles.write.signed_before import LastSigned, signed_here

GoOn = Callable[[Sequence[str]], object]

_HINT = explained(
    "something-was-put-back",
    "storage was put back, or this is a copy of the log: restore the newest one; nothing was changed",
)


@dataclass(frozen=True, slots=True)
class Adopted:
    """What an adoption came to.

    is_new   whether this call has begun the anchor
    sealed   whether the old one was found, and is sealed
    """

    anchor: Anchor
    is_new: bool
    sealed: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """What is published, what is in the new place, and the log's old anchor; None if it is lost or was put back."""

    published: TreeHead
    there: Anchor | None
    there_version: Version | None
    old: Anchor | None
    old_version: Version | None


class Adoption:
    """Gives one log a new anchor.

    old   where its anchor was
    new   where the new one is to be. It may be the same place, if nothing is there, or an anchor that was put back
    how   how witnesses are asked
    """

    def __init__(
        self, parts: Parts, tree: OwnTree, old: AnchorMemory, new: AnchorMemory, how: Witnessing | None = None
    ) -> None:
        self._how = how or Witnessing()
        self._parts = parts
        self._tree = tree
        self._old = old
        self._new = new

    def adopt(self, clock: Clock, seen: SignedCheckpoint | None, go_on: GoOn) -> Adopted:
        """Begin a new anchor, or finish beginning it; what is committed and not published stays so.

        seen    the largest checkpoint that this user has seen of the log
        go_on   called before anything is written if the old anchor is not found, or sealed already, with what the
                witnesses could not say; raises to stop
        Raises Refused if a tree was signed that the log, as it is, does not contain.
        """
        is_sure = False  # that no other run signs with an anchor that is not seen here
        for _ in among_writers(clock):
            head, version, _ = read_head(self._parts.private)
            try:
                found = self._look(head, seen)
            except Refused:
                if read_head(self._parts.private)[0].nonce == head.nonce:
                    raise
                continue  # another writer came in between
            if self._is_the_anchor(found.there, found.published, head):
                self._replace_pending(head)
                return Adopted(found.there, is_new=False, sealed=False)
            if found.old is None:
                self._check_newest(head, found.published)
            if not is_sure and (found.old is None or found.old.state == SEALED):
                go_on(self._ask(head, found))
                is_sure = True
            with suppress(Conflict, OutcomeUnknown):  # then all of it is read again
                if found.old is not None and self._new.store.url != self._old.store.url:
                    self._seal(found.old, found.old_version)
                    is_sure = True
                tree = found.old.tree if found.old is not None else found.published
                state = FROZEN if head.frozen else OPEN
                anchor = Anchor(head.origin, clock.random_id(), tree, state)
                self._new.put(anchor, found.there_version)
                self._parts.private.swap(HEAD, head.anchored(anchor.identity, clock.random_id()).data, version)
                with suppress(AccessError):
                    self._parts.private.delete([MOVED])  # a move that was begun is taken back by this
                self._replace_pending(head)
                return Adopted(anchor, is_new=True, sealed=found.old is not None)
        raise AccessError(f"{self._parts.private.url}: no new anchor was begun", hint="run the same command again")

    def _look(self, head: Head, seen: SignedCheckpoint | None) -> _Found:
        """Return what is there. Raises Refused if a tree was signed that the log does not contain."""
        published = self._published(head)
        there, there_version = self._new.recall()
        old, old_version = self._old.recall()
        known = [each.tree for each in (old, there, seen) if each is not None]
        signed = [each.tree for each in signed_here(self._parts.public, self._tree)]
        self._check(head, published, list(dict.fromkeys([*known, *signed])))
        is_the_logs = old is not None and old.identity == head.anchor and old.tree.size >= published.size
        return _Found(published, there, there_version, old if is_the_logs else None, old_version)

    def _published(self, head: Head) -> TreeHead:
        """Return the published tree. Raises Refused if it is not one that the head stands on."""
        signed, _ = self._tree.read_checkpoint()
        published = signed.tree if signed else EMPTY_TREE
        if published != head.tree and published.size != head.base:
            raise Refused(f"size {published.size} is published, and the head commits to {head.tree}", hint=_HINT)
        for listed in self._parts.public.list(CHECKPOINTS):
            # the one that is committed may be kept already: the run that was about to publish it has died
            if (size := kept_size(listed.path) or 0) > published.size and size != head.tree.size:
                raise Refused(f"{self._parts.public.url}/{listed.path} is larger than the checkpoint", hint=_HINT)
        return published

    def _ask(self, head: Head, found: _Found) -> list[str]:
        """Ask the witnesses what they hold, and return what they cannot say. Raises Refused if it is not in the log."""
        unknown: list[str] = []
        policy = kept_policy(self._parts.private, parse_policy, MAX_POLICY_SIZE, head.policy, "--policy")
        published, _ = self._tree.read_checkpoint()
        if policy is not None and policy.needs_witnesses and published is not None:
            last = LastSigned(self._parts, self._tree, published.tree, head.tree)
            last.ask(policy, published, self._how, unknown)
            self._check(head, found.published, last.shown())
        return unknown

    def _replace_pending(self, head: Head) -> None:
        """Replace `pending` by the published checkpoint, unless it is the committed tree's; best effort."""
        public = self._parts.public
        with suppress(AccessError, LogError):
            pending = public.read(PENDING, MAX_NOTE_SIZE)
            published = self._tree.read_checkpoint()[0]
            if published is None or pending.data == published.data:
                return
            with suppress(LogError, Refused):
                if self._tree.own_checkpoint(pending.data).tree == head.tree:
                    return
            public.swap(PENDING, published.data, pending.version)

    def _is_the_anchor(self, anchor: Anchor | None, published: TreeHead, head: Head) -> TypeGuard[Anchor]:
        """Whether it is the log's anchor, and fit for use."""
        if anchor is None or anchor.identity != head.anchor or anchor.state == SEALED:
            return False
        return anchor.tree in (published, head.tree)

    def _check(self, head: Head, published: TreeHead, known: list[TreeHead]) -> None:
        """Raise Refused unless the log contains each of these trees, which somebody has signed."""
        for tree in known:
            if tree == head.tree:
                continue
            if tree.size > published.size:
                raise Refused(f"a tree of {tree} was signed, and the log has {published}", hint=_HINT)
            try:
                verify_consistency(tree, published, self._tree.prove(tree, published, None))
            except ProofError as error:
                raise Refused(f"the log of {published} does not extend {tree}, which was signed", hint=_HINT) from error

    def _check_newest(self, head: Head, published: TreeHead) -> None:
        """Raise Refused if the head commits to more than is published, and the batch between the two is gone.

        A staged batch is deleted after its tree was published. So that tree was signed, and without the old anchor
        nothing else would keep another one of its size from being signed.
        """
        if head.tree == published or head.staged_path is None:
            return
        if all(listed.path != head.staged_path for listed in self._parts.private.list(STAGING)):
            raise Refused(
                f"size {published.size} is published, the head commits to {head.tree}, and its staged batch is gone: "
                "it was published before, and this is an older copy of the public part",
                hint=explained("more-was-signed-than-is-published", "restore the newest one; nothing was changed"),
            )

    def _seal(self, old: Anchor, version: Version | None) -> None:
        if old.state != SEALED:
            self._old.put(replace(old, state=SEALED), version)
