"""The index of a log, computed again as it grows: a head that does not follow from the entries is a lie of its signer.

What was checked before is kept: the places in which the runs are computed (`IndexBuilder` goes on in them), and the
last head of each kind that was right. So only what is new is computed and fetched, and a head that contradicts an
earlier one is found although both may have been shown only once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

from tiles.entries.key_kinds import OWN_KINDS
from tiles.errors import AccessError, LogError, NotFound, Refused, TilesError, TooLong, VerificationError
from tiles.index.check import (
    SignedHead,
    check_index,
    contradictions,
    evidence_of,
    head_keys,
    open_head,
    read_head,
)
from tiles.index.spread import SpreadLog
from tiles.notes.index_head import MAX_HEAD_SIZE
from tiles.notes.keys import VerifierKey
from tiles.read.client import LogClient
from tiles.read.memories import CheckpointMemory
from tiles.read.runs import Hands
from tiles.records.paths import index_head_path
from tiles.store.directory import DirectoryStore
from tiles.user.files import read_file, write_file

HEADS = "index-heads"  # the last head of each kind that was right
RUNS = "index-runs"  # where indexes are computed again


class IndexCheck:
    """Checks the indexes of one log.

    client   has visited the log
    folder   of what is kept of the log
    visits   where evidence goes
    hands    returns those who compute records of so many entries
    """

    def __init__(
        self,
        client: LogClient,
        folder: Path,
        visits: CheckpointMemory,
        hands: Callable[[int], AbstractContextManager[Hands]],
    ) -> None:
        self._client = client
        self._hands = hands
        self._folder = folder
        self._visits = visits
        self._origin = client.accepted.signed.origin
        self._keys: list[VerifierKey] = head_keys(client.policy, self._origin)

    def check(self) -> Iterator[TilesError]:
        """Check each index that the log has, and yield what is wrong: VerificationError for one that lies."""
        for kind in OWN_KINDS:
            try:
                self._check(kind)
            except TilesError as error:
                yield error

    def _check(self, kind: str) -> None:
        where = f"{self._client.fetcher.url}/{index_head_path(kind)}"
        last = self._last(kind)
        try:
            signed = read_head(self._client.fetcher, kind, self._keys)
        except NotFound:
            if last is None:
                return
            raise AccessError(f"{where} is gone: it covered {last.head.tree.size} entries") from None
        except (LogError, TooLong) as error:
            raise AccessError(f"{where} is damaged: {error.message}") from error
        self._compare(kind, where, last, signed)
        head = signed.head
        if head.tree.size > self._client.tree.size:
            self._client.visit()  # it may have grown since
        new = head.tree.size - (last.head.tree.size if last is not None else 0)
        with self._hands(new) as hands, closing(SpreadLog(self._client, hands)) as log:
            found = check_index(
                self._client.fetcher,
                log,
                self._origin,
                kind,
                head,
                DirectoryStore(self._folder / RUNS),
                known=last.head.runs if last is not None else (),
            )
        if found.lies:
            raise self._lie(where, signed, found.lies)
        if found.damaged:
            path, problem = found.damaged[0]
            more = f", and {len(found.damaged) - 1} more are wrong" if len(found.damaged) > 1 else ""
            raise AccessError(f"{self._client.fetcher.url}/{path} {problem}{more}; what the log signed is right")
        write_file(self._head(kind), signed.data)

    def _compare(self, kind: str, where: str, last: SignedHead | None, signed: SignedHead) -> None:
        """Raise VerificationError if a head contradicts the last one, AccessError if it is an older one."""
        if last is None or (signed.head.origin, signed.head.kind) != (self._origin, kind):
            return
        if lies := list(contradictions(signed.head, last.head)):
            raise self._lie(where, signed, lies, last)
        if signed.head.tree.size < last.head.tree.size:
            raise AccessError(
                f"{where} covers {signed.head.tree.size} entries, and {last.head.tree.size} before: it is an old copy"
            )

    def _lie(
        self, where: str, signed: SignedHead, lies: tuple[str, ...] | list[str], other: SignedHead | None = None
    ) -> VerificationError:
        evidence = evidence_of(signed, lies, self._client.accepted.signed, other)
        try:
            saved = f"the evidence is in {self._visits.save_evidence(self._keys[0], evidence)}"
        except AccessError as error:
            saved = f"the evidence could not be saved: {error.message}"
        return VerificationError(
            f"{where}: the log has signed an index that is wrong: {lies[0]}",
            hint=f"nothing that it proves counts; {saved}; tell others who use this log",
            evidence=evidence,
        )

    def _head(self, kind: str) -> Path:
        return self._folder / HEADS / kind.replace("/", "-")

    def _last(self, kind: str) -> SignedHead | None:
        path = self._head(kind)
        data = read_file(path, MAX_HEAD_SIZE)
        if data is None:
            return None
        try:
            return open_head(data, self._keys)
        except LogError as error:
            hint = f"without it, {self._folder / RUNS} and all that was checked before is checked again"
            raise Refused(f"{path} is damaged: {error.message}", hint=f"remove it; {hint}") from error
