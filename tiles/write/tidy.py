"""Tidying up after a published batch: keep its checkpoint, empty the inbox of what it decided, delete its staged batch.

Step 10 of the commit (docs/data-flow.md). The staged batch goes last: a later run needs it to finish this step.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime

from tiles.errors import Conflict, Malformed, NotFound
from tiles.inbox.submission import parse_name
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.policy import MAX_POLICY_SIZE, Policy
from tiles.records.head import Head
from tiles.records.paths import INBOX, POLICY, REJECTED, checkpoint_path, day_path, odd_rejection_path
from tiles.records.staged_batch import Batch, digest
from tiles.store import Differs
from tiles.write.load import State
from tiles.write.parts import Parts


class Tidier:
    """Tidies up one log. now: seconds since the epoch."""

    def __init__(self, parts: Parts, now: Callable[[], float]) -> None:
        self._parts = parts
        self._now = now
        self._day: date | None = None  # the last day whose first checkpoint is known to be kept

    def tidy(self, state: State, head: Head, batch: Batch | None, signed: SignedCheckpoint) -> None:
        """Keep the checkpoint for history, empty the inbox of what was decided, and delete the staged batch last."""
        day = datetime.fromtimestamp(self._now(), UTC).date()
        if signed.tree == head.tree:
            self._keep(checkpoint_path(signed.tree.size), signed)
            if day != self._day:
                self._keep(day_path(day), signed)
                self._day = day
        if batch is None:
            self._show_policy(state.policy)
        self._parts.public.barrier()  # must last now: after the next commit no run does this step again for this one
        if batch is not None and head.staged_path is not None:
            self._settle_inbox(batch)
            self._parts.private.delete([head.staged_path])

    def _settle_inbox(self, batch: Batch) -> None:
        """Take the submissions that the batch decided out of the inbox, and record why it refused some."""
        if not (batch.took or batch.refused):
            return
        self._record({rejection_path(name): f"{name} {reason}\n".encode() for name, reason in batch.refused})
        self._parts.private.barrier()  # a submission that is in neither place counts as logged
        self._parts.private.delete([f"{INBOX}{name}" for name in (*batch.took, *(name for name, _ in batch.refused))])
        self._parts.private.barrier()  # must last before the staged batch goes: only that says what was decided

    def _record(self, refusals: dict[str, bytes]) -> None:
        """Write why submissions were refused. If one has another record already, that one stays."""
        try:
            self._parts.private.create(refusals)
        except Differs:  # some of the other records may not have been written
            for path, data in refusals.items():
                with suppress(Differs):
                    self._parts.private.create({path: data})

    def _show_policy(self, policy: Policy) -> None:
        """Publish a copy of the policy; it changes by a commit without a batch only."""
        try:
            shown = self._parts.public.read(POLICY, MAX_POLICY_SIZE)
        except NotFound:
            shown = None
        if shown is None or shown.data != policy.data:
            with suppress(Conflict):  # another run shows it at this moment
                self._parts.public.swap(POLICY, policy.data, shown.version if shown else None)

    def _keep(self, path: str, signed: SignedCheckpoint) -> None:
        try:
            self._parts.public.create({path: signed.data})
        except Differs:
            return  # the first one stays


def rejection_path(name: str) -> str:
    """Return the path of the record that says why a submission was refused.

    name   below `inbox/`. A malformed name may also be a folder of other names, so its digest names the record.
    """
    try:
        return REJECTED + parse_name(name).text
    except Malformed:
        return odd_rejection_path(digest(name.encode()))
