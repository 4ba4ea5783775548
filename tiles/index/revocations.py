"""Which revocations of a log count for what somebody relies on; docs/entry-formats.md, "Which revocations count".

Anyone who can log can write revocations of anything. So all that are found are looked at, and only those count whose
signature is right, and who signed them may revoke this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from tiles.entries.kind import IDENTITY, KEY, SHA256, Key
from tiles.entries.kinds import keys_of
from tiles.errors import LogError, Malformed, SignatureError, UsageError
from tiles.index.search import Query, search
from tiles.notes.index_head import MAX_COVERED
from tiles.notes.key_history import Use
from tiles.notes.keys import VerifierKey
from tiles.read.client import LogClient
from tiles.read.key_changes import history_of_client
from tiles.sigstore.der import read_certificate
from tiles.sigstore.names import identity_keys
from tiles.sigstore.revocation import REVOKED, Relied, Revocation, check_revocation, is_revoked, parse_revocation

MOST = 4096  # revocations of one thing that are looked at


@dataclass(frozen=True, slots=True)
class Revocations:
    """What was found.

    found      index and revocation of those that count, newest first
    unproven   why there may be others; "" if there are none
    """

    found: tuple[tuple[int, Revocation], ...]
    unproven: str = ""


def relied_on(entry: bytes, digests: Iterable[str] = (), key: str = "", certificate: bytes = b"") -> Relied:
    """Return what is relied on by an entry.

    digests       SHA-256 in hex of the artifact, besides what the entry says
    key, certificate   that signed, where it is known: SHA-256 in hex, and DER. Entries of old kinds do not tell
    """
    values: dict[str, list[bytes]] = {}
    with suppress(Malformed):  # an entry of another log, longer than one of ours can be
        for found in keys_of(entry):
            values.setdefault(found.kind, []).append(found.value)
    own = [value.hex() for value in values.get(SHA256, ())]
    keys = values.get(KEY, [b""])
    names = [value.decode("ascii") for value in values.get(IDENTITY, ())]
    with suppress(Malformed):
        names += identity_keys(read_certificate(certificate).identities)
    return Relied(tuple(dict.fromkeys([*digests, *own])), key or keys[0].hex(), tuple(dict.fromkeys(names)))


def find_revocations(
    client: LogClient, relied: Sequence[Relied], remark: Callable[[str], None] = lambda _text: None
) -> Revocations:
    """Return the revocations in a log that count for any of what somebody relies on; `is_revoked` says for which.

    client   with the policy that says which keys are the log's
    Raises what `search` raises, except for a log that cannot be searched: then nothing is found, and unproven.
    """
    lines = dict.fromkeys(line for each in relied for line in each.lines)
    if not lines:
        return Revocations(())
    wanted = [[Key(REVOKED, line.encode("ascii")) for line in lines]]
    keys = _KeysAt(client)
    counting: list[tuple[int, Revocation]] = []
    before, seen, unproven = MAX_COVERED, 0, ""
    while True:
        try:
            found = search(client, Query(wanted, before), remark)
        except UsageError as error:
            return Revocations(tuple(counting), error.message)
        for index, entry in found.hits:
            revocation = parse_revocation(entry)
            with suppress(SignatureError, Malformed):
                check_revocation(revocation, keys.of(revocation, index))
                if any(is_revoked(each, revocation.statement) for each in relied):
                    counting.append((index, revocation))
        unproven = unproven or found.unproven
        if found.covered < client.tree.size and not unproven:
            unproven = f"the index covers {found.covered} of {client.tree.size} entries"
        seen += len(found.hits)
        if not found.more or seen >= MOST:
            break
        before = found.hits[-1][0]
    if found.more:
        unproven = f"more than {MOST} revocations name it, and were not all looked at"
    return Revocations(tuple(counting), unproven or keys.unproven)


class _KeysAt:
    """The keys by which a log may have signed a revocation, by where that is among its entries.

    A key that was retired since counts for what was logged while the log had it: nobody can put an entry there later.
    unproven   why nothing is known of earlier keys, if it was asked for
    """

    def __init__(self, client: LogClient) -> None:
        self.unproven = ""
        self._client = client
        self._known = client.policy.keys_of(client.accepted.signed.origin)

    def of(self, revocation: Revocation, index: int) -> list[VerifierKey]:
        """Return the keys of the log that count for a revocation at an index."""
        by = revocation.statement.log
        if not by or by in [key.vkey for key in self._known]:
            return self._known
        return [use.key for use in self._earlier if use.until is None or index < use.until]

    @cached_property
    def _earlier(self) -> tuple[Use, ...]:
        try:
            return history_of_client(self._client).forerunners
        except LogError as error:
            self.unproven = f"what the log says of its keys will not do: {error.message}"
            return ()
