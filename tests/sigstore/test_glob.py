"""Globs: a star and nothing else, in linear time, and which glob covers which."""

from __future__ import annotations

import re
from itertools import product

import pytest

from tiles.errors import UsageError
from tiles.sigstore.glob import Glob

TEXTS = ["".join(signs) for length in range(5) for signs in product("ab/", repeat=length)]
GLOBS = [
    glob for length in range(5) for signs in product("ab/*", repeat=length) if "**" not in (glob := "".join(signs))
]


def expression(glob: str, star: str) -> re.Pattern[str]:
    """Return what a glob means, said in another language."""
    return re.compile("".join(star if sign == "*" else re.escape(sign) for sign in glob), re.DOTALL)


@pytest.mark.parametrize(("in_parts", "star"), [(False, ".*"), (True, "[^/@?#]+")])
def test_every_short_glob(in_parts: bool, star: str) -> None:
    """Every glob and every text of at most four signs: as the regular expression says that means the same."""
    for text in GLOBS:
        if in_parts and any(part.count("*") > 1 for part in text.split("/")):
            with pytest.raises(UsageError, match=r"one \* at most between"):
                Glob(text, in_parts=True)
            continue
        glob, meant = Glob(text, in_parts=in_parts), expression(text, star)
        assert [glob.matches(each) for each in TEXTS] == [meant.fullmatch(each) is not None for each in TEXTS], text


def test_which_covers_which() -> None:
    """One covers another exactly if it matches all that the other one matches, however long."""
    few = [glob for glob in GLOBS if "/" not in glob]
    texts = ["".join(signs) for length in range(6) for signs in product("abc", repeat=length)]
    matched = {glob: {text for text in texts if expression(glob, ".*").fullmatch(text)} for glob in few}
    for one, other in product(few, repeat=2):
        assert Glob(one).covers(Glob(other)) == (matched[other] <= matched[one]), (one, other)


@pytest.mark.parametrize(
    ("glob", "text", "is_match"),
    [
        ("https://h/e/*/.github/r.yml@refs/heads/main", "https://h/e/x/.github/r.yml@refs/heads/main", 1),
        ("https://h/e/*/.github/r.yml@refs/heads/main", "https://h/e/x/y/.github/r.yml@refs/heads/main", 0),
        ("https://github.com/e/a/*@refs/heads/main", "https://github.com/e/a/b@refs/tags/x@refs/heads/main", 0),
        ("*@example.com", "dev@example.com", 1),
        ("*@example.com", "dev@evil.example@example.com", 0),
        ("*@example.com", "@example.com", 0),
        ("https://h/*", "https://h/a?b", 0),
        ("a*", "a\n", 1),
        ("A", "a", 0),
    ],
)  # fmt: skip
def test_parts(glob: str, text: str, is_match: int) -> None:
    """A star stays within a part of an identity."""
    assert Glob(glob, in_parts=True).matches(text) == bool(is_match)


def test_many_stars() -> None:
    """What makes programs that try everything again take hours is answered at once."""
    assert not Glob("*a" * 500 + "b").matches("a" * 4000)
