"""Records of what is decided: one name has one form, and nothing else is taken for it."""

from __future__ import annotations

import pytest

from tiles.errors import Malformed
from tiles.records.decided import format_decided, parse_decided
from tiles.records.paths import decided_digest, decided_path


@pytest.mark.parametrize("name", ["ann/x", "x" * 512, f"eve/.odd/{'0' * 64}"])
def test_there_and_back(name: str) -> None:
    """A record says its name; its path says its digest."""
    assert parse_decided(format_decided(name)) == name
    assert decided_digest(decided_path("ab" * 32)) == "ab" * 32


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"tiletree-decided/v1\n",
        b"tiletree-decided/v1\nsubmission \n",
        b"tiletree-decided/v1\nsubmission a/b",
        b"tiletree-decided/v1\nsubmission a/b\nsubmission a/c\n",
        b"tiletree-decided/v1\nname a/b\n",
        b"tiletree-decided/v2\nsubmission a/b\n",
        b"tiletree-decided/v1\nsubmission a\x00b\n",
        b"tiletree-decided/v1\nsubmission " + b"x" * 1024 + b"\n",
    ],
)
def test_anything_else(data: bytes) -> None:
    """Whatever is no such record is malformed."""
    with pytest.raises(Malformed):
        parse_decided(data)


@pytest.mark.parametrize("path", ["decided/", f"decided/{'AB' * 32}", f"decided/{'ab' * 32}/x", "ab" * 32])
def test_not_the_path_of_a_record(path: str) -> None:
    """Any other path has no digest."""
    assert decided_digest(path) is None
