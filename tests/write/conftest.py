"""Fixtures of the tests of writing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.world import World


@pytest.fixture(params=["memory", "directory"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """Return an empty world."""
    return World(None if request.param == "memory" else tmp_path)
