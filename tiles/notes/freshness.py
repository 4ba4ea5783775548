"""How fresh a checkpoint is by what witnesses have stated: the newest time at which the quorum still holds. Pure.

Not the newest time that anybody has stated: one witness alone could then make an old checkpoint look new, and a policy
that asks for several does so because one may be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable

from tiles.notes.cosignature import Cosignature
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import Policy


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
