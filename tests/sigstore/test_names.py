"""Identities as keys: spelled in one way, and found by their parts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.certificate_texts import KEYS, WORKFLOW
from tiles.sigstore.names import identity_keys, parts_of, spelled

DOCUMENT = (Path(__file__).parents[2] / "docs" / "index-format.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("identity", KEYS)
def test_keys_of_an_identity(identity: str) -> None:
    """The whole comes first, and no key is there twice; what is spelled stays as it is."""
    keys = identity_keys((identity,))
    assert keys == KEYS[identity]
    assert spelled(keys[0]) == keys[0]
    assert set(parts_of(keys[0])) <= set(keys)


def test_several() -> None:
    """All wholes come before all parts, so that many parts of one hide no other identity."""
    assert identity_keys(("https://a/b", "X@a", "Y@a")) == ["https://a/b", "x@a", "y@a", "https://a", "@a"]


def test_the_example_of_the_document() -> None:
    """The keys that the document lists are these."""
    assert "    " + "\n    ".join(identity_keys((WORKFLOW.decode(),))) + "\n" in DOCUMENT
    assert re.search(r"one for `spiffe://Example\.org/ns/build`", DOCUMENT)
