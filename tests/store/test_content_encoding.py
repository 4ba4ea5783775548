"""Which encodings of an object are undone, within which limits, and which are refused."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.support.encodings import READ, REFUSED, encoded
from tests.support.fault_server import gzip
from tests.support.object_server import ObjectServer
from tests.support.object_server_stores import open_on
from tiles.errors import AccessError, Malformed
from tiles.store import Store
from tiles.store.bucket import ObjectStore, Plain
from tiles.store.content_encoding import decode_all, decode_what_is, on_wire_after, times_encoded

DATA = random.Random(5).randbytes(3000) + bytes(3000)
LIMIT = len(DATA)


@pytest.mark.parametrize(("header", "times"), READ.items())
def test_what_is_read(header: str, times: int) -> None:
    """What is listed is undone as often as it is named; an object of exactly the limit is read, a longer one is not."""
    assert times_encoded(header, "x") == times
    sent = encoded(DATA, times)
    assert decode_all(sent, times, LIMIT) == decode_what_is(sent, times, LIMIT) == DATA
    assert len(sent) <= on_wire_after(times, LIMIT)
    if times:
        assert len(decode_all(sent, times, LIMIT - 1)) > LIMIT - 1
        with pytest.raises(Malformed):
            decode_all(sent[:-1], times, LIMIT)


@pytest.mark.parametrize(("header", "name"), REFUSED.items())
def test_what_is_refused(header: str, name: str) -> None:
    """Any other encoding is named, and so is the object."""
    with pytest.raises(AccessError, match=f"^s3://b/x: sent in the encoding '{name}', which is not read here$"):
        times_encoded(header, "s3://b/x")


def test_hostile_headers() -> None:
    """A header without an end is shown in part, and an object is not decoded without an end."""
    with pytest.raises(AccessError) as caught:
        times_encoded("x" * 100_000, "u")
    assert len(caught.value.message) < 120
    with pytest.raises(AccessError, match="encoded 5 times, and 4 are read at most"):
        times_encoded("gzip," * 5, "u")


@pytest.mark.parametrize("times", [1, 2, 4])
def test_bombs(times: int) -> None:
    """However often it was encoded, no more is decoded than a little more than there may be."""
    bomb = encoded(bytes(50_000_000), times)
    assert LIMIT < len(decode_all(bomb, times, LIMIT)) <= on_wire_after(times, LIMIT) + 1


def test_many_members() -> None:
    """Gzip of nothing, very often, takes no longer than something of its length."""
    assert decode_all(gzip(b"") * 200_000, 1, LIMIT) == b""


@pytest.mark.parametrize(("times", "left"), [(1, 0), (2, 1), (2, 0)])
def test_a_store_that_decodes_by_itself(times: int, left: int) -> None:
    """What a store has decoded already, though it names the encoding, is read as it is."""
    assert decode_what_is(encoded(DATA, left), times, LIMIT) == DATA


# ---- in a bucket


@pytest.fixture
def server() -> ObjectServer:
    """Return an S3 server, not started yet."""
    return ObjectServer("s3")


def stored(store: Store, header: str, data: bytes) -> None:
    """Put an object into a bucket under a Content-Encoding."""
    assert isinstance(store, ObjectStore)
    headers = {**Plain().headers, **({"Content-Encoding": header} if header else {})}
    store.served(lambda _path: replace(Plain(), headers=headers)).create({"a/b": data})


@pytest.mark.parametrize(("header", "times"), READ.items())
def test_a_bucket(server: ObjectServer, header: str, times: int) -> None:
    """An object in a bucket is read whatever harmless encoding it is stored under."""
    with server:
        store = open_on(server)
        stored(store, header.strip(" \t"), encoded(DATA, times))
        assert store.read("a/b", LIMIT).data == DATA
        with pytest.raises(AccessError, match=f"longer than {LIMIT - 1} bytes"):
            store.read("a/b", LIMIT - 1)


@pytest.mark.parametrize(("header", "name"), REFUSED.items())
def test_a_bucket_refuses(server: ObjectServer, header: str, name: str) -> None:
    """An object in a bucket under another encoding is refused; the message has its address and the encoding."""
    with server:
        store = open_on(server)
        stored(store, header, DATA)
        with pytest.raises(AccessError, match=f"^{store.url}/a/b: sent in the encoding '{name}'"):
            store.read("a/b", LIMIT)
