"""How fresh a checkpoint is: what a quorum of witnesses has stated, not what one of them has."""

from __future__ import annotations

import pytest

from tests.support.signed_text import COSIGNATURE, LOG, MLDSA44, key
from tiles.errors import PolicyError
from tiles.notes.cosignature import Cosignature
from tiles.notes.freshness import AHEAD, check_age, quorum_time, undated
from tiles.notes.policy import parse_policy

YEAR = 365 * 86_400  # seconds
NOW = 1_800_000_000
OLD = NOW - YEAR

KEYS = {name: key(f"{name}.example.com", number, COSIGNATURE).verifier for number, name in enumerate("ABC", 30)}
KEYS["M"] = key("M.example.com", 40, MLDSA44).verifier

GROUPS = {
    "2 of 3": "group g 2 A B C\nquorum g\n",
    "all": "group g all A B C\nquorum g\n",
    "any": "group g any A B C\nquorum g\n",
    "one": "quorum A\n",
    "nested": "group inner any A B\ngroup outer all inner C\nquorum outer\n",
    "with ML-DSA-44": "group g 2 A B M\nquorum g\n",
    "none": "quorum none\n",
}

CASES = [
    # the case that the rule is for: a quorum of a year ago, and one witness of now
    ("2 of 3", {"A": OLD, "B": OLD, "C": NOW}, OLD),
    ("2 of 3", {"A": OLD, "B": NOW - 5, "C": NOW}, NOW - 5),
    ("2 of 3", {"B": OLD, "C": NOW}, OLD),
    ("2 of 3", {"C": NOW}, None),
    ("all", {"A": OLD, "B": NOW, "C": NOW}, OLD),
    ("any", {"A": OLD, "B": OLD + 1, "C": OLD + 2}, OLD + 2),
    ("one", {"A": OLD, "B": NOW}, OLD),
    ("nested", {"A": OLD, "B": NOW, "C": NOW - 9}, NOW - 9),
    ("nested", {"A": NOW, "C": OLD}, OLD),
    ("with ML-DSA-44", {"A": OLD, "M": NOW}, OLD),
    ("with ML-DSA-44", {"A": NOW, "M": 0}, None),
    ("with ML-DSA-44", {"A": NOW, "B": OLD, "M": 0}, OLD),
    ("none", {"A": NOW, "B": NOW}, None),
    ("2 of 3", {"A": 2**63 - 1, "B": NOW}, NOW),
]


@pytest.mark.parametrize(("group", "stated", "expected"), CASES)
def test_the_newest_time_at_which_the_quorum_holds(group: str, stated: dict[str, int], expected: int | None) -> None:
    """Of k members it is the k-th newest; witnesses that the quorum does not need change nothing."""
    witnesses = "".join(f"witness {name} {key.vkey}\n" for name, key in KEYS.items())
    policy = parse_policy(f"log {LOG.verifier.vkey}\n{witnesses}{GROUPS[group]}".encode())
    cosignatures = [Cosignature(KEYS[name], time) for name, time in stated.items()]
    assert quorum_time(policy, cosignatures) == expected
    assert quorum_time(policy, cosignatures[::-1]) == expected


def test_one_witness_counts_once() -> None:
    """Two cosignatures of one witness are not two witnesses; its newer one counts."""
    witnesses = "".join(f"witness {name} {key.vkey}\n" for name, key in KEYS.items())
    policy = parse_policy(f"log {LOG.verifier.vkey}\n{witnesses}{GROUPS['2 of 3']}".encode())
    twice = [Cosignature(KEYS["A"], NOW), Cosignature(KEYS["A"], NOW - 1)]
    assert quorum_time(policy, twice) is None
    assert quorum_time(policy, [*twice, Cosignature(KEYS["B"], NOW)]) == NOW


@pytest.mark.parametrize(
    ("time", "most", "problem"),
    [
        (NOW, 0, ""),
        (NOW - 7 * 86_400, 7 * 86_400, ""),
        (NOW - 7 * 86_400 - 1, 7 * 86_400, "last confirmed 7 days ago by the quorum, and 7 days are allowed"),
        (NOW - 90, 30, "last confirmed 90 seconds ago by the quorum, and 30 seconds are allowed"),
        (NOW + AHEAD, 5, ""),
        (NOW + AHEAD + 1, YEAR, "10 minutes in the future: a clock is wrong"),
        (2**63 - 1, YEAR, "in the future"),
        (None, YEAR, "undated, so it is not known how old it is: because"),
    ],
)
def test_age(time: int | None, most: int, problem: str) -> None:
    """Fresh enough is what a quorum has confirmed within the time, and not what is undated or of the future."""
    if not problem:
        check_age(time, most, NOW, "because")
        return
    with pytest.raises(PolicyError) as caught:
        check_age(time, most, NOW, "because")
    assert problem in caught.value.message


def test_why_something_is_undated() -> None:
    """It is said whether no witness is asked for, or too few of them have stated a time."""
    witnesses = "".join(f"witness {name} {key.vkey}\n" for name, key in KEYS.items())
    policies = [
        parse_policy(f"log {LOG.verifier.vkey}\n{witnesses}{GROUPS[group]}".encode()) for group in ("none", "all")
    ]
    assert ["asks for no witness" in undated(policy) for policy in policies] == [True, False]
