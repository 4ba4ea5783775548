"""Endorsements that a log keeps beside its tiles: reading the newest, and proving entries of the endorsed tree.

What is read is believed once the public log's policy accepts its proof, and the private log's key has signed the
endorsed checkpoint. The log is then held to it: what it shows now has to extend what was endorsed.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from tiles.errors import ForkError, LogError, NotFound, NotLogged, placed
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.endorsement import Endorsed, verify_endorsement
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import Policy
from tiles.notes.tlog_proof import MAX_PROOF_SIZE, TlogProof, parse_tlog_proof
from tiles.read.client import LogClient
from tiles.read.histories import forked, unproven
from tiles.read.memories import CheckpointMemory
from tiles.read.same_history import check_history
from tiles.read.trouble import judged
from tiles.records.paths import checkpoint_path, newest_endorsed_path
from tiles.store import Fetcher
from tiles.store.past_caches import fetch_for


def newest_endorsement(fetcher: Fetcher, origin: str, public: Policy, private: Policy) -> tuple[TlogProof, Endorsed]:
    """Return the newest endorsement that a log keeps, and what it shows.

    origin            of the log that endorses
    public, private   as for `verify_endorsement`
    Raises NotLogged if it keeps none; what `verify_endorsement` raises.
    """
    path = newest_endorsed_path(origin)
    try:
        return fetch_for(fetcher, path, MAX_PROOF_SIZE, partial(_opened, f"{fetcher.url}/{path}", public, private))
    except NotFound as error:
        raise NotLogged(
            f"{fetcher.url} keeps no endorsement by {origin}", hint="`tiletree endorse` of the log's owner makes one"
        ) from error


def _opened(where: str, public: Policy, private: Policy, data: bytes) -> tuple[TlogProof, Endorsed]:
    with judged(data, where):
        proof = parse_tlog_proof(data)
        return proof, verify_endorsement(proof, public, private)


def check_endorsed(client: LogClient, endorsed: SignedCheckpoint, visits: CheckpointMemory | None = None) -> None:
    """Show that what a log shows now is of one history with a checkpoint of it that is endorsed.

    endorsed   signed by a key of the client's policy
    visits     where evidence is kept
    Raises ForkError, with evidence that the log's key suffices to check; HistoryUnknown if the log shows less than was
    endorsed, and not the tiles that would tell; what `LogClient` raises.
    """
    now = client.accepted.signed
    try:
        check_history(client, endorsed)
    except ForkError as fork:
        if visits is None:
            raise
        raise placed(forked(fork, client.policy, visits), client.fetcher.url) from None
    except NotFound as error:
        if endorsed.tree.size <= now.tree.size or visits is None:
            raise
        raise unproven(client.fetcher.url, now, endorsed, error, client.policy, visits) from error


def prove_endorsed(client: LogClient, endorsed: Endorsed, index: int, extra: bytes = b"") -> TlogProof:
    """Return the proof, verified, that an entry is in the endorsed tree.

    Its checkpoint is the one that the log keeps of that size, with its cosignatures, or else the endorsed one.
    Raises NotLogged for an entry that came later; what `LogClient` raises.
    """
    signed = endorsed.tree.signed
    if index >= signed.tree.size:
        raise NotLogged(
            f"entry {index} of {signed.origin} is not endorsed by {endorsed.public.signed.origin}, which holds its "
            f"tree of size {signed.tree.size}",
            hint="`tiletree endorse` of the log's owner endorses what it has now",
        )
    hashes = client.tree_of(signed).prove(index)
    return TlogProof(index, hashes, _cosigned(client, signed), extra)


def _cosigned(client: LogClient, signed: SignedCheckpoint) -> SignedCheckpoint:
    """Return the checkpoint of the same tree that the log keeps, if its policy accepts it; otherwise this one."""
    with suppress(NotFound, LogError):
        kept = parse_signed_checkpoint(client.fetcher.fetch(checkpoint_path(signed.tree.size), MAX_NOTE_SIZE))
        if kept.checkpoint == client.policy.accept(kept, signed.origin).signed.checkpoint == signed.checkpoint:
            return kept
    return signed
