"""Whom a desk hands entries to: the log's own writer, or the log's inbox, for a run elsewhere.

Appending    has the log's key: entries are published when the turn ends
Submitting   has none: entries are submitted, and the public log is read until it has them
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tiles.errors import AccessError, Denied, HistoryUnknown, NotFound, Unfinished
from tiles.inbox.submit import SubmissionUnknown
from tiles.index.known import find_in
from tiles.notes.tlog_proof import TlogProof
from tiles.read.client import LogClient
from tiles.rekor.log_entry import proven, visit_published
from tiles.retry import Clock, Pauses, attempts
from tiles.tree.merkle import Hash, leaf_hash, leaf_hashes
from tiles.write.results import Appended

AGAIN = Pauses(4, 0.5, 4.0, (0.5, 1.0))  # an append that storage failed, or that is committed and not published


class Appending:
    """Appends to a log, each entry once.

    append   appends entries that are not in the log yet, and publishes
    client   reads the log's public part, with the policy of the log's key
    then     called when those who wait have been told: what an append leaves to do
    """

    def __init__(
        self,
        append: Callable[[Sequence[bytes]], Appended],
        client: LogClient,
        then: Callable[[], object],
        clock: Clock | None = None,
    ) -> None:
        self.trouble = ""
        self._append = append
        self._client = client
        self._then = then
        self._clock = clock or Clock()
        self._did = False

    def turn(self, new: Sequence[bytes]) -> Mapping[bytes, TlogProof]:
        """Append what is new, publish it, and return the proofs."""
        self._did = bool(new)
        if not new:
            return {}
        appended = self._appended(new)
        visit_published(self._client, appended.checkpoint.tree.size)
        return {entry: proven(self._client, index, entry) for index, entry in zip(appended.indexes, new, strict=True)}

    def follow(self) -> None:
        """Do what an append leaves to do."""
        if self._did:
            self._then()

    def _appended(self, new: Sequence[bytes]) -> Appended:
        """Append; again where that may go better. The log does not take an entry twice, so nothing can be lost."""
        for attempt in attempts(self._clock, AGAIN):
            try:
                return self._append(new)
            except (AccessError, Unfinished) as error:
                if isinstance(error, NotFound | Denied) or attempt == AGAIN.attempts - 1:
                    raise
        raise AccessError("nothing was tried")


class Submitting:
    """Submits to the inbox of a log, and reads the log until it has what was submitted.

    client   reads the log; it has visited it
    put      puts entries into the inbox, as one submission, to be logged once
    """

    def __init__(self, client: LogClient, put: Callable[[Sequence[bytes]], object]) -> None:
        self.trouble = ""
        self._doubt = ""  # why it is not known whether all that is wanted was submitted
        self._client = client
        self._put = put
        self._wanted: dict[Hash, bytes] = {}
        self._at = client.tree.size  # what is wanted is in no entry before this one

    def turn(self, new: Sequence[bytes]) -> Mapping[bytes, TlogProof]:
        """Submit what is new, unless the log has it, and return the proofs of what the log has by now."""
        leaves = dict(zip(leaf_hashes(list(new)), new, strict=True))
        there = find_in(self._client, set(leaves)).indexes if leaves else {}
        proofs = {leaves[leaf]: proven(self._client, index, leaves[leaf]) for leaf, index in there.items()}
        absent = {leaf: entry for leaf, entry in leaves.items() if leaf not in there}
        for entry in absent.values():  # each alone: a submission with an entry that is not admitted is refused whole
            try:
                self._put([entry])
            except SubmissionUnknown as error:
                self._doubt = error.message  # the log will tell
        self._wanted |= absent
        if self._wanted:
            proofs |= self._look()
        return proofs

    def follow(self) -> None:
        """Do nothing: whoever runs the log does."""

    def _look(self) -> dict[bytes, TlogProof]:
        """Return the proofs of what is wanted, and is in the log by now."""
        try:
            size, at = self._client.visit().signed.tree.size, self._at
            found: dict[int, bytes] = {}
            for hashes in self._client.leaves(at, size) if size > at else ():
                found |= {n: self._wanted[leaf] for n, leaf in enumerate(hashes, at) if leaf in self._wanted}
                at += len(hashes)
            proofs = {entry: proven(self._client, index, entry) for index, entry in found.items()}
        except HistoryUnknown:
            raise
        except AccessError as error:  # it may go better at the next look
            self.trouble = error.message
            return {}
        for entry in proofs:
            del self._wanted[leaf_hash(entry)]
        self._at = at
        self._doubt = self._doubt if self._wanted else ""
        self.trouble = self._doubt
        return proofs
