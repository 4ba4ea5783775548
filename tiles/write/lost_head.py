"""Rebuilding a head: one that is gone, or that was put back, so that nothing it commits to can ever be signed.

The checkpoint and the anchor say what was published and what was signed. Where they agree, the head commits to that
tree. Where the anchor is ahead, its tree is completed: by the staged batch that leads to it, or, if all tiles and
bundles of that tree can be read and verified, by signing the same tree again and publishing it. Otherwise nothing is
changed: a head at the checkpoint would leave out what was signed.

An anchor may be an older copy, or one that was begun when the old one was lost. So what else is known to have been
signed counts as well (`tiles.write.signed_before`): `pending`, the checkpoints that are kept, and what the witnesses of
the policy hold, who may have cosigned a tree that was never published. The head commits to the largest of these trees,
which extends all others, or nothing is changed. Where the policy needs witnesses, that tree is not published here: the
batch that leads to it is staged anew, if it is gone, from the entries of its tiles, and the next run asks them.

    look → ask the witnesses → stage → fence the anchor → publish its tree, if that is missing → create or swap the head

A head that is sound stays what it is. But if tiles are in the way of its log (`tiles.write.in_the_way`), the anchor is
fenced as well, and the head is written once more to name it, for only then may they be set aside.

- A staged batch is found by the next call, if this one dies, and `gc` removes it where it is of no use.
- The anchor gets another identity before anything of the log is changed. No run that has loaded the log before can
  sign with it, so nothing can be signed beside the head that is written then.
- Dies after the fence: no head, or one that names the anchor as it was. The same call goes on, every other run refuses.
- Dies after publishing: checkpoint and anchor agree, and the same call writes the head. It is written last, by one
  create or compare-and-swap. Of two calls, one writes it; the other looks again.

`tests/model/rebuild.py` explores this beside writers that pause and die anywhere.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace

from tiles.errors import AccessError, Conflict, Malformed, NotFound, OutcomeUnknown, Refused, explained
from tiles.inbox.admission import MAX_ADMISSION_SIZE, OPEN, Admission, parse_admission
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.policy import MAX_POLICY_SIZE, Policy, parse_policy, policy_of
from tiles.read.key_changes import keys_in_use
from tiles.records.head import Head
from tiles.records.paths import HEAD, POLICIES, STAGING, policy_path
from tiles.records.staged_batch import Batch
from tiles.retry import Clock, among_writers
from tiles.signing.anchor import FROZEN, SEALED, Anchor
from tiles.signing.signer import Signer
from tiles.store import Version
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import TreeHead
from tiles.write.cosign import Witnessing, check_policy
from tiles.write.in_the_way import is_in_the_way
from tiles.write.last_used import last_used
from tiles.write.load import read_head
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts
from tiles.write.remains import had_witnesses, kept_policy, leading_batches, stage_anew
from tiles.write.signed_before import LastSigned, signed_here


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it.

    is_new    whether the head was written, and the anchor fenced; otherwise nothing was changed
    unknown   what could not be known, and what was assumed instead
    """

    head: Head
    is_new: bool
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """What is there. The head is None if it is gone."""

    head: Head | None
    head_version: Version | None
    signed: SignedCheckpoint
    signed_version: Version
    anchor: Anchor
    anchor_version: Version | None
    last: LastSigned

    @property
    def published(self) -> TreeHead:
        """The published tree."""
        return self.signed.tree


class HeadRebuilder:
    """Rebuilds the head of one log. how: its witnesses are asked"""

    def __init__(self, parts: Parts, signer: Signer, clock: Clock, how: Witnessing | None = None) -> None:
        self._how = how or Witnessing()
        self._parts = parts
        self._tree = OwnTree(parts.public, *signer.keys.held)
        self._signer = signer
        self._clock = clock

    def rebuild(self, policy: Policy | None, admission: Admission | None) -> Rebuilt:
        """Write the head that checkpoint and anchor lead to, unless the one that is there is sound.

        policy, admission   the log's; None: the one that is kept, or the default
        Raises Refused, having changed nothing, if they do not lead to one.
        """
        for _ in among_writers(self._clock):
            found = self._look()
            before = found.head
            is_sound = before is not None and self._is_sound(before, found)
            is_whole = is_sound and before is not None and before.anchor == found.anchor.identity
            if before is not None and is_whole and not is_in_the_way(self._parts, self._tree, before, found.published):
                return Rebuilt(before, is_new=False)
            if not self._is_still_so(found):
                continue
            unknown: list[str] = []
            if before is not None and is_sound:
                self._check_usable(found)
                head = replace(before, anchor=found.anchor.fenced, nonce=self._clock.random_id())
            else:
                head = self._made(found, policy, admission, unknown)
            with suppress(Conflict, OutcomeUnknown):  # then all of it is looked at again
                self._signer.memory.put(replace(found.anchor, identity=head.anchor), found.anchor_version)
                if not is_sound and head.tree != found.published and head.base == head.tree.size:
                    self._publish(found, head)
                self._parts.private.swap(HEAD, head.data, found.head_version)
                return Rebuilt(head, is_new=True, unknown=tuple(unknown))
        raise AccessError(f"{self._parts.private.url}: no head was written", hint="run the same command again")

    def _made(self, found: _Found, policy: Policy | None, admission: Admission | None, unknown: list[str]) -> Head:
        """Return the head to write where the one that is there is not sound; what it names is stored, and lasts."""
        self._check(found)
        self._signer.keys.use(keys_in_use(self._parts.public, found.signed.note, self._signer.keys.held))
        kept = self._policies(found, policy, admission, unknown)
        if kept[0].needs_witnesses:
            found.last.ask(kept[0], found.signed, self._how, unknown)
        found.last.check(found.anchor, self._signer.memory.store.url, unknown)
        head = self._planned(found, kept, unknown)
        self._parts.private.create({policy_path(each.sha256): each.data for each in kept})
        self._parts.private.barrier()
        return head

    # ---- look

    def _look(self) -> _Found:
        """Return what is there: the head first, for nobody commits while it stays what it is."""
        head, head_version = self._read_head()
        signed, signed_version = self._tree.read_checkpoint()
        memory = self._signer.memory
        anchor, anchor_version = memory.recall()
        if signed is None or signed_version is None:
            raise Refused(f"{self._tree.url}/{CHECKPOINT} is gone", hint=explained("the-checkpoint-is-gone"))
        if anchor is None:
            both = f", and there is no head in {self._parts.private.url}" if head is None else ""
            section = "head-and-anchor-are-gone" if head is None else "the-anchor-is-gone"
            place = last_used(self._parts.private)
            raise Refused(f"there is no anchor at {memory.store.url}{both}{place}", hint=explained(section))
        last = LastSigned(self._parts, self._tree, signed.tree, anchor.tree)
        last.add(signed_here(self._parts.public, self._tree))
        return _Found(head, head_version, signed, signed_version, anchor, anchor_version, last)

    def _read_head(self) -> tuple[Head, Version] | tuple[None, None]:
        try:
            head, version, _ = read_head(self._parts.private)
        except NotFound:
            return None, None
        except Malformed as error:
            raise Refused(
                f"{self._parts.private.url}/{HEAD}: {error.message}",
                hint=f"move it away, and run the same command again; {explained('the-head-is-gone')}",
            ) from error
        return head, version

    def _is_sound(self, head: Head, found: _Found) -> bool:
        """Whether the next run can go on with the head: what it commits to is signed, or extends what is.

        Its anchor may have been fenced by a call that died before it wrote the head.
        """
        anchor = found.anchor
        if not anchor.is_of(head.anchor) or (anchor.state == FROZEN and not head.frozen):
            return False
        if not all(self._is_there(POLICIES, policy_path(each)) for each in (head.policy, head.admission)):
            return False
        if head.tree == found.published:
            return anchor.tree == found.last.tree == head.tree
        is_beyond = any(tree not in (found.published, head.tree) for tree in (anchor.tree, found.last.tree))
        if found.published.size != head.base or is_beyond:
            return False
        return head.staged_path is None or self._is_there(STAGING, head.staged_path)

    def _is_there(self, prefix: str, path: str) -> bool:
        return any(listed.path == path for listed in self._parts.private.list(prefix))

    def _is_still_so(self, found: _Found) -> bool:
        """Whether checkpoint and head are still what they were: otherwise what was found says nothing of them."""
        return self._tree.read_checkpoint()[1] == found.signed_version and self._read_head()[1] == found.head_version

    def _check(self, found: _Found) -> None:
        """Raise Refused unless the anchor is the log's, and has signed what is published."""
        self._check_usable(found)
        where, anchor = self._signer.memory.store.url, found.anchor
        if found.head is None and anchor.tree.size == 0:
            raise Refused(
                f"the anchor at {where} has signed nothing, so it may be that of any log",
                hint=explained("the-log-was-empty"),
            )
        self._tree.check_extends(found.published, anchor.tree, f"the anchor at {where}")

    def _check_usable(self, found: _Found) -> None:
        """Raise Refused if the anchor is another log's, or not in use any more."""
        where, anchor = self._signer.memory.store.url, found.anchor
        last = last_used(self._parts.private)
        if found.head is not None and not anchor.is_of(found.head.anchor):
            raise Refused(f"the anchor at {where} is not that of the log{last}", hint=explained("the-anchor-is-gone"))
        if anchor.state == SEALED:
            raise Refused(
                f"the anchor at {where} is sealed: a new one was begun{last}", hint=explained("the-anchor-is-gone")
            )

    # ---- plan

    def _policies(
        self, found: _Found, policy: Policy | None, admission: Admission | None, unknown: list[str]
    ) -> tuple[Policy, Admission]:
        named = (found.head.policy, found.head.admission) if found.head else (None, None)
        private = self._parts.private
        chosen = policy or kept_policy(private, parse_policy, MAX_POLICY_SIZE, named[0], "--policy")
        if chosen is None and had_witnesses(self._parts.public):
            raise Refused(
                "the policy is lost, and the log seems to have had witnesses",
                hint=explained("a-policy-is-gone", "name it with --policy"),
            )
        if chosen is None:
            chosen = policy_of(self._signer.keys.current)
            unknown.append("the policy is lost: the log's key alone is assumed")
        for key in self._signer.keys.current:
            check_policy(chosen, key)
        admitted = admission or kept_policy(private, parse_admission, MAX_ADMISSION_SIZE, named[1], "--admission")
        if admitted is None:
            unknown.append("the admission policy is lost: the default is assumed")
        return chosen, admitted or OPEN

    def _planned(self, found: _Found, kept: tuple[Policy, Admission], unknown: list[str]) -> Head:
        keys, anchor, before, tree = self._signer.keys, found.anchor, found.head, found.last.tree
        batch, name = self._batch(found, unknown)
        if batch is None and tree != found.published:
            entries = self._tree.entries_since(tree, found.published.size)
            if kept[0].needs_witnesses:  # the next run publishes it, for it asks them
                batch, name = stage_anew(self._parts.private, found.published.size, entries)
            else:
                deque(entries, maxlen=0)  # all of it is there
        return Head(
            origin=keys.name,
            vkeys=tuple(key.vkey for key in keys.current),
            policy=kept[0].sha256,
            admission=kept[1].sha256,
            anchor=anchor.fenced,
            nonce=self._clock.random_id(),
            tree=tree,
            base=tree.size if batch is None else batch.base,
            batch=name,
            frozen=anchor.state == FROZEN or (before is not None and before.frozen),
        )

    def _batch(self, found: _Found, unknown: list[str]) -> tuple[Batch, str] | tuple[None, None]:
        """Return the one staged batch that leads to the tree that was signed last, and its digest."""
        tree = found.last.tree
        fitting, beyond = leading_batches(self._parts, self._tree, found.published, tree)
        lost = f"{beyond} staged batches are beyond it" if beyond else "no staged batch is beyond it"
        unknown.append(
            f"whether more than the {tree.size} entries was committed and not published: {lost}; what is "
            "still in the inbox is decided again, and an `add` that ended with exit code 5 has to be repeated"
        )
        if len(fitting) == 1:
            return fitting[0]
        unknown.append(
            "which submissions the last batch took: one that could not be deleted from the inbox is logged again"
        )
        return None, None

    # ---- write

    def _publish(self, found: _Found, head: Head) -> None:
        """Sign the tree that was signed last again, and publish it; its tiles are there, and last."""
        self._parts.public.barrier()
        anchor = replace(found.anchor, identity=head.anchor)
        signed = self._signer.sign(head.tree, anchor, self._tree.prove(anchor.tree, head.tree, None))
        self._parts.public.swap(CHECKPOINT, signed.data, found.signed_version)
