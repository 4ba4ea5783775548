"""What --verbose says of stores: whatever they can do, and however it is called."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from urllib3 import HTTPConnectionPool

import tiles.store
from tests.support.fault_server import serving
from tiles.store import Part
from tiles.store.memory import MemoryStore
from tiletree.traffic import SILENT, Traffic, lines_of, methods_of, said, watched, watched_kinds
from tiletree.ui import Output

# What a method of a store may be called, and the events and sums that a call of it makes.
EVENTS = {
    **dict.fromkeys(("read", "read_range", "read_each", "fetch", "fetch_anew", "fetch_range"), "read"),
    **dict.fromkeys(("create", "create_before_swap", "stage", "swap"), "written"),
    **dict.fromkeys(("delete", "delete_temps"), "deleted"),
    **dict.fromkeys(("list", "list_unknown", "folders"), "listed"),
}
GIVEN = {"objects": {"a": b"1"}, "path": "a", "data": b"1", "paths": ["a"], "names": ["a"], "prefix": "a/"}


@pytest.fixture
def out() -> Output:
    """Return an output that says everything."""
    out = Output()
    out.verbose = True
    return out


def modules() -> Iterator[Any]:
    """Yield the modules of stores."""
    for found in pkgutil.iter_modules(tiles.store.__path__, "tiles.store."):
        yield importlib.import_module(found.name)


def classes() -> set[type]:
    """Return all classes of stores."""
    return {kind for module in [tiles.store, *modules()] for kind in vars(module).values() if inspect.isclass(kind)}


def event_of(method: Any) -> str:
    """Return the event of a call of a method."""
    given = dict.fromkeys(inspect.signature(method).parameters)
    if "wanted" in given:
        return "read"
    return lines_of(method, {name: GIVEN.get(name) for name in given}, b"")[0].event


def protocols() -> dict[str, Any]:
    """Return the methods of all Protocols that a class which is watched keeps, by name."""
    own = [set(methods_of(kind)) for kind in watched_kinds()]
    found: dict[str, Any] = {}
    for kind in classes():
        if getattr(kind, "_is_protocol", False) and any(methods_of(kind).keys() <= names for names in own):
            found |= methods_of(kind)
    return found


def test_every_method_of_a_protocol_is_said() -> None:
    """Each is of the event that its name means here, or is silent; a new one needs a row here, and a word there."""
    every = protocols()
    assert {"read", "swap", "list_unknown", "read_each", "fetch_range", "fetch_anew", "barrier"} <= every.keys()
    assert {name: event_of(method) for name, method in every.items() if name not in SILENT} == {
        name: event for name, event in EVENTS.items() if name in every
    }


def test_every_method_of_a_store_is_said() -> None:
    """The same of what one kind of store can do and others cannot."""
    kinds = [*watched_kinds()]
    assert len(kinds) == 3
    for kind in kinds:
        methods = {name: method for name, method in methods_of(kind).items() if name not in SILENT}
        assert {name: event_of(method) for name, method in methods.items()} == {
            name: EVENTS.get(name) for name in methods
        }, kind


def test_every_kind_of_store_is_watched() -> None:
    """But for the one in memory, which no command opens."""
    stores = {
        kind
        for kind in classes()
        if methods_of(tiles.store.Store).keys() <= methods_of(kind).keys() and not getattr(kind, "_is_protocol", False)
    }
    assert stores - {*watched_kinds()} == {MemoryStore}


def test_what_nobody_has_thought_of_is_said(out: Output, capsys: pytest.CaptureFixture[str]) -> None:
    """A method under another name, one that takes other things, and one that fails; afterwards nothing is."""

    class Odd(MemoryStore):
        peruse = MemoryStore.read

        def shake(self, how: str) -> None:
            raise ValueError(how)

    store, traffic = Odd(), Traffic(out)
    store.create({"a": b"12"})
    with watched(traffic, Odd):
        assert store.peruse("a").data == b"12"
        with pytest.raises(ValueError, match="well"):
            store.shake("well")
    store.peruse("a")
    lines = [line.rpartition(",")[0] for line in capsys.readouterr().err.splitlines()]
    assert lines == ["read a of memory://log: 2 bytes", "shake of memory://log: failed (ValueError)"]
    assert (traffic.sums["read"], traffic.sums["read_bytes"]) == (1, 2)


def test_each_call_is_said_once(out: Output, capsys: pytest.CaptureFixture[str]) -> None:
    """By whatever way its arguments came, also if a method calls another one, and what is given once is not lost."""
    store, traffic = MemoryStore(), Traffic(out)
    with watched(traffic, MemoryStore):
        store.create(objects={"a": b"12", "b": b"3"})
        assert store.read_range("a", 0, 1, size=2) == Part(0, b"1")
        assert store.folders("") == []
        store.delete(path for path in ("a", "b"))
        assert not list(store.list(prefix=""))
    sums = {"written": 2, "written_bytes": 3, "read": 1, "read_bytes": 1, "listed": 2, "deleted": 2, "requests": 0}
    assert traffic.sums == sums
    assert len(capsys.readouterr().err.splitlines()) == 2 + 1 + 2 + 2


def test_every_request_is_said(out: Output, capsys: pytest.CaptureFixture[str]) -> None:
    """Also of a library that opens its connections by itself, as those of key services do; queries are left out."""
    with serving({"a": b"1"}) as server, said(out):
        host, _, port = server.url.removeprefix("http://").partition(":")
        with HTTPConnectionPool(host, int(port)) as pool:
            assert pool.urlopen("GET", "/a?token=secret", retries=False).status == 200
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first.startswith(f"GET {server.url}/a: 200, ")
    assert last.startswith("HTTP requests: 1; ")
