"""Which policy a log is read with: one that was given, one for a key that is remembered, or one for a first use.

A key is never taken from a proof, and from a log only on its first use, as `resolve` describes. Every output says
which of the three it was.
"""

from __future__ import annotations

from functools import partial

from tiles.errors import AccessError, NotFound, UsageError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.keys import SIGNS_TEXT, VerifierKey
from tiles.notes.note import MAX_NOTE_SIZE, claimed
from tiles.notes.policy import MAX_POLICY_SIZE, Policy, parse_policy, policy_for
from tiles.read.trouble import judged
from tiles.records.paths import POLICY
from tiles.store import Fetcher
from tiles.store.address import normal_url
from tiles.store.past_caches import fetch_for
from tiles.tree.layout import CHECKPOINT
from tiles.user.pinned import FIRST_USE, PINNED, Pinned
from tiles.user.trusted_keys import Trust, unrememberable

_HINT = "pass --vkey or --policy, from a source you trust; `tiletree key trust URL VKEY` remembers it"


def resolve(
    url: str,
    fetcher: Fetcher,
    trust: Trust | None,
    key: VerifierKey | None = None,
    policy: Policy | None = None,
    *,
    origin: str | None = None,
    checkpoint: str = CHECKPOINT,
) -> Pinned:
    """Return the policy to read a log with. What was given goes before what is remembered, and that before first use.

    trust    the memory; None where this user has no place for one
    key      of the log, given by the user
    policy   given by the user, instead
    origin   of the log, given by the user beside the key, if it is not the key's name
    checkpoint   the path of its checkpoint

    On first use, the log's own policy.txt says what its key is, and that alone is taken and remembered, once it has
    verified the log's checkpoint. Not its witnesses and quorum: whoever serves the file could name witnesses of their
    own, and "cosigned" would say nothing. From then on it is known that the key stays the same, not that it was right.
    Reading does not need a place to write: a key that cannot be remembered is used once, and `Pinned` says so.

    Raises Refused if another key is known for the log's address, or is trusted for its origin; UsageError if both are
    given, or if a log is not known and has no policy.txt with one log; SignatureError if its checkpoint is not signed
    by the key there, AccessError, and Malformed.
    """
    if key is not None and policy is not None:
        raise UsageError("a policy names the log's key itself: give either a key or a policy")
    if origin is not None and key is None:
        raise UsageError("an origin is given for a key: give the key as well")
    if policy is not None:
        return Pinned(policy, PINNED)
    if key is not None:
        return Pinned(policy_for(key, origin), PINNED)
    known = trust.lookup(url) if trust is not None else None
    if known is not None:
        return Pinned(known.policy, known.how)
    first = fetch_for(fetcher, checkpoint, MAX_NOTE_SIZE, partial(_signed_by, fetcher, f"{fetcher.url}/{checkpoint}"))
    problem = unrememberable(normal_url(url), first) if trust is not None else "this user has no home directory"
    if trust is not None and not problem:
        try:
            known = trust.first_use(url, first.vkey)
        except AccessError as error:
            problem = error.message
        else:
            return Pinned(known.policy, known.how)
    return Pinned(policy_for(first), FIRST_USE, problem)


def _first_key(fetcher: Fetcher, signed: SignedCheckpoint) -> VerifierKey:
    try:
        policy = fetch_for(fetcher, POLICY, MAX_POLICY_SIZE, partial(_parse, f"{fetcher.url}/{POLICY}"))
    except NotFound:
        raise UsageError(f"{fetcher.url}: no key is known for this log, and it has no {POLICY}", hint=_HINT) from None
    keys = [log.key for log in policy.logs]
    if len({key.name for key in keys}) != 1:
        raise UsageError(f"{fetcher.url}/{POLICY} names {len(keys)} logs, not one", hint=_HINT)
    # of several keys of one log, the last that signs texts: while a key is rotated, it is the one that stays
    there = [key for _, key in claimed(signed.note, keys)]
    return max(there or keys, key=lambda key: (key.type in SIGNS_TEXT, keys.index(key)))


def _parse(where: str, data: bytes) -> Policy:
    with judged(data, where):
        return parse_policy(data)


def _signed_by(fetcher: Fetcher, where: str, data: bytes) -> VerifierKey:
    """Return the key that the log names itself, and that has signed the checkpoint in these bytes."""
    with judged(data, where):
        signed = parse_signed_checkpoint(data)  # first, because of what is no checkpoint the log's key says nothing
    first = _first_key(fetcher, signed)
    with judged(data, where):
        policy_for(first).accept(signed)
    return first
