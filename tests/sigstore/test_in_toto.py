"""Statements: what they are about, and which are refused."""

from __future__ import annotations

import json
from hashlib import sha512
from typing import Any

import pytest

from tests.support.signed_bundles import ARTIFACT, STATEMENT, digests
from tiles.errors import Malformed
from tiles.sigstore.in_toto import MAX_SUBJECTS, parse_statement

HEX = digests()["SHA2_256"].hex()


def statement(**changes: Any) -> bytes:
    """Return a statement with other fields."""
    return json.dumps({**STATEMENT, **changes}).encode()


def test_subjects() -> None:
    """An artifact is told by any of its digests, whatever else there is to a subject; unknown fields are ignored."""
    found = parse_statement(statement(later=1))
    assert found.is_about(digests())
    assert not found.is_about(digests(b"another"))
    assert not found.is_about({"SHA2_512": digests()["SHA2_512"]})
    assert found.algorithms == {"SHA2_256"}
    other = {"name": "b", "digest": {"gitCommit": "v1", "sha512": sha512(ARTIFACT).hexdigest()}, "uri": "x"}
    found = parse_statement(statement(subject=[{"digest": {"sha256": "00" * 32}}, other]))
    assert found.is_about(digests())
    assert found.algorithms == {"SHA2_256", "SHA2_512"}
    assert [subject.name for subject in found.subjects] == ["", "b"]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another type": ({"_type": "https://in-toto.io/Statement/v2"}, "neither"),
    "no subject": ({"subject": []}, "about nothing"),
    "too many subjects": ({"subject": [{}] * (MAX_SUBJECTS + 1)}, "more than 10000"),
    "no digest": ({"subject": [{"name": "a", "digest": {}}]}, r"subject\[0\] has no digest"),
    "upper case": ({"subject": [{"digest": {"sha256": HEX.upper()}}]}, "not lower-case hexadecimal"),
    "a digest that is no text": ({"subject": [{"digest": {"sha256": 1}}]}, "is not a string"),
    "no predicate type": ({"predicateType": ""}, "predicateType has not 1 to"),
}


@pytest.mark.parametrize(("change", "problem"), REFUSED.values(), ids=REFUSED)
def test_refused(change: dict[str, Any], problem: str) -> None:
    """Malformed, which says what is wrong."""
    with pytest.raises(Malformed, match=problem):
        parse_statement(statement(**change))
