"""One Chromium for all tests of a run; test files name this module in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.browser import Chromium


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """Return a browser; skip, loudly, where there is none."""
    from tests.support.browser import start_chromium

    yield from start_chromium()
