"""What the log says now of what `tiletree verify` verifies, if the call names it: the same history, no revocation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiles.errors import AccessError, VerificationError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.policy import Policy
from tiletree.histories import check_same_history

if TYPE_CHECKING:
    from tiles.read.client import LogClient

NOT_CHECKED = "revocation not checked: --log asks the log"


@dataclass(frozen=True)
class Verified:
    """An entry that was verified, and what is relied on by it.

    digests       SHA-256 of the file in hex
    key           SHA-256 of the key that signed, in hex; "" if nobody did
    certificate   of that key, DER; b"" without one
    signed        the checkpoint whose tree it was shown to be in; None if it was shown to be in none
    policy        returns whose signatures make a checkpoint of its log acceptable
    """

    entry: bytes
    digests: tuple[str, ...]
    signed: SignedCheckpoint | None
    policy: Callable[[], Policy]
    key: str = ""
    certificate: bytes = b""


class LogNow:
    """The log as it is served now, visited once a call, whatever the number of files.

    log   where it is
    """

    def __init__(self, log: str) -> None:
        self._log = log
        self._clients: dict[str, LogClient] = {}

    def check(self, file: str, verified: Verified) -> str:
        """Look for revocations that count for what was verified; return in words that there are none, and where.

        The checkpoint that it was verified by has to be of the history that is read: the revocations of another one
        say nothing of it, and that there are two is worse than any of them.
        Raises VerificationError if there is a revocation; ForkError, with the evidence saved, for another history;
        AccessError if nobody can know; what reading a log raises.
        """
        from tiles.index.revocations import find_revocations, relied_on  # not for calls that name no log

        signed = verified.signed
        assert signed is not None  # noqa: S101  whoever verifies a signature alone may not name a log
        client = self._client(signed, verified.policy)
        newest = max(signed.tree.size, client.newer.tree.size if client.newer is not None else 0)
        if client.tree.size < newest:
            raise AccessError(
                f"revocations of {file} are not known: {client.fetcher.url} has {client.tree.size} of {newest} entries",
                hint="it is an old copy of the log, or another history: ask again later, or name another place where "
                "the log is served",
            )
        check_same_history(client, signed)
        relied = relied_on(verified.entry, verified.digests, verified.key, verified.certificate)
        found = find_revocations(client, [relied])
        if found.found:
            index, revocation = found.found[0]
            said = revocation.statement
            raise VerificationError(
                f"{file} is not to be relied on: entry {index} of {signed.origin} revokes {said.line}: {said.reason}",
                hint=f"it was revoked by {'the log' if said.log else 'the key that signed it'}",
                evidence={"revocation": revocation.data},
            )
        if found.unproven:
            raise AccessError(
                f"revocations of {file} are not known: {found.unproven}",
                hint="`tiletree index build --kind revoked/1` of the log's owner begins the index that tells",
            )
        return f"no revocation among the {client.tree.size} entries of {signed.origin}"

    def _client(self, signed: SignedCheckpoint, policy: Callable[[], Policy]) -> LogClient:
        if (known := self._clients.get(signed.origin)) is not None:
            return known
        from tiles.read.client import LogClient
        from tiles.read.fetcher import is_local, open_log
        from tiles.user.seen_checkpoints import Visits
        from tiles.user.tile_cache import TileCache
        from tiletree.pins import memory

        fetcher = open_log(self._log)
        cache = None if is_local(fetcher) else memory(TileCache)
        client = LogClient(fetcher, policy(), visits=memory(Visits), cache=cache, origin=signed.origin)
        client.visit()
        self._clients[signed.origin] = client
        return client
