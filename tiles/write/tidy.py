"""Tidying up after a published batch: keep its checkpoint, empty the inbox of what it decided, delete its staged batch.

Step 10 of the commit (docs/data-flow.md). The staged batch goes last: a later run needs it to finish this step.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime

from tiles.errors import Conflict, NotFound
from tiles.inbox.clearing import clear
from tiles.inbox.naming import name_digest, rejection_path
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.cosigned import shortfall
from tiles.notes.key_change import read_key_change
from tiles.notes.policy import MAX_POLICY_SIZE, Policy
from tiles.records.decided import format_decided
from tiles.records.head import Head
from tiles.records.paths import POLICY, checkpoint_path, day_path, decided_path, key_change_path
from tiles.records.staged_batch import Batch
from tiles.store import Differs
from tiles.store.drafts import create_before_swap
from tiles.tree.layout import CHECKPOINT
from tiles.write.parts import Parts
from tiles.write.state import State


class Tidier:
    """Tidies up one log. now: seconds since the epoch."""

    def __init__(self, parts: Parts, now: Callable[[], float]) -> None:
        self._parts = parts
        self._now = now
        self._undeleted: list[str] = []
        self._day: date | None = None  # the last day whose first checkpoint is known to be kept

    def tidy(
        self, state: State, head: Head, batch: Batch | None, signed: SignedCheckpoint, *, is_kept: bool = False
    ) -> None:
        """Keep the checkpoint for history, empty the inbox of what was decided, and delete the staged batch last.

        is_kept   the checkpoint was kept when it was published, and both last
        """
        if not is_kept and signed.tree == head.tree and not shortfall(signed, state.policy):
            self.keep(signed, is_published=True)
        if batch is None or batch.keys:
            self._show_policy(state.policy)
        if batch is not None and batch.keys:
            self._show_key_change(batch.keys)
        if not is_kept or batch is None or batch.keys:
            # must last now: after the next commit no run does this step again for this one
            self._parts.public.barrier()
        if batch is not None and head.staged_path is not None:
            self._settle_inbox(batch)
            self._parts.private.delete([head.staged_path])

    def keep(self, signed: SignedCheckpoint, *, is_published: bool = False) -> None:
        """Keep a checkpoint that meets the policy: the first one of its size, and of the day.

        is_published   False: it is about to be
        """
        day = datetime.fromtimestamp(self._now(), UTC).date()
        path, data = checkpoint_path(signed.tree.size), signed.data
        with suppress(Differs):  # the first one stays
            if is_published:
                self._parts.public.create({path: data})
            else:
                create_before_swap(self._parts.public, {path: data}, CHECKPOINT, data)
        if day != self._day:
            with suppress(Differs):
                self._parts.public.create({day_path(day): data})
            self._day = day

    def undeleted(self) -> tuple[str, ...]:
        """Return the names of submissions that could not be deleted since this was asked last."""
        names = tuple(self._undeleted)
        self._undeleted = []
        return names

    def _settle_inbox(self, batch: Batch) -> None:
        """Take the submissions that the batch decided out of the inbox, and record why it refused some.

        What is not seen gone is recorded as decided, so that no later run takes it again. If this run dies before that
        lasts, the staged batch is still there, and the next run does all of it again.
        """
        if not (batch.took or batch.refused):
            return
        self._record({rejection_path(name): f"{name} {reason}\n".encode() for name, reason in batch.refused})
        self._parts.private.barrier()  # a submission that is in neither place counts as logged
        left = clear(self._parts.private, (*batch.took, *(name for name, _ in batch.refused)))
        self._undeleted += left
        self._record({decided_path(name_digest(name)): format_decided(name) for name in left})
        self._parts.private.barrier()  # must last before the staged batch goes: only that says what was decided

    def _record(self, records: dict[str, bytes]) -> None:
        """Write why submissions were refused, or that they are decided. A record that is there already stays."""
        try:
            self._parts.private.create(records)
        except Differs:  # some of the other records may not have been written
            for path, data in records.items():
                with suppress(Differs):
                    self._parts.private.create({path: data})

    def _show_policy(self, policy: Policy) -> None:
        """Publish a copy of the policy; it changes by a commit without a batch, or of keys, only."""
        try:
            shown = self._parts.public.read(POLICY, MAX_POLICY_SIZE)
        except NotFound:
            shown = None
        if shown is None or shown.data != policy.data:
            with suppress(Conflict):  # another run shows it at this moment
                self._parts.public.swap(POLICY, policy.data, shown.version if shown else None)

    def _show_key_change(self, data: bytes) -> None:
        """Publish the statement that says how the keys of the log have changed."""
        path = key_change_path(read_key_change(data)[0].number)
        try:
            self._parts.public.create({path: data})
        except Differs as error:
            error.hint = f"find out who wrote {path}, and delete it: the log's own statement is to be there"
            raise
