"""Rules of an admission policy: one line for one rule, and names that admit what docs/admission.md says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.malformed import accept_or_refuse
from tiles.entries import kinds
from tiles.errors import Malformed, UsageError
from tiles.inbox.rules import KINDS, Rule, parse_rule
from tiles.sigstore.glob import Glob

DOCUMENT = (Path(__file__).parents[2] / "docs" / "admission.md").read_text(encoding="utf-8")
HEX = "0123456789abcdef" * 4
LINES = (
    "allow blinded anyone",
    "allow raw anyone",
    f"allow revocation key {HEX}",
    f"allow hashedrekord key {HEX} predicate https://slsa.dev/provenance/v1",
    "allow hashedrekord identity *@example.com issuer https://oidc.example.com",
    "allow hashedrekord identity https://github.com/*/*/w.yml@refs/* issuer https://*.example.com predicate a:b",
)
WHAT = "tiletree-admission/v1"


@pytest.mark.parametrize("line", LINES)
def test_a_line(line: str) -> None:
    """A rule is read, and has the line that was read."""
    assert parse_rule(line, WHAT).line == line


def test_the_kinds() -> None:
    """Rules know the kinds of entries by the names that they have everywhere; the document has them all."""
    assert set(KINDS) == {kind.name for kind in kinds.KINDS}
    assert all(f"`{kind}`" in DOCUMENT for kind in KINDS)


WORDS = st.sampled_from(["*", "a", "a@b", "a b", "*@example.com", "**", "/*/*", "é", "", HEX, "https://a.example/*"])


@given(st.sampled_from([*KINDS, "", "Raw"]), WORDS, WORDS, WORDS, WORDS)
def test_round_trip(kind: str, key: str, identity: str, issuer: str, predicate: str) -> None:
    """Whatever a rule can say is read back; all else is a wrong call."""
    try:
        rule = Rule(kind, key, identity, issuer, predicate)
    except UsageError:
        return
    assert parse_rule(rule.line, WHAT) == rule


@given(st.text() | st.builds(str.__add__, st.sampled_from(LINES), st.text(max_size=9)))
@example("allow raw anyone predicate x")
def test_arbitrary_text_is_a_rule_or_our_error(text: str) -> None:
    """A text that nobody wrote gives Malformed, or the rule whose line it is."""
    accept_or_refuse(lambda data: parse_rule(data.decode(), WHAT), lambda rule: rule.line.encode(), text.encode())


@pytest.mark.parametrize(
    "line",
    [
        "allow",
        "allow ",
        "allow raw",
        "allow raw  anyone",
        "allow raw anyone ",
        "allow any anyone",
        "allow Raw anyone",
        "allow raw everyone",
        f"allow raw key {HEX}",
        f"allow file key {HEX}",
        "allow revocation identity a issuer b",
        "allow hashedrekord anyone predicate a:b",
        f"allow revocation key {HEX} predicate a:b",
        f"allow hashedrekord key {HEX.upper()}",
        f"allow hashedrekord key {HEX[:-1]}",
        f"allow hashedrekord key {HEX} anyone",
        "allow hashedrekord key",
        "allow hashedrekord identity a",
        "allow hashedrekord issuer a",
        "allow hashedrekord issuer b identity a",
        "allow hashedrekord identity a b issuer c",
        "allow hashedrekord identity ** issuer c",
        "allow hashedrekord identity a*b*c issuer c",
        "allow hashedrekord identity a issuer *b*",
        "allow hashedrekord identity \u00e9 issuer c",
        f"allow hashedrekord identity {'a' * 1025} issuer c",
        "allow hashedrekord identity a issuer c predicate",
        "Allow raw anyone",
    ],
)
def test_almost_a_rule(line: str) -> None:
    """One wrong thing each."""
    with pytest.raises(Malformed, match=rf"^malformed {WHAT}"):
        parse_rule(line, WHAT)


def documented() -> list[tuple[str, str, bool]]:
    """Return name, text and whether that is admitted, of each example in the table of names."""
    table = DOCUMENT.split("| name | admits | does not admit |\n|---|---|---|\n", 1)[1].split("\n\n", 1)[0]
    found = []
    for row in table.splitlines():
        name, admitted, not_admitted = ([*re.findall(r"`([^`]+)`", cell)] for cell in row.split("|")[1:4])
        found += [
            (name[0], text, is_it) for texts, is_it in ((admitted, True), (not_admitted, False)) for text in texts
        ]
    return found


@pytest.mark.parametrize(
    ("name", "text", "is_it"),
    [
        *documented(),
        ("*", "a", True),
        ("*", "", False),
        ("*", "a/b", False),
        ("*", "a@b", False),
        ("*", "a?b", False),
        ("*", "a#b", False),
        ("a*c", "abc", True),
        ("a*c", "ac", False),
        ("ab*ba", "aba", False),
        ("ab*ba", "abcba", True),
        ("*@*", "a@b", True),
        ("a", "a\n", False),
        ("a", "A", False),
        ("https://*/a", "https:///a", False),
    ],
)
def test_names(name: str, text: str, is_it: bool) -> None:
    """A * stands for one or more characters of one part, and all else for itself."""
    assert Glob(name, in_parts=True).matches(text) is is_it


def test_the_document_has_examples() -> None:
    """The table above is read."""
    assert len(documented()) == 11


def test_both_names_count() -> None:
    """An identity with another issuer is somebody else."""
    rule = Rule("hashedrekord", identity="*@example.com", issuer="https://oidc.example.com")
    assert rule.is_of("a@example.com", "https://oidc.example.com")
    assert not rule.is_of("a@example.com", "https://evil.example")
    assert not rule.is_of("a@example.com", "")
    assert not rule.is_of("a@evil.example", "https://oidc.example.com")
    assert not Rule("raw").is_of("", "")
