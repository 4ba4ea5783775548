"""One Chromium for all tests of a run; test files name this module in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Return a browser; skip, loudly, where there is none."""
    from tests.support.browser import start_chromium

    yield from start_chromium()
