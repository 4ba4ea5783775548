"""Paths of objects: what every store takes, and refuses, before it does anything."""

from __future__ import annotations

import pytest

from tiles.errors import UsageError
from tiles.store.paths import TEMPS, check_path, check_prefix, is_path

PATHS = [
    "a",
    "checkpoint",
    "tile/0/x001/234.p/5",
    "a b",
    "a/.tmp",
    ".tmp2",
    "...",
    ".a",
    "\u00e9/\U0001f600",
    "a\\b",
    "-",
]
NO_PATHS = ["", "/", "/a", "a/", "a//b", ".", "..", "a/.", "./a", "a/../b", "a\0b", TEMPS, f"{TEMPS}/a", "\ud800"]


@pytest.mark.parametrize("path", PATHS)
def test_paths(path: str) -> None:
    """Any relative path of elements, and what is below it can be listed."""
    assert is_path(path)
    assert check_path(path) == path
    assert check_prefix(f"{path}/") == f"{path}/"


@pytest.mark.parametrize("path", NO_PATHS)
def test_no_paths(path: str) -> None:
    """Nothing that leads elsewhere, that two texts could mean, or that some store cannot keep."""
    assert not is_path(path)
    with pytest.raises(UsageError, match="is not the path of an object"):
        check_path(path)
    with pytest.raises(UsageError, match="is not a prefix"):
        check_prefix(f"{path}/")


def test_prefixes() -> None:
    """A prefix ends in a slash, or is empty."""
    assert check_prefix("") == ""
    with pytest.raises(UsageError, match="'ab' is not a prefix"):
        check_prefix("ab")
