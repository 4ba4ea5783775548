"""Fixtures that more than one test file needs."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

# their asserts say what they compared, as those of test files do
pytest.register_assert_rewrite("tests.support.store_contract_reading", "tests.support.store_contract_writing")

pytest_plugins = ["tests.support.command_line", "tests.support.bucket_logs"]

# a loaded machine is no failure; a failure is printed with what makes it again
settings.register_profile("tiletree", deadline=None, print_blob=True)
settings.load_profile("tiletree")

# what is made while tests are collected lasts, and to look through it again and again finds nothing to collect
gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests: a process that begins one at the end leaves the others without work."""
    items.sort(key=lambda item: item.get_closest_marker("longest") is None)


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what lives as long as the run: thousands of tests, and all modules."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Let one process more run than there are cores: many tests wait for a browser, a server, a pause."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def shared_vectors() -> Path:
    """Return the folder of test data that other projects made; skip the test where it is missing."""
    path = Path(__file__).parents[2] / "shared" / "vectors"
    if not path.is_dir():
        pytest.skip(f"NOT TESTED against other projects' data: there is no {path}")
    return path
