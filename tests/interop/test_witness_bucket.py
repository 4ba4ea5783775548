"""A witness whose state is in a bucket of another maker's server: many runs at once, and an object that is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.servers import SERVERS, Server, in_use
from tests.support.reference import printed_random
from tests.support.sampling import quickly
from tests.support.signed_text import ORIGIN
from tests.support.witness_race import Looking, race_processes, race_threads
from tests.support.witnessing import ask, begun, check_row, witness
from tiles.errors import Refused
from tiles.notes.witness_messages import seen_path
from tiles.store import Store
from tiles.store.open_bucket import open_object_store
from tiles.write.prepare import as_public

pytestmark = pytest.mark.interop

SECONDS = 60.0
PATH = seen_path(ORIGIN)


@pytest.fixture(scope="module", params=quickly(SERVERS, ["versitygw", "azurite"]))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Each server, running, and its credentials where they are looked for."""
    with in_use(request.param, tmp_path_factory.mktemp(request.param)) as running:
        yield running


def opened(server: Server, prefix: str) -> Store:
    """Open a place of a witness there."""
    return as_public(open_object_store(server.url(prefix)))


def test_many_threads(server: Server) -> None:
    """For some seconds, with one store or with one of their own, of a log that shows either history to anybody."""
    begun(opened(server, "threads"))
    looking = Looking(lambda: opened(server, "threads").read(PATH).data)
    with looking.on():
        race_threads(lambda: opened(server, "threads"), 5.0, printed_random())
    check_row(looking.contents)


def test_an_object_that_is_gone(server: Server) -> None:
    """What was begun is not begun anew."""
    store = opened(server, "gone")
    begun(store)
    ask(witness(store), 0, 200)
    store.delete([PATH])
    with pytest.raises(Refused, match="is gone: it says what was cosigned last"):
        ask(witness(opened(server, "gone")), 0, 200, "other")


@pytest.mark.slow
def test_many_processes_for_a_minute(server: Server, tmp_path: Path) -> None:
    """Eight `tiletree witness run` at a time, some killed, of a server that shows either history."""
    store = opened(server, "processes")
    race_processes(tmp_path, server.url("processes"), Looking(lambda: store.read(PATH).data), SECONDS, printed_random())
