"""Taking out of the inbox what is decided: what cannot be deleted is said, and costs little."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest

from tests.support.faults import Passing
from tiles.errors import AccessError, Refused
from tiles.inbox import clearing
from tiles.inbox.clearing import clear, gone
from tiles.inbox.naming import name_in_batch
from tiles.store.memory import MemoryStore


class Held(Passing):
    """A store in which some objects cannot be deleted, or are deleted without a reply."""

    def __init__(self, held: Iterable[str] = (), silent: Iterable[str] = (), error: Exception | None = None) -> None:
        super().__init__(MemoryStore("private"), "private")
        self.held = {*held}
        self.silent = {*silent}
        self.error = error or AccessError("held on purpose")
        self.calls = 0

    def delete(self, paths: Iterable[str]) -> None:
        self.calls += 1
        for path in paths:
            if path in self.held:
                raise self.error
            super().delete([path])
            if path in self.silent:
                raise self.error


def filled(store: Held, names: Iterable[str]) -> list[str]:
    """Put objects there, and return how a batch names them."""
    found = []
    for name in names:
        store.create({f"inbox/{name}": b"x"})
        found.append(name_in_batch(name))
    return found


@pytest.mark.parametrize("error", [AccessError("no"), Refused("a link is in the way")])
@pytest.mark.parametrize("names", [["a/1", "a/2", "b/1"], ["a/1 ", "a/ä", "x y", "b/1"]])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_one_that_cannot_be_deleted(names: list[str], which: int, error: Exception) -> None:
    """All others go, and it is named."""
    store = Held([f"inbox/{names[which]}"], error=error)
    named = filled(store, names)
    assert clear(store, named) == (named[which],)
    assert [listed.path for listed in store.list("")] == [f"inbox/{names[which]}"]
    assert set(gone(store, named)) == {*named} - {named[which]}


def test_a_deletion_without_a_reply() -> None:
    """Whether it was done is not known: asked once more, what is not there counts as deleted."""
    store = Held(silent=["inbox/a/1"])
    assert clear(store, filled(store, ["a/1"])) == ("a/1",)
    assert gone(store, ["a/1"]) == ["a/1"]


def test_what_is_hopeless_is_not_tried_for_ever() -> None:
    """A submitter with thousands of objects that cannot be deleted costs hundreds of requests, and harms no other."""
    store = Held([f"inbox/eve/{n}" for n in range(5000)])
    named = filled(store, [*(f"eve/{n}" for n in range(5000)), *(f"zoe/{n}" for n in range(100))])
    assert set(clear(store, named)) == {*named[:5000]}
    assert store.calls < 300


def test_slow_deletions_come_to_an_end() -> None:
    """After a time the rest is left as it is, for gc."""
    store = Held(["inbox/eve/0"])
    named = filled(store, [f"eve/{n}" for n in range(64)])
    ticks = itertools.count(step=40)
    assert len(clear(store, named, lambda: float(next(ticks)))) > 1


def test_what_cannot_be_looked_for_is_not_taken_for_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a folder that is listed in part it is not known what is not in it."""
    store = Held()
    named = filled(store, [f"eve/{n} " for n in range(10)])
    monkeypatch.setattr(clearing, "MOST_LISTED", 4)
    assert gone(store, named) == []
    assert set(clear(store, named)) == {*named[4:]}
    assert gone(store, [*named, name_in_batch("zoe/a b")]) == [name_in_batch("zoe/a b")]
