"""What `tiles.store.Store` promises, held for every store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from urllib.request import Request, urlopen

import pytest

from tests.support.object_server import ObjectServer
from tests.support.object_server_stores import moto_environment, open_on, open_with
from tests.support.sampling import quickly
from tests.support.store_contract_reading import *  # noqa: F403  the contract, held for the fixtures below
from tests.support.store_contract_writing import *  # noqa: F403
from tiles.store import Store
from tiles.store.directory import DirectoryStore
from tiles.store.memory import MemoryStore
from tiles.store.posix import Posix

STORES: dict[str, Callable[[pytest.FixtureRequest], Store]] = {
    "memory": lambda _: MemoryStore(),
    "directory": lambda request: DirectoryStore(request.getfixturevalue("tmp_path") / "log"),
    "directory, old system": lambda request: DirectoryStore(request.getfixturevalue("tmp_path") / "log", OldPosix()),
    "S3": lambda request: on_server(request, "s3"),
    "S3, gzip": lambda request: on_server(request, "s3", gzip=True),
    "GCS": lambda request: on_server(request, "gcs"),
    "GCS, gzip": lambda request: on_server(request, "gcs", gzip=True),
    "Azure": lambda request: on_server(request, "azure"),
    "S3, moto": lambda request: request.getfixturevalue("moto")(),
}
# moto checks a condition, and writes some time after: NOT TESTED there is that a race has one winner
LOCKED = [name for name in STORES if "moto" not in name]
QUICK = ["memory", "directory", "directory, old system", "S3, moto", "S3, gzip", "Azure"]


class OldPosix(Posix):
    """A system without syncfs, and without a rename that spares what is there."""

    def __init__(self) -> None:
        super().__init__()
        self.has_syncfs = self.has_renameat2 = False


def on_server(request: pytest.FixtureRequest, dialect: str, *, gzip: bool = False) -> Store:
    """Open a store on a new server, whose lists have small pages."""
    server = request.getfixturevalue("stack").enter_context(ObjectServer(dialect, page=4))
    return open_on(server, gzip=gzip)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What is to be left after the test."""
    with ExitStack() as one:
        yield one


@pytest.fixture(scope="session")
def moto() -> Iterator[Callable[[], Store]]:
    """What gives each test a bucket of its own on moto's server."""
    numbers = count()
    with moto_environment() as environment:

        def bucket() -> Store:
            name = f"bucket-{next(numbers)}"
            with urlopen(Request(f"{environment['AWS_ENDPOINT_URL']}/{name}", method="PUT"), timeout=10):
                return open_with(environment, f"s3://{name}/log")

        yield bucket


@pytest.fixture(params=quickly(STORES, QUICK))
def store(request: pytest.FixtureRequest) -> Store:
    """An empty store of each kind."""
    return STORES[request.param](request)


@pytest.fixture(params=quickly(LOCKED, QUICK))
def locked(request: pytest.FixtureRequest) -> Store:
    """An empty store of each kind of which several writers at once are tested."""
    return STORES[request.param](request)
