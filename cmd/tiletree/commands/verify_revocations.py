"""Whether what `tiletree verify` verifies was revoked: asked of the log, if the call names it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tiles.errors import AccessError, VerificationError
from tiles.notes.policy import Policy

NOT_CHECKED = "revocation not checked"


@dataclass(frozen=True)
class Verified:
    """An entry that was verified, and what is relied on by it.

    digests       SHA-256 of the file in hex
    key           SHA-256 of the key that signed, in hex; "" if nobody did
    certificate   of that key, DER; b"" without one
    size          of the tree that it was shown to be in
    policy        returns whose signatures make a checkpoint of its log acceptable
    """

    entry: bytes
    digests: tuple[str, ...]
    origin: str
    size: int
    policy: Callable[[], Policy]
    key: str = ""
    certificate: bytes = b""


def check_revocations(log: str, file: str, verified: Verified) -> str:
    """Look in a log for revocations that count for what was verified; return in words that there are none, and where.

    log   where the entry's log is read now
    Raises VerificationError if there is one; AccessError if nobody can know; what reading a log raises.
    """
    from tiles.index.revocations import find_revocations, relied_on  # not for calls that name no log
    from tiles.read.client import LogClient
    from tiles.read.fetcher import is_local, open_log
    from tiles.user.seen_checkpoints import Visits
    from tiles.user.tile_cache import TileCache
    from tiletree.pins import memory

    fetcher = open_log(log)
    cache = None if is_local(fetcher) else memory(TileCache)
    client = LogClient(fetcher, verified.policy(), visits=memory(Visits), cache=cache, origin=verified.origin)
    client.visit()
    newest = max(verified.size, client.newer.tree.size if client.newer is not None else 0)
    if client.tree.size < newest:
        raise AccessError(
            f"revocations of {file} are not known: {fetcher.url} has {client.tree.size} of {newest} entries",
            hint="it is an old copy of the log; name another place where it is served",
        )
    relied = relied_on(verified.entry, verified.digests, verified.key, verified.certificate)
    found = find_revocations(client, [relied])
    if found.found:
        index, revocation = found.found[0]
        said = revocation.statement
        raise VerificationError(
            f"{file} is not to be relied on: entry {index} of {verified.origin} revokes {said.line}: {said.reason}",
            hint=f"it was revoked by {'the log' if said.log else 'the key that signed it'}",
            evidence={"revocation": revocation.data},
        )
    if found.unproven:
        raise AccessError(
            f"revocations of {file} are not known: {found.unproven}",
            hint="`tiletree index build --kind revoked/1` of the log's owner begins the index that tells",
        )
    return f"no revocation among the {client.tree.size} entries of {verified.origin}"
