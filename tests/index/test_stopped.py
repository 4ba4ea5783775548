"""The list of indexes that the owner of a log has given up."""

from __future__ import annotations

import pytest

from tests.support.faults import GatedStore
from tiles.errors import Conflict, Malformed
from tiles.index.stopped import change_stopped, stopped_kinds
from tiles.records.paths import STOPPED_INDEXES
from tiles.retry import Clock
from tiles.store.memory import MemoryStore

CLOCK = Clock(sleep=lambda _: None)


def test_stopped_and_resumed() -> None:
    """What was given up stays so until it is taken up again; where nothing changes, nothing is written."""
    store = MemoryStore()
    assert change_stopped(store, CLOCK, resume=["leaf/1"]) == stopped_kinds(store) == frozenset()
    assert not list(store.list(""))
    assert change_stopped(store, CLOCK, stop=["name/1", "acme.build/1"]) == {"acme.build/1", "name/1"}
    assert store.read(STOPPED_INDEXES).data == b"acme.build/1\nname/1\n"
    before = store.read(STOPPED_INDEXES)
    assert change_stopped(store, CLOCK, stop=["name/1"]) == stopped_kinds(store)
    assert store.read(STOPPED_INDEXES) == before
    assert change_stopped(store, CLOCK, stop=["leaf/1"], resume=["name/1"]) == {"acme.build/1", "leaf/1"}
    assert change_stopped(store, CLOCK, resume=["leaf/1", "acme.build/1"]) == stopped_kinds(store) == frozenset()


def test_two_at_once() -> None:
    """Neither change is lost; if others change it all the time, that is said."""
    store, others = MemoryStore(), iter(["leaf/1"])

    def gate(what: str) -> None:
        if what.startswith("private swap") and (other := next(others, None)):
            change_stopped(store, CLOCK, stop=[other])

    assert change_stopped(GatedStore(store, "private", gate), CLOCK, stop=["name/1"]) == {"leaf/1", "name/1"}
    others = iter([f"a/{number}" for number in range(1, 999)])
    with pytest.raises(Conflict, match="changes all the time"):
        change_stopped(GatedStore(store, "private", gate), CLOCK, stop=["sha256/1"])


@pytest.mark.parametrize("data", [b"x\n", b"leaf/1\n\n", b"\xff", b"leaf/1 name/1\n"])
def test_no_list(data: bytes) -> None:
    """Anything else is refused."""
    store = MemoryStore()
    store.create({STOPPED_INDEXES: data})
    with pytest.raises(Malformed):
        stopped_kinds(store)
