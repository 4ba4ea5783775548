"""A log beside other places that show it: mirrors, other addresses, and what witnesses cosigned of it.

A place shows the log at `checkpoint`, or, as the monitoring prefix of a witness does (https://c2sp.org/tlog-witness),
at `<origin hash>/checkpoint`. What the log's key has signed there has to be of the same history, whichever is larger:
if it is not, the log has shown two, and that is evidence, whoever showed them. What nobody signed says something of the
place only. The log's tiles are read by its client (`LogClient.tree_of`). A place need not have any tiles, so no client
reads it: they are asked for only where the log's do not show what a checkpoint there extends.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from tiles.errors import ForkError, HistoryUnknown, NotFound, TileError, explained, placed
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.fork_evidence import NEWER, OLDER
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.witness_messages import seen_path
from tiles.read.client import LogClient
from tiles.read.histories import check_extends, forked, saved
from tiles.read.memories import CheckpointMemory
from tiles.read.tiles import TileSource
from tiles.read.trouble import judged
from tiles.read.verified_tree import VerifiedTree
from tiles.store import Fetcher
from tiles.store.past_caches import fetch_for


class Comparison:
    """Compares other places with a log that was visited, and with each other.

    Each is compared with the largest checkpoint so far, of which all others are shown to be beginnings; so any two are.
    """

    def __init__(self, client: LogClient, visits: CheckpointMemory) -> None:
        self._client = client
        self._visits = visits
        self._format = client.log_format
        self._logs = replace(client.policy, witnesses=(), groups=(), quorum=None)
        self._largest = client.accepted.signed
        self._tree = client.tree_of(self._largest)

    def add(self, fetcher: Fetcher) -> SignedCheckpoint | None:
        """Return what a place shows of the log, shown to be of its history; None if it shows another log only.

        Raises ForkError, or HistoryUnknown if nothing shows that it is: the evidence is saved. AccessError and LogError
        for a place that shows nothing which the log has signed.
        """
        found = self._read(fetcher)
        if found is None:
            return None
        where, there = found
        try:
            if there.tree.size <= self._largest.tree.size:
                check_extends(there, self._largest, self._tree)
            else:
                self._tree, self._largest = self._extending(fetcher, where, there), there
        except ForkError as fork:
            raise placed(forked(fork, self._logs, self._visits), where) from None
        return there

    def _read(self, fetcher: Fetcher) -> tuple[str, SignedCheckpoint] | None:
        """Return where a place shows the log, and the checkpoint there, signed by the log."""
        origin = self._largest.origin
        shown = None
        with suppress(NotFound):
            shown = self._fetch(fetcher, self._format.checkpoint, self._format.parse_checkpoint)
            if shown[1].origin == origin:
                return self._signed(*shown)
        try:
            return self._signed(*self._fetch(fetcher, seen_path(origin), parse_signed_checkpoint))
        except NotFound:
            if shown is not None:
                return None
            raise NotFound(
                f"{fetcher.url} shows nothing of {origin}: neither {self._format.checkpoint} nor {seen_path(origin)}"
            ) from None

    def _fetch(
        self, fetcher: Fetcher, path: str, parse: Callable[[bytes], SignedCheckpoint]
    ) -> tuple[str, SignedCheckpoint]:
        where = f"{fetcher.url}/{path}"

        def parsed(data: bytes) -> SignedCheckpoint:
            with judged(data, where):
                return parse(data)

        return where, fetch_for(fetcher, path, MAX_NOTE_SIZE, parsed)

    def _signed(self, where: str, shown: SignedCheckpoint) -> tuple[str, SignedCheckpoint]:
        with judged(shown.data, where):
            return where, self._logs.accept(shown, self._largest.origin).signed

    def _extending(self, fetcher: Fetcher, where: str, there: SignedCheckpoint) -> VerifiedTree:
        """Return the tree of a larger checkpoint, which begins with the largest so far, by tiles of the log or there.

        A witness has no tiles; but a log stores them before it asks for a cosignature.
        """
        try:
            return self._extends(there, self._client.tree_of(there))
        except (NotFound, TileError):
            try:
                return self._extends(there, VerifiedTree(TileSource(fetcher, self._format), there.tree, there.origin))
            except (NotFound, TileError) as error:
                raise self._unproven(where, there, error) from error

    def _extends(self, there: SignedCheckpoint, tree: VerifiedTree) -> VerifiedTree:
        check_extends(self._largest, there, tree)
        return tree

    def _unproven(self, where: str, there: SignedCheckpoint, why: NotFound | TileError) -> HistoryUnknown:
        ours = self._largest
        error = HistoryUnknown(
            f"{where} shows {there.tree.size} entries that the log has signed, {self._client.fetcher.url} shows "
            f"{ours.tree.size}, and nothing shows that they begin with the same: {why.message}",
            evidence={OLDER: ours.data, NEWER: there.data},
        )
        told = saved(error, ours, there, self._logs, self._visits)
        error.hint = explained("two-histories-were-seen", f"ask who runs the log; {told}")
        return error
