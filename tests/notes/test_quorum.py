"""What a quorum asks for, has and needs, in values that agree with `Policy.accept`, and in words."""

from __future__ import annotations

import pytest

from tests.support.policy_sets import DEEP, EVERY_SET
from tests.support.signed_text import EXAMPLE, LOG_LINE, WITNESS_LINES, WITNESSES, cosigned, policy
from tiles.errors import PolicyError
from tiles.notes.policy import Policy, parse_policy
from tiles.notes.quorum import Standing, standing

NESTED = {quorum: policy(LOG_LINE + DEEP.format(quorum)) for quorum in ("X1", "a", "b", "c", "d")}
POLICIES = {"example": policy(EXAMPLE), **NESTED}


def stands(rules: Policy, *names: str) -> Standing:
    """Return how a quorum stands once these witnesses have cosigned."""
    found = standing(rules, {WITNESSES[name].verifier for name in names})
    assert found is not None
    return found


@pytest.mark.parametrize("rules", POLICIES.values(), ids=POLICIES.keys())
def test_it_is_met_where_the_policy_accepts(rules: Policy) -> None:
    """For every set of witnesses: met where accepted; and `missing` is how many more make it accepted, at least."""
    accepted = set()
    for names in EVERY_SET:
        try:
            rules.accept(cosigned(*names))
            accepted.add(frozenset(names))
        except PolicyError:
            pass
    for names in EVERY_SET:
        found = stands(rules, *names)
        assert found.met == (frozenset(names) in accepted)
        assert found.missing == min(len(enough - set(names)) for enough in accepted)
        assert found.smallest == min(map(len, accepted))


def test_no_quorum() -> None:
    """Where no witness is asked for, nothing stands."""
    assert standing(policy(f"{LOG_LINE}{WITNESS_LINES}quorum none\n")) is None


WORDS = [
    ("group g 2 X1 X2 X3\nquorum g\n", "2 of X1, X2, X3", ("X1",), "X1 has cosigned; one more of X2, X3"),
    ("group g 2 X1 X2 X3\nquorum g\n", "2 of X1, X2, X3", ("X1", "X3"), "X1 and X3 have cosigned"),
    ("group g 2 X1 X2 X3\nquorum g\n", "2 of X1, X2, X3", (), "none of them has cosigned; 2 more of X1, X2, X3"),
    ("group g any X1 X2\nquorum g\n", "one of X1, X2", (), "none of them has cosigned; one more of X1, X2"),
    ("group g all X1 X2\nquorum g\n", "all of X1, X2", ("X1",), "X1 has cosigned; X2 is missing"),
    ("group g all X1\nquorum g\n", "X1", (), "none of them has cosigned; X1 is missing"),
    ("quorum X1\n", "X1", (), "X1 has not cosigned"),
    ("quorum X1\n", "X1", ("X1",), "X1 has cosigned"),
    (
        "group h any X1 X2\ngroup g 2 h X3 Y1\nquorum g\n",
        "2 of h, X3, Y1",
        ("X2", "Y1"),
        "Y1 has cosigned; h is met",
    ),
    (
        "group h any X1 X2\ngroup g all h X3\nquorum g\n",
        "all of h, X3",
        (),
        "none of them is there; h and X3 are missing",
    ),
]


@pytest.mark.parametrize(("lines", "asks", "names", "said"), WORDS)
def test_words(lines: str, asks: str, names: tuple[str, ...], said: str) -> None:
    """What is asked for, what is there, and what is missing."""
    found = stands(policy(LOG_LINE + WITNESS_LINES + lines), *names)
    assert (found.asks, found.stands) == (asks, said)


def test_everything_below_a_quorum() -> None:
    """Groups come before their members, in the order of their lines; witnesses are each there once."""
    found = stands(policy(EXAMPLE))
    names = [(depth, one.shown) for depth, one in found.walk()]
    assert names == [
        (0, "X-and-Y"),
        (1, "X-witnesses"),
        *((2, name) for name in ("X1", "X2", "X3")),
        (1, "Y-witnesses"),
        *((2, name) for name in ("Y1", "Y2", "Y3")),
    ]
    assert found.witnesses == tuple(name.encode() for name in WITNESSES)


def test_names_are_octets() -> None:
    """Two names that are shown alike are two: what is compared is their octets."""
    octets = b"witness \xff " + WITNESSES["X1"].verifier.vkey.encode() + b"\n"
    text = rb"witness \xff " + WITNESSES["X2"].verifier.vkey.encode() + b"\n"
    rules = parse_policy(octets + text + b"group g all \xff \\xff\nquorum g\n")
    assert stands(rules).asks == r"all of \xff, \xff"
    assert stands(rules, "X1").missing == 1
