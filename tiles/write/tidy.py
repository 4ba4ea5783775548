"""Tidying up after a published batch: keep its checkpoint, empty the inbox of what it decided, delete its staged batch.

Step 10 of the commit (docs/data-flow.md). The staged batch goes last: it is what the next run finishes this step from.
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
        """Keep the checkpoint for history; the staged batch goes last, as it is what a next run would finish from."""
        day = datetime.fromtimestamp(self._now(), UTC).date()
        if signed.tree == head.tree:
            self._keep(checkpoint_path(signed.tree.size), signed)
            if day != self._day:
                self._keep(day_path(day), signed)
                self._day = day
        if batch is None:
            self._show_policy(state.policy)
        self._parts.public.barrier()  # the next commit is on top of this one: no run will come here again for it
        if batch is not None and head.staged_path is not None:
            self._settle_inbox(batch)
            self._parts.private.delete([head.staged_path])

    def _settle_inbox(self, batch: Batch) -> None:
        """Take the submissions that the batch decided out of the inbox, and leave word of those it refused."""
        if not (batch.took or batch.refused):
            return
        self._record({rejection_path(name): f"{name} {reason}\n".encode() for name, reason in batch.refused})
        self._parts.private.barrier()  # one that is in neither place counts as logged
        self._parts.private.delete([f"{INBOX}{name}" for name in (*batch.took, *(name for name, _ in batch.refused))])
        self._parts.private.barrier()  # they must not come back once no staged batch says that they are decided

    def _record(self, refusals: dict[str, bytes]) -> None:
        """Write what was refused; of one that was refused before, with other content, the first record stays."""
        try:
            self._parts.private.create(refusals)
        except Differs:  # and some of the others may not be there
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
    """Return where it is kept why a submission was refused.

    name   below `inbox/`. One that no submission has may be the folder of another, which no two files can be.
    """
    try:
        return REJECTED + parse_name(name).text
    except Malformed:
        return odd_rejection_path(digest(name.encode()))
