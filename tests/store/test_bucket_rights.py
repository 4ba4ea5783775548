"""Stores of writers that may not do everything: what is denied is told from what is there already."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.object_server import ObjectServer
from tests.support.object_server_rules import Rule, anything
from tests.support.object_server_stores import open_on
from tiles.errors import Denied
from tiles.store import Differs


def creating_below(prefix: str, *also: str) -> Rule:
    """Allow to create below a prefix, and requests of these kinds everywhere."""
    return lambda request: request.kind in also or (request.kind == "PUT" and request.key.startswith(prefix))


@pytest.fixture
def server() -> Iterator[ObjectServer]:
    """Google Cloud Storage: an owner, a writer that creates and reads, and a submitter that only creates."""
    rights = {"tester": anything, "writer": creating_below("log/tile/", "GET", "HEAD", "LIST")}
    with ObjectServer("gcs", access={**rights, "submitter": creating_below("log/inbox/")}) as server:
        yield server


def test_what_is_there_already_counts_as_created(server: ObjectServer) -> None:
    """Whoever may create and not delete is denied both: to create again, and to overwrite. Neither changes anything."""
    writer = open_on(server, who="writer")
    writer.create({"tile/0/000": b"a"})
    writer.create({"tile/0/000": b"a", "tile/0/001": b"b"})
    with pytest.raises(Differs) as raised:
        writer.create({"tile/0/000": b"other"})
    assert (raised.value.found, open_on(server).read("tile/0/000").data) == (b"a", b"a")
    assert sorted(each.status for each in server.requests if each.kind == "PUT") == [200, 200, 403, 403]


def test_what_is_denied_is_said(server: ObjectServer) -> None:
    """Where nothing is there, or nobody may look, the denial is what is wrong."""
    for who, path in (("writer", "checkpoint"), ("submitter", "inbox/a"), ("submitter", "tile/0/000")):
        store = open_on(server, who=who)
        if path == "inbox/a":
            store.create({path: b"a"})
        with pytest.raises(Denied, match=rf"{path}: not allowed to create it"):
            store.create({path: b"a"})
