"""The write path: entries → plan → stage → commit → tiles → sign → checkpoint.

One run takes the steps of docs/data-flow.md ("The commit"), each a method below and named like its step. Any run may
die between any two store operations; the next one finishes its work by the same methods, with the same bytes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress

from tiles.errors import AccessError, NotFound, Refused
from tiles.inbox.admission import OPEN, Admission, check_writer
from tiles.inbox.attachments import Attachments
from tiles.inbox.reader import Inbox
from tiles.inbox.selection import Limits
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.policy import Policy, policy_of
from tiles.parallel import in_background
from tiles.records.staged_batch import Batch
from tiles.retry import ATTEMPTS, Clock, among_writers
from tiles.signing.signer import Signer
from tiles.store import Store
from tiles.tree.edge import Edge
from tiles.tree.plan import Plan, plan
from tiles.write.ahead import Ahead, Planner, check_open, checked, is_planned_ahead
from tiles.write.amend import Amendments
from tiles.write.complete import Completer
from tiles.write.cosign import BelowQuorum, Cosigned, Witnessing
from tiles.write.load import Expected
from tiles.write.once import Known, Nowhere, Once, anyway
from tiles.write.parts import Parts
from tiles.write.payloads import take_and_publish
from tiles.write.recover import Recoverer, Steps, refusing
from tiles.write.rekey import Rekeying
from tiles.write.results import Appended, Sequenced
from tiles.write.state import State


class Sequencer:
    """Appends to one log. Needs write permission on both its parts, and its signer.

    policy, admission   refuse unless these are the log's policies, for publishing and for submissions; None accepts
                        the log's own
    known    where entries are that are in the log; None: nobody looks
    how      how the witnesses of its policy are asked
    now      seconds since the epoch
    sleep    waits for that many seconds
    rekeying           changes the log's keys
    undeleted, grown, made   what `Tidier.undeleted`, `OwnTree.grown` and `Recoverer.made` return
    """

    def __init__(
        self,
        public: Store,
        private: Store,
        signer: Signer,
        *,
        policy: Policy | None = None,
        admission: Admission | None = None,
        known: Known | None = None,
        how: Witnessing | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._public, self._private = public, private
        self._known = known or Nowhere()
        self._expected = Expected(signer.verifier, policy, admission, signer.keys.held[1:])
        self._clock = Clock(now, sleep, rng or random.SystemRandom())
        parts = Parts(public, private)
        self._steps = Steps.of(parts, signer, self._expected, self._clock, how or Witnessing())
        self._recoverer = Recoverer(parts, self._steps, self._clock)
        self._completer = Completer(self._steps, self._recoverer)
        self._amendments = Amendments(private.url, self._recoverer, self._steps, self._clock)
        self.rekeying = Rekeying(parts, signer, self._steps, self._amendments)
        self._left: State | None = None  # the log as the last append has left it
        self.undeleted, self.grown = self._steps.tidier.undeleted, self._steps.tree.grown
        self.made = self._recoverer.made

    def create(self) -> SignedCheckpoint:
        """Begin the log, or finish beginning it, and return its published checkpoint.

        Raises Refused if something else is here, or if the key has signed before.
        """
        with refusing():
            try:
                self._steps.loader.read_head()
            except NotFound:
                self._begin()
            return self._settled()

    def check_new(self) -> None:
        """Raise Refused unless `create` would begin a new log here; writes nothing."""
        with refusing():
            self._steps.loader.check_untouched()

    def append(
        self, entries: Sequence[bytes], *, once: bool = False, attached: Mapping[int, Attachments] | None = None
    ) -> Appended:
        """Append entries, in order, as one batch, publish it, and say where they are.

        once       leave out what is in the log already, as far as its index and its last entries show
        attached   by what entries are judged, by their positions, where the admission policy is for the writer, too

        Entries are 0 to 65,535 bytes each. Raises UsageError for anything else, Refused for a log that cannot be
        written soundly and for what its policy does not admit, AccessError if storage fails before the commit and
        Unfinished after it.
        """
        return self._append(Ahead(checked(entries)), self._planner(once=once), attached=attached)

    def append_all(self, take: Callable[[int | None], Sequence[bytes]], *, once: bool = False) -> Iterator[Appended]:
        """Append batch after batch, each as `append` does, and say of each where it is.

        take   gets the log's size, None if it is not known, and returns the next batch's entries; none at the end

        While a batch is published, another thread takes, plans and stages the next one, where that saves time. Its own
        commit decides it, as any batch, once the one before it is published. What `take` raises is raised after that.
        The log is loaded again only if another writer was first: otherwise it is as the last batch has left it, which
        the swap of the head decides.
        """
        planner = self._planner(once=once)
        ahead = Ahead(checked(take(None), at_end=True))
        self._left = None
        while ahead.entries:
            coming: list[Future[Ahead]] = []

            def look_ahead(edge: Edge, before: Edge, coming: list[Future[Ahead]] = coming) -> None:
                coming.append(in_background(lambda: planner.ahead(edge, before, checked(take(edge.size), at_end=True))))

            looks = is_planned_ahead(self._private, len(ahead.entries))
            done = self._append(ahead, planner, look_ahead if looks else None, left=self._left)
            yield done
            for future in coming:
                ahead = future.result()
            if not coming:  # nobody looked ahead, an earlier run had committed this batch, or all of it was there
                ahead = Ahead(checked(take(done.checkpoint.tree.size), at_end=True))

    def sequence(self, limits: Limits | None = None, *, publish: bool = True) -> Sequenced:
        """Decide what waits in the inbox, as one batch: log it or refuse it, publish, and say what was done.

        publish   False: sign nothing, and leave it to the next run to publish what is committed. What has a payload
                  goes on waiting then

        Raises as `append` does; what is not decided stays in the inbox. Raises Unfinished if nothing is to be published
        and an earlier batch is not.
        """
        with refusing():
            for tries in among_writers(self._clock):
                if not publish:
                    self._recoverer.check_published()
                state, _ = self._settle()
                size = state.head.tree.size
                limits = limits or Limits()
                if not state.head.frozen:
                    limits.check_memory(state.admission)
                inbox = Inbox(self._private, state.admission, limits)
                taken = take_and_publish(inbox, self._public if publish else None, state.head, self._clock.now())
                if not taken.took and not taken.refused:
                    nothing = size, 0, (), (), taken.backlog
                    return Sequenced(*nothing, state.checkpoint, tries, frozen=state.head.frozen)
                check_open(state)
                wanted = anyway(taken.entries, size)
                if any(taken.once):
                    edge = self._steps.tree.right_edge(state.head.tree)
                    wanted = Once(self._known).look(taken.entries, taken.once, edge, size)
                planned = plan(self._steps.tree.right_edge(state.head.tree), wanted.new) if wanted.new else None
                batch = Batch(size, len(wanted.new), b"", taken.took, taken.refused, wanted.already)
                pieces = planned.pieces if planned else ()
                name = self._steps.committer.stage(batch, pieces, on=state, planned=planned)
                done = self._completer.commit(state, planned, batch, name, publish=publish)
                if done is not None:
                    decided = size, batch.count, batch.took, batch.refused, taken.backlog
                    waited = None if taken.oldest is None else max(0.0, self._clock.now() - taken.oldest)
                    once = wanted.complete
                    return Sequenced(*decided, done.signed, tries, len(batch.already), once, waited, published=publish)
        raise AccessError(f"{self._private.url}: other writers were first {ATTEMPTS} times; the inbox is as it was")

    def finish(self) -> SignedCheckpoint:
        """Publish what is committed, if anything is left to do, and return the published checkpoint."""
        with refusing():
            return self._settled()

    def refresh(self) -> Cosigned:
        """Publish what is committed, then the lines of witnesses that it lacks, at the same size; see `Recoverer`."""
        with refusing():
            self._settled()
            return self._recoverer.refresh()

    def freeze(self) -> SignedCheckpoint:
        """Close the log for ever, and return its last checkpoint; see `Amendments.freeze`."""
        with refusing():
            return self._amendments.freeze()

    def admit(self, admission: Admission, instead_of: str) -> SignedCheckpoint:
        """Let the log admit by another policy from now on; see `Amendments.admit`."""
        with refusing():
            return self._amendments.admit(admission, instead_of)

    def _settle(self) -> tuple[State, list[Batch]]:
        """Bring the log to rest, for a run that was to publish what is committed. Raises Unfinished."""
        try:
            return self._recoverer.settle()
        except BelowQuorum as error:
            raise error.unfinished() from error

    def _settled(self) -> SignedCheckpoint:
        return self._settle()[0].checkpoint

    def _begin(self) -> None:
        try:
            self._steps.loader.check_untouched()
        except Refused:
            with suppress(NotFound):
                self._steps.loader.read_head()
                return  # another run has begun it meanwhile; loading compares its head with ours
            raise
        keys = (self._expected.verifier, *self._expected.others)
        policy = self._expected.policy or policy_of(keys)
        anchor = self._steps.publisher.begin()
        self._steps.committer.begin(keys, policy, self._expected.admission or OPEN, anchor.identity)

    # 3 to 10: plan, stage, commit, write, sign, cosign, publish, tidy

    def _planner(self, *, once: bool) -> Planner:
        return Planner(self._steps.tree, self._steps.committer, Once(self._known) if once else None)

    def _append(
        self,
        ahead: Ahead,
        planner: Planner,
        then: Callable[[Edge, Edge], None] | None = None,
        attached: Mapping[int, Attachments] | None = None,
        left: State | None = None,
    ) -> Appended:
        """Append a batch.

        then   called once it is committed, with the right edge that it leads to, and the one before
        left   the log as the last batch of the same call has left it, published and tidy; None: it is loaded
        """
        self._left = None
        with refusing():
            for tries in among_writers(self._clock):
                try:
                    # to go on from what one has left is to have loaded it right then, and to have paused since
                    state, finished = self._recoverer.settle() if left is None else (left, [])
                    left = None
                except BelowQuorum as error:
                    tree = error.cosigned.signed.tree
                    if error.batch is not None and planner.is_batch_of(error.batch, ahead.entries, tree):
                        raise error.unfinished() from error
                    raise
                for batch in finished:
                    if planner.is_batch_of(batch, ahead.entries, state.head.tree):
                        return Appended(batch.base, batch.count, state.checkpoint, tries, batch.already)
                check_writer(ahead.entries, attached or {}, state.admission)
                before = self._steps.tree.right_edge(state.head.tree)
                ahead, wanted = planner.on(state, before, ahead)
                if ahead.staged is None:
                    return Appended(before.size, 0, state.checkpoint, tries, wanted.already)

                def landed(planned: Plan, before: Edge = before) -> None:
                    planner.committed(planned)
                    if then is not None:
                        then(planned.edge, before)

                planned, batch, name = ahead.staged
                if (done := self._completer.commit(state, planned, batch, name, landed)) is not None:
                    self._left = done.left
                    return Appended(batch.base, batch.count, done.signed, tries, batch.already, wanted.complete)
        raise AccessError(f"{self._private.url}: other writers were first {ATTEMPTS} times; nothing was added")
