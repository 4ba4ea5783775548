"""Rebuilding a head: one that is gone, or that was put back, so that nothing it commits to can ever be signed.

The checkpoint and the anchor say what was published and what was signed. Where they agree, the head commits to that
tree. Where the anchor is ahead, its tree is completed: by the staged batch that leads to it, or, if all tiles and
bundles of that tree can be read and verified, by signing the same tree again and publishing it. Otherwise nothing is
changed: a head at the checkpoint would leave out what was signed.

    look → fence the anchor → publish its tree, if that is missing → create or swap the head

A head that is sound stays what it is. But if tiles are in the way of its log (`tiles.write.in_the_way`), the anchor is
fenced as well, and the head is written once more to name it, for only then may they be set aside.

- The anchor gets another identity before anything else is written. No run that has loaded the log before can sign with
  it, so nothing can be signed beside the head that is written then.
- Dies after the fence: no head, or one that names the anchor as it was. The same call goes on, every other run refuses.
- Dies after publishing: checkpoint and anchor agree, and the same call writes the head. It is written last, by one
  create or compare-and-swap. Of two calls, one writes it; the other looks again.

`tests/model/rebuild.py` explores this beside writers that pause and die anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from tiles.errors import AccessError, Conflict, LogError, Malformed, NotFound, OutcomeUnknown, Refused, explained
from tiles.inbox.admission import MAX_ADMISSION_SIZE, OPEN, Admission, parse_admission
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.policy import MAX_POLICY_SIZE, Policy, parse_policy, policy_of
from tiles.read.key_changes import keys_in_use
from tiles.records.head import Head
from tiles.records.paths import HEAD, POLICIES, STAGING, policy_path, staged_size
from tiles.records.staged_batch import Batch, digest, parse_batch
from tiles.retry import Clock, among_writers
from tiles.signing.anchor import FROZEN, SEALED, Anchor
from tiles.signing.signer import Signer
from tiles.store import Version
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import TreeHead
from tiles.tree.plan import plan
from tiles.write.cosign import check_policy
from tiles.write.in_the_way import is_in_the_way
from tiles.write.last_used import last_used
from tiles.write.load import read_head
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts

Record = TypeVar("Record", Policy, Admission)


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

    @property
    def published(self) -> TreeHead:
        """The published tree."""
        return self.signed.tree


class HeadRebuilder:
    """Rebuilds the head of one log."""

    def __init__(self, parts: Parts, signer: Signer, clock: Clock) -> None:
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
        head = self._planned(found, kept, unknown)
        if head.tree != found.published and head.batch is None:
            self._tree.check_complete(head.tree, found.published.size)
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
        return _Found(head, head_version, signed, signed_version, anchor, anchor_version)

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
            return anchor.tree == head.tree
        if found.published.size != head.base or anchor.tree not in (found.published, head.tree):
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
        self._tree.check_extends(found.published, anchor.tree, where)

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
        chosen = policy or self._kept(parse_policy, MAX_POLICY_SIZE, named[0], "--policy")
        if chosen is None:
            chosen = policy_of(self._signer.keys.current)
            unknown.append("the policy is lost: the log's key alone is assumed")
        for key in self._signer.keys.current:
            check_policy(chosen, key)
        admitted = admission or self._kept(parse_admission, MAX_ADMISSION_SIZE, named[1], "--admission")
        if admitted is None:
            unknown.append("the admission policy is lost: the default is assumed")
        return chosen, admitted or OPEN

    def _planned(self, found: _Found, kept: tuple[Policy, Admission], unknown: list[str]) -> Head:
        keys, anchor, before = self._signer.keys, found.anchor, found.head
        batch, name = self._batch(found, unknown)
        base = found.published.size if kept[0].needs_witnesses else anchor.tree.size  # the next run asks them
        return Head(
            origin=keys.name,
            vkeys=tuple(key.vkey for key in keys.current),
            policy=kept[0].sha256,
            admission=kept[1].sha256,
            anchor=anchor.fenced,
            nonce=self._clock.random_id(),
            tree=anchor.tree,
            base=base if batch is None else batch.base,
            batch=name,
            frozen=anchor.state == FROZEN or (before is not None and before.frozen),
        )

    def _kept(self, parse: Callable[[bytes], Record], limit: int, name: str | None, option: str) -> Record | None:
        """Return the policy of a kind that is kept in the private part: the named one, or the only one; or None."""
        kept: dict[str, Record] = {}
        for listed in self._parts.private.list(POLICIES):
            with suppress(Malformed, NotFound):
                data = self._parts.private.read(listed.path, limit).data
                if policy_path(digest(data)) == listed.path:
                    kept[digest(data)] = parse(data)
        if name in kept:
            return kept[name]
        if len(kept) > 1:
            raise Refused(
                f"{len(kept)} policies of a kind are kept in {self._parts.private.url}: {', '.join(sorted(kept))}",
                hint=f"say with {option} which one was the log's last",
            )
        return next(iter(kept.values()), None)

    def _batch(self, found: _Found, unknown: list[str]) -> tuple[Batch, str] | tuple[None, None]:
        """Return the one staged batch that leads to the anchor's tree, and its digest."""
        fitting: list[tuple[Batch, str]] = []
        beyond = 0
        for listed in self._parts.private.list(STAGING):
            size = staged_size(listed.path)
            beyond += size is not None and size > found.anchor.tree.size
            if size == found.anchor.tree.size:
                fitting += self._fitting(listed.path, found)
        lost = f"{beyond} staged batches are beyond it" if beyond else "no staged batch is beyond it"
        unknown.append(
            f"whether more than the {found.anchor.tree.size} entries was committed and not published: {lost}; what is "
            "still in the inbox is decided again, and an `add` that ended with exit code 5 has to be repeated"
        )
        if len(fitting) == 1:
            return fitting[0]
        unknown.append(
            "which submissions the last batch took: one that could not be deleted from the inbox is logged again"
        )
        return None, None

    def _fitting(self, path: str, found: _Found) -> Iterator[tuple[Batch, str]]:
        published, wanted = found.published, found.anchor.tree
        with suppress(LogError, Refused, NotFound):
            data = self._parts.private.read(path).data
            batch = parse_batch(data)
            is_next = batch.base == published.size
            if batch.base > published.size or (wanted != published and not is_next):
                return
            base = published if is_next else self._tree.tree_at(batch.base, published)
            tree = plan(self._tree.right_edge(base), batch.entries()).tree if batch.count else base
            if tree == wanted and path.endswith(digest(data)):
                yield batch, digest(data)

    # ---- write

    def _publish(self, found: _Found, head: Head) -> None:
        """Sign the anchor's own tree again, and publish it; its tiles are there, and last."""
        self._parts.public.barrier()
        anchor = replace(found.anchor, identity=head.anchor)
        signed = self._signer.sign(head.tree, anchor, self._tree.prove(head.tree, head.tree, None))
        self._parts.public.swap(CHECKPOINT, signed.data, found.signed_version)
