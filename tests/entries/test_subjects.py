"""What an attestation that is logged as it is is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.attestation_texts import ATTESTATIONS, EXAMPLE
from tiles.entries.kinds import kind_of
from tiles.entries.subjects import subjects_in

DOCUMENT = (Path(__file__).parents[2] / "docs" / "index-format.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("entry", ATTESTATIONS, ids=lambda entry: repr(entry[:60]))
def test_subjects(entry: bytes) -> None:
    """Its subjects' digests, in order, each once; anything else is about nothing. It is raw in any case."""
    assert [digest.hex() for digest in subjects_in(entry)] == ATTESTATIONS[entry]
    assert kind_of(entry).name == "raw"


def test_the_example_of_the_document() -> None:
    """The document shows one that is about something."""
    assert f"    {EXAMPLE}\n" in DOCUMENT
    assert ATTESTATIONS[EXAMPLE.encode()] == ["ab" * 32]
