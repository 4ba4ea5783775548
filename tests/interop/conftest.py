"""Fixtures: our Go programs, each built once, and a log that the command has written."""

from __future__ import annotations

import shutil
from itertools import pairwise

import pytest

from tests.interop.peers import ORIGIN, SIZES, Build, Logs, Program, build, lines, run_tiletree


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return what builds one of our Go programs, and skips the test if what it needs is not to be had."""
    directory = tmp_path_factory.mktemp("go")
    built: dict[str, Program | str] = {}

    def get(name: str) -> Program:
        if name not in built:
            built[name] = build(name, directory / name)
        found = built[name]
        if isinstance(found, str):
            pytest.skip(f"NOT TESTED against {name}: {found}")
        return found

    return get


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """Return a log that the command has written, at each of SIZES."""
    directory = tmp_path_factory.mktemp("logs")
    vkey = run_tiletree(directory, "init", "log", "--origin", ORIGIN, "--key", "key")["vkey"]
    shutil.copytree(directory / "log", directory / "log-0")
    for old, size in pairwise(SIZES):
        document = run_tiletree(directory, "add", "log", "--stdin-lines", "--key", "key", stdin=lines(old, size))
        assert document["size"] == size
        shutil.copytree(directory / "log", directory / f"log-{size}")
    policy = directory / "policy"
    policy.write_text(f"log {vkey}\nquorum none\n")
    return Logs(directory, vkey, directory / "key", policy)
