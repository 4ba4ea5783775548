"""The union of what several notes say of one checkpoint: each line that a key of a policy verifiably made, once.

Lines come from witnesses and from storage that anyone may write to. So each is verified before it is kept, and what is
of no key in the policy, wrong, or without a time is left out (https://c2sp.org/tlog-witness, "add-checkpoint": "The
cosignature MUST NOT omit the timestamp").
"""

from __future__ import annotations

from collections.abc import Iterable

from tiles.errors import LogError, PolicyError, SignatureError
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint, with_signatures
from tiles.notes.cosignature import verify_cosignature
from tiles.notes.freshness import AHEAD
from tiles.notes.keys import VerifierKey
from tiles.notes.note import Signature
from tiles.notes.policy import Policy
from tiles.notes.verified_signatures import verify_line

NO_LINE = "no line by a witness of the policy that verifies"

Lines = dict[VerifierKey, tuple[int, Signature]]


def cosignatures(checkpoint: Checkpoint, lines: Iterable[Signature], policy: Policy) -> Lines:
    """Return the newest line of each witness of the policy over the checkpoint, with its time, all verified."""
    found: Lines = {}
    keys = {(witness.key.name, witness.key.key_id): witness.key for witness in policy.witnesses}
    for line in lines:
        key = keys.get((line.name, line.key_id))
        if key is None:
            continue
        try:
            time = verify_cosignature(checkpoint, line, key).timestamp
        except SignatureError:
            continue
        if time > found[key][0] if key in found else time > 0:
            found[key] = time, line
    return found


def usable(
    checkpoint: Checkpoint, lines: Iterable[Signature], policy: Policy, now: float
) -> tuple[list[Signature], str]:
    """Return those lines of witnesses that can be published, or why there is none, for a message. now: POSIX seconds

    One that is dated in the future cannot: no newer line over the same checkpoint could ever replace it, and readers
    who look at its age refuse it. tlog-cosignature: verifiers "MAY reject cosignatures with timestamps in the future".
    """
    found = cosignatures(checkpoint, lines, policy).values()
    fit = [line for time, line in found if time <= now + AHEAD]
    return fit, "" if fit else "a line that is dated in the future, by the clock here" if found else NO_LINE


def union(checkpoint: Checkpoint, lines: Iterable[Signature], policy: Policy) -> SignedCheckpoint:
    """Return the checkpoint with those of these lines that count: the log's, then each witness's newest.

    Raises SignatureError if none by a key of the log in the policy verifies.
    """
    lines = list(lines)
    own: dict[VerifierKey, Signature] = {}
    for key in policy.keys_of(checkpoint.origin):
        for line in lines:
            if line.claims(key) and key not in own and _verifies(checkpoint, line, key):
                own[key] = line
    if not own:
        raise SignatureError(f"no line by a key of {checkpoint.origin} verifies")
    found = cosignatures(checkpoint, lines, policy)
    cosigned = [found[witness.key][1] for witness in policy.witnesses if witness.key in found]
    return with_signatures(checkpoint, [*own.values(), *cosigned])


def adds(more: SignedCheckpoint, to: SignedCheckpoint, policy: Policy) -> bool:
    """Whether a note has a line of a witness that another one of the same text lacks, or a newer one."""
    there = cosignatures(to.checkpoint, to.note.signatures, policy)
    new = cosignatures(more.checkpoint, more.note.signatures, policy)
    return any(key not in there or time > there[key][0] for key, (time, _) in new.items())


def shortfall(signed: SignedCheckpoint, policy: Policy) -> str:
    """Return why the policy does not accept a checkpoint of its log; "" if it does."""
    try:
        policy.accept(signed, signed.origin)
    except (PolicyError, SignatureError) as error:
        return error.message
    return ""


def _verifies(checkpoint: Checkpoint, line: Signature, key: VerifierKey) -> bool:
    try:
        verify_line(checkpoint, line, key)
    except LogError:
        return False
    return True
