"""How fresh a checkpoint is by what witnesses have stated: the newest time at which the quorum still holds. Pure.

Not the newest time that anybody has stated: one witness alone could then make an old checkpoint look new, and a policy
that asks for several does so because one may be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable

from tiles.errors import PolicyError
from tiles.notes.cosignature import Cosignature
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import Policy

AHEAD = 600  # seconds that a witness's clock may be ahead of ours; the page allows as many


def quorum_time(policy: Policy, cosignatures: Iterable[Cosignature]) -> int | None:
    """Return the newest time, in POSIX seconds, such that cosignatures of then or later still meet the quorum.

    cosignatures   verified; of several by one key the newest counts
    Of a group that needs k members it is the k-th newest of theirs. None where the policy has no quorum, and where too
    few witnesses of the quorum have stated a time: the time 0, which an ML-DSA-44 cosigner may give, states none.
    """
    if policy.quorum is None:
        return None
    by_key: dict[VerifierKey, int] = {}
    for cosignature in cosignatures:
        by_key[cosignature.key] = max(cosignature.timestamp, by_key.get(cosignature.key, 0))
    times = {witness.name: by_key[witness.key] for witness in policy.witnesses if by_key.get(witness.key)}
    for group in policy.groups:  # members are defined on preceding lines: one pass is enough
        known = sorted((times[member] for member in group.members if member in times), reverse=True)
        if len(known) >= group.threshold:
            times[group.name] = known[group.threshold - 1]
    return times.get(policy.quorum)


def undated(policy: Policy) -> str:
    """Return why there may be no such time, in words."""
    if policy.quorum is None:
        return "the policy asks for no witness, and only witnesses date a checkpoint"
    return "too few witnesses of the quorum have stated a time"


def check_age(time: int | None, most: int, now: int, why: str = "") -> None:
    """Raise PolicyError unless a quorum has stated a time that is at most `most` seconds before `now`.

    time   what `quorum_time` returned; None does not satisfy any age
    why    says why there is none (`undated`)
    A time that is more than AHEAD seconds after now does not do either: a clock is wrong, and what is dated so would
    stay fresh for as long as it is ahead.
    """
    if time is None:
        raise PolicyError(f"undated, so it is not known how old it is: {why}")
    age = now - time
    if age > most:
        raise PolicyError(f"last confirmed {_length(age)} ago by the quorum, and {_length(most)} are allowed")
    if age < -AHEAD:
        raise PolicyError(f"confirmed {_length(-age)} in the future: a clock is wrong, of a witness or of this machine")


def _length(seconds: int) -> str:
    """Return a length of time in words: exact, or in its largest unit, rounded down."""
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"
