"""Node and the vectors, once for many tests; test files name this module in `pytest_plugins`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.node import Session
    from tests.support.web_verdicts import Verdicts


@pytest.fixture(scope="session")
def session() -> Iterator[Session]:
    """Return one process of Node for all tests of a run."""
    from tests.support.node import Session

    made = Session()
    yield made
    made.close()


@pytest.fixture(scope="session")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    """Return the vectors with the core's answers, made once for all processes of a run."""
    from tests.support.web_verdicts import verdicts_in

    folder = tmp_path_factory.getbasetemp()
    return verdicts_in(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)
