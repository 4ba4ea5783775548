"""Parts of objects in a bucket, where the store does not answer with just the part."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.object_server import ObjectServer
from tests.support.object_server_stores import open_on
from tiles.errors import AccessError, Denied
from tiles.store.bounded_gzip import encode
from tiles.store.ranges import Part

DATA = bytes(range(100))


@pytest.fixture
def s3() -> Iterator[ObjectServer]:
    """An S3 server, on which one may do everything."""
    with ObjectServer("s3", buckets=["bucket"], access={"tester": lambda _request: True}) as server:
        yield server


def test_the_part_alone_is_sent(s3: ObjectServer) -> None:
    """One request, for the part."""
    store = open_on(s3)
    store.create({"a": DATA})
    before = len(s3.requests)
    assert store.read_range("a", 10, 20, 100) == Part(10, DATA[10:20])
    assert [one.status for one in s3.requests[before:]] == [206]


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_what_is_encoded(s3: ObjectServer, encoding: str) -> None:
    """A part of encoded bytes is of no use: the whole is read, and refused if its encoding is none that is read."""
    s3.put("bucket", "log/a", encode(DATA) if encoding == "gzip" else DATA, **{"content-encoding": encoding})
    store = open_on(s3)
    if encoding == "gzip":
        assert store.read_range("a", 10, 20, 100) == Part(0, DATA)
    else:
        with pytest.raises(AccessError, match="encoding 'br'"):
            store.read_range("a", 10, 20, 100)


def test_a_part_that_is_not_there(s3: ObjectServer) -> None:
    """The store answers 416: the whole is what there is."""
    store = open_on(s3)
    store.create({"a": DATA})
    assert store.read_range("a", 100, 110, 110) == Part(0, DATA)


def test_no_such_bucket(s3: ObjectServer) -> None:
    """It is said, as for a whole object, and not that the object is not there."""
    with pytest.raises(AccessError, match="there is no such bucket"):
        open_on(s3, "nothing/log").read_range("a", 10, 20, 100)
    with pytest.raises(Denied):
        open_on(s3, who="stranger").read_range("a", 10, 20, 100)
