"""Regular expressions: the texts that Python's `re` matches, and no time to wait for."""

from __future__ import annotations

import random
import re

import pytest

from tests.support.reference import printed_random
from tests.support.sampling import soaking
from tiles.errors import UsageError
from tiles.sigstore.pattern import MAX_TEXT, parse_pattern

MATCHES: dict[str, tuple[list[str], list[str]]] = {
    r"https://github\.com/example/.*": (
        ["https://github.com/example/", "https://github.com/example/app/.github/x@refs/tags/v1"],
        ["https://github.com/example", "https://githubXcom/example/", "https://evil/?https://github.com/example/"],
    ),
    r"^dev@example\.com$": (["dev@example.com"], ["dev@example.com.evil", "xdev@example.com", "dev@example.com\n"]),
    r"^a$|^b$": (["a", "b"], ["ab", "a|b", ""]),
    r"(?i)Dev@Example\.com": (["dev@example.com", "DEV@EXAMPLE.COM"], ["dev@example.org"]),
    r"[\w.+-]+@(?:eng|ops)\.example\.com": (["a.b+c@eng.example.com"], ["@eng.example.com", "ab@dev.example.com"]),
    r"v\d{1,3}(\.\d+){2}": (["v1.2.3", "v100.20.30"], ["v1.2", "v1000.2.3", "v1.2.3.4", "v١.2.3"]),
    r"[^@/]{2,}?": (["ab", "abc"], ["a", "a@", "a/b"]),
    r"a\$b\^": (["a$b^"], ["ab"]),
    r"\\\$": (["\\$"], ["$"]),
    r"a?(b|)": (["", "a", "ab", "b"], ["bb"]),
    "": ([""], ["a"]),
}


@pytest.mark.parametrize("expression", MATCHES)
def test_what_matches(expression: str) -> None:
    """The whole text, and nothing but it."""
    pattern = parse_pattern(expression)
    yes, no = MATCHES[expression]
    assert [text for text in yes if not pattern.matches(text)] == []
    assert [text for text in no if pattern.matches(text)] == []


def test_what_is_found() -> None:
    """Part of a text, which never is a match here."""
    pattern = parse_pattern(r"https://github\.com/example/")
    assert pattern.finds("see https://github.com/example/app")
    assert not pattern.matches("see https://github.com/example/app")
    assert not pattern.finds("https://github.com/other/")


REFUSED: dict[str, str] = {
    "(?=a)": r"only \(\?:…\)",
    "(?P<n>a)": r"only \(\?:…\)",
    r"(a)\1": "cannot stand there",
    r"\bword": "cannot stand there",
    r"\pL": "cannot stand there",
    "a**": "a repetition of a repetition",
    "*a": "cannot stand there",
    "a|+": "cannot stand there",
    "(a": "is not closed",
    "a)": "nothing is open",
    "a^b": "cannot stand there",
    "a$b": "cannot stand there",
    "(^a)": "cannot stand there",
    "[a": "cannot stand there",
    "[]": "cannot stand there",
    "[z-a]": "bad character range",
    "[[:alpha:]]": "cannot stand there",
    "[a--b]": "cannot stand there",  # of which Python warns
    r"[\Z]": "cannot stand there",
    "a{3,2}": "fewer than none",
    "a{9999}": "too many repetitions",
    "((a{100}){100}){100}": "too many repetitions",
    "{": "cannot stand there",
    "\\": "cannot stand there",
    "(" * 60 + ")" * 60: "too many groups inside",
    "x" * 1001: "1000 are the most",
    "(a{500}){4}x": "more than 2000 states",
}


@pytest.mark.parametrize("expression", REFUSED, ids=[each[:20] for each in REFUSED])
def test_what_is_refused(expression: str) -> None:
    """UsageError, which says why: the expression is the caller's."""
    with pytest.raises(UsageError, match=REFUSED[expression]):
        parse_pattern(expression)


def test_no_text_takes_long() -> None:
    """Expressions for which `re` needs more time than there is; a text that is too long does not match."""
    for expression in ("(a+)+b", "(a|a)*b", "(.*)*x", "(a?){40}a{40}b", "(x+x+)+y|(a*)*b"):
        pattern = parse_pattern(expression)
        assert not pattern.matches("a" * 1000)
        assert not pattern.finds("a" * 1000)
    assert parse_pattern("a*").matches("a" * MAX_TEXT)
    assert not parse_pattern("a*").matches("a" * (MAX_TEXT + 1))


def expression_of(rng: random.Random, depth: int = 3) -> str:
    """Return an expression that both understand, not so deep that `re` takes minutes for seven characters."""
    kind = rng.randrange(9 if depth else 4)
    if kind < 4:
        return rng.choice(("a", "b", "1", ".", "[ab]", "[^a]", r"\w", r"\d", r"\.", r"[a-c\d]", "A"))
    inner = expression_of(rng, depth - 1)
    if kind < 6:
        return inner + expression_of(rng, depth - 1)
    if kind == 6:
        return f"({inner}|{rng.choice(('', expression_of(rng, depth - 1)))})"
    return f"(?:{inner})" + rng.choice(("*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "{0,2}?", "{0}"))


@pytest.mark.parametrize("count", [60, pytest.param(soaking(3000, 100_000), marks=pytest.mark.slow)])
def test_python_agrees(count: int) -> None:
    """On expressions that are made at random, and short texts, for which `re` has the time."""
    rng = printed_random()
    matched = 0
    for _ in range(count):
        expression = rng.choice(("", "", "(?i)")) + expression_of(rng)
        ours, theirs = parse_pattern(expression), re.compile(expression, re.ASCII)
        for _ in range(6):
            text = "".join(rng.choice("abcA1.") for _ in range(rng.randrange(8)))
            assert ours.matches(text) == bool(theirs.fullmatch(text)), (expression, text)
            assert ours.finds(text) == bool(theirs.search(text)), (expression, text)
            matched += ours.matches(text)
    assert matched
