"""The store in memory: its clock, and that each step of it is atomic. The contract is in `test_contract`."""

from __future__ import annotations

import threading

from tests.support.store_threads import at_once
from tiles.store import Differs
from tiles.store.memory import MemoryStore


def test_clock() -> None:
    """The memory store takes its times from the clock it is given, or numbers what is written."""
    counted, timed = MemoryStore(), MemoryStore("other", clock=lambda: 1234.5)
    for each in (counted, timed):
        each.create({"a": b"", "b": b""})
        each.swap("a", b"x", each.read("a").version)
    assert [listed.modified for listed in counted.list("")] == [3.0, 2.0]
    assert [listed.modified for listed in timed.list("")] == [1234.5, 1234.5]
    assert (counted.url, timed.url) == ("memory://log", "memory://other")


def test_create_is_atomic() -> None:
    """Nobody gets in between finding that an object is not there and putting it there."""
    outcomes: list[object] = []

    def other() -> None:
        outcomes.extend(at_once([lambda: store.create({"a": b"other"})]))

    def clock() -> float:
        if not thread.ident:
            thread.start()
            thread.join(0.05)  # it gets nowhere; without the lock it is done by then
        return 0.0

    thread = threading.Thread(target=other)
    store = MemoryStore(clock=clock)
    store.create({"a": b"first"})
    thread.join()
    assert isinstance(outcomes[0], Differs)
    assert store.read("a").data == b"first"
