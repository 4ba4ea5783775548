"""Comparing a log's checkpoint with all that was seen of the log before, and having it remembered.

A log may have several keys, and change them. Whoever holds two must not get away with a tree for each: so what was seen
by any key of the policy counts, and what was seen by a key by which the log was known before it was pinned anew.
"""

from __future__ import annotations

from collections.abc import Callable

from tiles.errors import AccessError, ForkError, NotFound, placed
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.fork_evidence import signs_alone
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import Accepted, Policy
from tiles.notes.policy_logs import accepting_also
from tiles.read.histories import check_extends, forked, unproven
from tiles.read.memories import CheckpointMemory
from tiles.read.verified_tree import VerifiedTree

TreeOf = Callable[[SignedCheckpoint, VerifierKey], VerifiedTree]  # by the tiles of the log that is read


class SeenBefore:
    """What was seen before of one log, to be compared with what it shows now.

    policy   by which the log is read
    url      of the log, as it may be shown
    """

    def __init__(self, visits: CheckpointMemory, policy: Policy, url: str) -> None:
        self._visits = visits
        self._policy = policy
        self._url = url

    def compare(
        self, accepted: Accepted, tree: VerifiedTree, tree_of: TreeOf, where: str
    ) -> tuple[SignedCheckpoint | None, str]:
        """Show that a checkpoint is consistent with all that is remembered of its log, and remember it.

        where   it was read
        It is remembered under each key of the policy by which it would be accepted alone: who is left with one of them
        has seen it. Returns the largest one that was seen, if that is larger, else None; and why this one could not be
        remembered, or "". Raises ForkError, HistoryUnknown, AccessError.
        """
        served, visits = accepted.signed, self._visits
        own = self._policy.keys_of(served.origin)
        before = dict.fromkeys(old for key in own for old in visits.before(key, served.origin) if old not in own)
        policy = accepting_also(self._policy, before)
        signers = [key for key in own if key == accepted.log or (len(own) > 1 and signs_alone(served, key))]
        while True:
            seen = {key: visits.last(key, served.origin) for key in (*own, *before)}
            newer = None
            try:
                for key, last in ((key, last) for key, last in seen.items() if last):
                    if last.tree.size <= served.tree.size:
                        check_extends(last, served, tree)
                        continue
                    try:
                        check_extends(served, last, tree_of(last, key))
                    except NotFound as error:
                        raise unproven(self._url, served, last, error, policy, visits) from error
                    if newer is None or last.tree.size > newer.tree.size:
                        newer = last
            except ForkError as fork:
                raise placed(forked(fork, policy, visits, before), where) from None
            try:
                if all(visits.remember(key, served, seen[key]) for key in signers):
                    return newer, ""
            except AccessError as error:
                # it was compared with all that is remembered; only the next visit will not know of this one
                return newer, error.message
