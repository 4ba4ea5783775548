"""Vectors of how fresh a checkpoint is: witnesses that stated one time or another, some of them none."""

from __future__ import annotations

from itertools import product

from tests.support.signed_text import CHECKPOINT, LOG, LOG_LINE, W2, WITNESSES, sign
from tests.support.web_answers import Cases, b64
from tiles.notes.checkpoint import with_signatures

NOW, OLD = 1_764_000_000, 1_732_000_000
BY = {"A": WITNESSES["X1"], "B": WITNESSES["X2"], "M": W2}  # M has an ML-DSA-44 key, which alone may state no time
QUORUMS = {
    "2 of 3": "group g 2 A B M\nquorum g\n",
    "any of all": "group inner all A B\ngroup g any inner M\nquorum g\n",
    "all of any": "group inner any A B\ngroup g all inner M\nquorum g\n",
    "one": "quorum A\n",
    "none": "quorum none\n",
}


def add_to(made: Cases) -> None:
    """Add each quorum with combinations of witnesses that stated a new time, an old one, no time, or nothing."""
    witnesses = "".join(f"witness {name} {by.verifier.vkey}\n" for name, by in BY.items())
    lines = {(name, time): sign(CHECKPOINT, by, time) for name, by in BY.items() for time in (NOW, OLD, 0)}
    log = sign(CHECKPOINT, LOG)
    stated = [(None, NOW, OLD), (None, NOW, OLD), (None, NOW, OLD, 0)]
    combinations = list(product(*stated))
    cases = [(what, times) for what in QUORUMS for times in combinations[:: 1 if what == "2 of 3" else 3]]
    for what, times in cases:
        signatures = [lines[name, time] for name, time in zip(BY, times, strict=True) if time is not None]
        data = with_signatures(CHECKPOINT, [log, *signatures]).data
        policy = f"{LOG_LINE}{witnesses}{QUORUMS[what]}".encode()
        made.add("accept", None, f"{what}, times {times}", policy=b64(policy), data=b64(data))
    twice = [lines["A", OLD], lines["A", NOW], lines["A", OLD], lines["M", OLD]]
    for what, quorum in QUORUMS.items():
        data = with_signatures(CHECKPOINT, [log, *twice]).data
        policy = f"{LOG_LINE}{witnesses}{quorum}".encode()
        made.add("accept", None, f"{what}, twice", policy=b64(policy), data=b64(data))
