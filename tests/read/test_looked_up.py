"""An entry of a checksum database, by module and version: a lookup is never believed."""

from __future__ import annotations

import pytest

from tests.support.other_logs import SUMDB_KEY, SUMDB_ORIGIN, record, sumdb
from tests.support.readers import Objects
from tiles.errors import AccessError, LogError, NotLogged
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.read.layouts import SUMDB
from tiles.read.looked_up import look_up


def client(objects: dict[str, bytes]) -> LogClient:
    """Return what reads a checksum database."""
    return LogClient(Objects(objects), policy_for(SUMDB_KEY.verifier, SUMDB_ORIGIN), log_format=SUMDB)


def test_lookup() -> None:
    """A lookup says which entry to read, and the entry is believed as any other."""
    assert look_up(client(sumdb(300)), "example.com/m2@v1.0.0") == (2, record(2))
    with pytest.raises(NotLogged):
        look_up(client(sumdb(300)), "example.com/m2@v1.0.1")


WRONG_LOOKUPS = {
    "another record": (lambda data: data.replace(b"m1 ", b"m2 "), LogError, "something else"),
    "another hash": (lambda data: data.replace(b"AAA", b"CCC"), LogError, "another text"),
    "another entry": (lambda data: b"2" + data[1:], LogError, "another text"),
    "one to come": (lambda data: b"300" + data[1:], AccessError, "300 entries"),
    "no number": (lambda data: b"x" + data[1:], LogError, "lookup"),
    "no checkpoint": (lambda data: data.partition(b"\n\n")[0], LogError, "checkpoint"),
    "a web page": (lambda _data: b"<!DOCTYPE html><html></html>", AccessError, "web page"),
}


@pytest.mark.parametrize(("change", "kind", "words"), WRONG_LOOKUPS.values(), ids=WRONG_LOOKUPS.keys())
def test_wrong_lookups(change: object, kind: type[Exception], words: str) -> None:
    """Nothing that a lookup says is taken for true."""
    objects = sumdb(300)
    path = "lookup/example.com/m1@v1.0.0"
    objects[path] = change(objects[path])  # type: ignore[operator]
    with pytest.raises(kind, match=words):
        look_up(client(objects), "example.com/m1@v1.0.0")
