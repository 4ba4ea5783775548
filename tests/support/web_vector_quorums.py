"""Vectors of quorums in words: what each part of one asks for, what is there of it, and what is missing."""

from __future__ import annotations

from tests.support import policy_sets
from tests.support.signed_text import EXAMPLE, LOG_LINE, WITNESS_LINES, X1, X2
from tests.support.web_answers import Cases, b64

DEEP = LOG_LINE + policy_sets.DEEP
TWO_OF_THREE = f"{LOG_LINE}{WITNESS_LINES}group g 2 X1 X2 X3\nquorum g\n"
OF_ONE = f"{LOG_LINE}{WITNESS_LINES}group g all X1\nquorum g\n"
MIXED = f"{LOG_LINE}{WITNESS_LINES}group h any X1 X2\ngroup g 2 h X3 Y1\nquorum g\n"
NONE = f"{LOG_LINE}{WITNESS_LINES}quorum none\n"
OCTETS = f"{LOG_LINE}witness \u00fc {X1}\nwitness \u212a {X2}\ngroup \u4e2d any \u00fc \u212a\nquorum \u4e2d\n"


def add_to(made: Cases) -> None:
    """Add all of them: each set of witnesses under each policy."""
    policies = {"example": EXAMPLE, "2 of 3": TWO_OF_THREE, "of one": OF_ONE, "mixed": MIXED, "none": NONE}
    policies |= {f"deep, {quorum}": DEEP.format(quorum) for quorum in ("X1", "a", "b", "c", "d")}
    for what, policy in policies.items():
        for names in policy_sets.EVERY_SET[:: 1 if what == "2 of 3" else 3]:
            _add(made, f"{what}: {'-'.join(names)}", policy, *names)
    for names in ((), ("\u00fc",), ("K",), ("\u212a", "\u00fc")):
        _add(made, "names that are octets", OCTETS, *names)


def _add(made: Cases, what: str, policy: str, *names: str) -> None:
    made.add("standing", "ok", what, policy=b64(policy.encode()), names=[b64(name.encode()) for name in names])
