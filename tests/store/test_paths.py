"""Paths of objects: what every store can keep, and nothing that leads elsewhere."""

from __future__ import annotations

import pytest

from tiles.errors import UsageError
from tiles.store.paths import TEMPS, check_path, check_prefix, is_path


@pytest.mark.parametrize("path", ["a", "a/b", "tile/0/x001/234.p/5", "ä", "a b", "a..b/...", "%2e%2e/x", "-"])
def test_paths(path: str) -> None:
    """They are relative, and a prefix is one that ends in a slash."""
    assert is_path(path)
    assert check_path(path) == path
    assert check_prefix(f"{path}/") == f"{path}/"


@pytest.mark.parametrize(
    "path", ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\0b", "\udc80", TEMPS, f"{TEMPS}/a"]
)
def test_no_paths(path: str) -> None:
    """None of them can be an object, so none is asked for."""
    assert not is_path(path)
    with pytest.raises(UsageError):
        check_path(path)


@pytest.mark.parametrize("prefix", ["a", "/", "a//", "../", "./"])
def test_no_prefixes(prefix: str) -> None:
    """All objects are listed by the empty prefix."""
    assert check_prefix("") == ""
    with pytest.raises(UsageError):
        check_prefix(prefix)
