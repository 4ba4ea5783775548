"""From a committed tree to its published checkpoint: write, sign, cosign, publish.

Steps 6 to 9 of the commit (docs/data-flow.md). The run that committed a tree takes them, or a later run if it died.
Each step finds what was done already and does the rest, with the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from tiles.errors import AccessError, Conflict, OutcomeUnknown, Refused
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.cosigned import adds, shortfall, union
from tiles.parallel import in_background
from tiles.retry import Clock, among_writers
from tiles.signing.anchor import OPEN, Anchor
from tiles.signing.signer import Signer
from tiles.store import Differs, Version
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import TreeHead
from tiles.tree.plan import Plan
from tiles.write.cosign import BelowQuorum, Cosigned, Overtaken, Witnessing
from tiles.write.in_the_way import IN_THE_WAY
from tiles.write.load import LOST_ANCHOR
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts
from tiles.write.pending import Pending
from tiles.write.state import State
from tiles.write.witnesses import Witnesses

Keep = Callable[[SignedCheckpoint], object]


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing a committed tree has come to.

    signed   its checkpoint
    left     the log as this run has left it, but for the head: anchor and checkpoint are its own, and the checkpoint is
             kept for history, so that it lasts; None if another run was first, or this cannot be told
    """

    signed: SignedCheckpoint
    left: State | None = None


class Publisher:
    """Takes committed trees of one log to publication."""

    def __init__(self, parts: Parts, signer: Signer, tree: OwnTree, clock: Clock, how: Witnessing) -> None:
        self._public = parts.public
        self._witnesses = Witnesses(parts.private, tree, how, clock.now)
        self._pending = Pending(parts.public, tree, clock)
        self._how = how
        self._signer = signer
        self._tree = tree
        self._clock = clock
        self.checkpoints = 0  # how many of them were published here

    def publish(self, state: State, planned: Plan | None, tree: TreeHead, keep: Keep) -> Published:
        """Take a committed tree from its plan (None: it has no new entries) to its published checkpoint.

        keep   keeps a checkpoint that meets the policy for history
        """
        if planned is not None:
            self._write(planned)
        signed, state = self._sign(tree, planned, state)
        if not state.policy.needs_witnesses:
            return self._swap(signed, state, keep)
        if state.published is not None and state.published.tree == tree:  # of a log with another key by now
            signed = union(signed.checkpoint, [*signed.note.signatures, *state.published.note.signatures], state.policy)
        cosigned = self._cosign(signed, state, planned)
        published = self._swap(cosigned.signed, state, keep)
        self._how.told(replace(cosigned, signed=published.signed, published=True))
        return published

    def refresh(self, state: State, keep: Keep, *, everyone: bool = True) -> Cosigned:
        """Ask the witnesses for lines over the published checkpoint, and publish it with those that it lacks.

        keep       is given the checkpoint that meets the policy, before it is published: a run that dies in between
                   has kept it, and no later run would
        everyone   for newer lines of those that have cosigned, too
        Raises Overtaken if a larger tree is published by now.
        """
        before, policy = state.checkpoint, state.policy
        signed = union(before.checkpoint, before.note.signatures, policy)
        cosigned = self._witnesses.collect(signed, policy, before.tree.size, everyone=everyone)
        if adds(cosigned.signed, before, policy):
            if not cosigned.shortfall:
                keep(cosigned.signed)
                self._public.barrier()  # were it lost, nobody would keep it, for what is published meets the policy
            cosigned = replace(cosigned, signed=self._swap(cosigned.signed, state, None, improving=True).signed)
        cosigned = replace(cosigned, published=True)
        self._how.told(cosigned)
        return cosigned

    def _cosign(self, signed: SignedCheckpoint, state: State, planned: Plan | None) -> Cosigned:
        """Show a signed checkpoint to the witnesses. Raises BelowQuorum if it is not to be published after that."""
        trouble = ""
        try:
            signed = self._pending.show(signed, state.policy)
        except AccessError as error:  # those that are asked do not need it
            trouble = f"; witnesses that come by themselves were not shown it: {error.message}"
        size = state.published.tree.size if state.published else 0
        cosigned = self._witnesses.collect(signed, state.policy, size, planned)
        if cosigned.shortfall and not self._how.fail_open:
            with suppress(AccessError):  # the lines that there are, for the next run
                self._pending.show(cosigned.signed, state.policy)
            cosigned = replace(cosigned, shortfall=cosigned.shortfall + trouble)
            self._how.told(cosigned)
            raise BelowQuorum(cosigned)
        return cosigned

    def begin(self) -> Anchor:
        """Create the anchor of a log that is to be begun; take the one that an unfinished beginning has left.

        The head then names it. Were the head written first, a run that dies in between would leave a log without one.
        """
        memory = self._signer.memory
        for _ in among_writers(self._clock):
            anchor, _ = memory.recall()
            if anchor is not None:
                memory.store.barrier()  # it may not last yet: the run that created it may have died right after
                return anchor
            new = Anchor(memory.origin, self._clock.random_id())
            with suppress(Conflict, OutcomeUnknown):  # then it is read again, and decides
                memory.put(new, None)
                return new
        raise AccessError(f"{memory.store.url}: no answer says whether the anchor was created")

    def _write(self, planned: Plan) -> None:
        try:
            self._public.create(planned.objects)
        except Differs as error:
            error.hint = IN_THE_WAY
            raise
        self._public.barrier()

    def _sign(self, tree: TreeHead, planned: Plan | None, state: State) -> tuple[SignedCheckpoint, State]:
        """Sign a committed tree; return the checkpoint, and the state with the anchor as it is now."""
        anchor, version = state.anchor, state.anchor_version
        for attempt in among_writers(self._clock):
            if attempt:
                anchor, version = self._again(state.anchor)
            if anchor.tree.size > tree.size:
                raise Overtaken
            proof = self._tree.prove(anchor.tree, tree, planned)
            with suppress(Conflict, OutcomeUnknown):  # then the anchor is read again, and decides
                signed, version = self._signer.sign_and_tell(tree, anchor, proof, version)
                return signed, replace(state, anchor=replace(anchor, tree=tree), anchor_version=version)
        raise AccessError(f"{self._signer.memory.store.url}: the anchor kept moving")

    def _again(self, loaded: Anchor) -> tuple[Anchor, Version | None]:
        """Read the anchor once more. Raises Refused if it is not the one that was loaded."""
        anchor, version = self._signer.memory.recall()
        if anchor is None or anchor.identity != loaded.identity:
            raise Refused(f"the anchor at {self._signer.memory.store.url} was taken away", hint=LOST_ANCHOR)
        return anchor, version

    def freeze(self, state: State) -> None:
        """Let nothing more be signed, once the head is frozen and published."""
        for attempt in among_writers(self._clock):
            anchor = self._again(state.anchor)[0] if attempt else state.anchor
            if anchor.tree != state.head.tree:
                raise Refused(f"{anchor.tree} was signed, and the frozen log ends with {state.head.tree}")
            if anchor.state != OPEN:
                return
            with suppress(Conflict, OutcomeUnknown):
                self._signer.freeze(anchor)
                return
        raise AccessError(f"{self._signer.memory.store.url}: the anchor kept moving")

    def _swap(self, signed: SignedCheckpoint, state: State, keep: Keep | None, *, improving: bool = False) -> Published:
        """Publish a checkpoint, unless there is one by now that is larger, or says as much; return what is published.

        Of a larger one that is the given one, which is in it. Of the same size, the union of both is published, unless
        what is there meets the policy. improving: then, too, where the union has more lines, or newer ones

        keep   None if the caller has kept the checkpoint. Where all runs publish the same bytes, it is kept no later
               than it is published, so that the swap makes both last. A run that dies in between has kept what the
               next one publishes: the tree is committed, and signed. It meets the policy, so nothing is verified again:
               this run has just signed it by all keys of the head, each of which the policy names (`Loader`); what a
               key service answers was verified when it came (`tiles.signing.service_key`)
        """
        version = state.published_version
        is_kept = keep is not None and state.has_one_checkpoint
        if is_kept:
            self._tree.verified(signed)
        keeping: list[Callable[[], object]] = [partial(keep, signed)] if keep is not None and is_kept else []
        is_unknown = False  # no swap was made whose answer is lost
        for _ in among_writers(self._clock):
            try:
                at = self._keep_and_swap(keeping, signed, version)
            except (Conflict, OutcomeUnknown) as error:
                is_unknown |= isinstance(error, OutcomeUnknown)
                found, version = self._tree.read_checkpoint()
                self.checkpoints += int(is_unknown and found is not None and found.data == signed.data)
                if found is None or found.tree.size < signed.tree.size:
                    continue
                if found.tree.size == signed.tree.size and found.tree != signed.tree:
                    raise Refused(f"the published tree is {found.tree}, the committed one {signed.tree}") from None
                if found.tree.size > signed.tree.size:
                    return Published(signed)
                if not state.policy.needs_witnesses or (not improving and not shortfall(found, state.policy)):
                    return Published(found)
                signed = union(signed.checkpoint, [*found.note.signatures, *signed.note.signatures], state.policy)
                if not adds(signed, found, state.policy):
                    return Published(found)
            else:
                self.checkpoints += 1
                left = replace(state, published=signed, published_version=at) if is_kept else None
                return Published(signed, left)
        raise AccessError(f"{self._public.url}/{CHECKPOINT} kept changing")

    def _keep_and_swap(
        self, keeping: list[Callable[[], object]], signed: SignedCheckpoint, version: Version | None
    ) -> Version:
        """Keep a checkpoint, unless that is done, and publish it; side by side where each waits for an answer."""
        under_way = None
        if keeping and self._public.parallel > 1:
            under_way = in_background(keeping.pop())
        elif keeping:
            keeping.pop()()
        try:
            return self._public.swap(CHECKPOINT, signed.data, version)
        finally:
            if under_way is not None:
                under_way.result()
