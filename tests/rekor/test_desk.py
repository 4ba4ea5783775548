"""A desk: entries of several clients are logged together, and each client is told of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Event
from typing import cast

import pytest

from tiles.errors import AccessError, NotLogged, Refused
from tiles.notes.tlog_proof import TlogProof
from tiles.parallel import in_background
from tiles.rekor import desk as module
from tiles.rekor.desk import Desk

Turn = Callable[[Sequence[bytes]], Mapping[bytes, TlogProof]]


def proof_of(entry: bytes) -> TlogProof:
    """Return what stands for the proof of an entry."""
    return cast("TlogProof", (entry,))


def proofs(entries: Sequence[bytes]) -> dict[bytes, TlogProof]:
    """Return the proofs of all these entries: they have been published."""
    return {entry: proof_of(entry) for entry in entries}


class Writer:
    """A writer whose turns a test decides: the first one waits until `go` is set."""

    def __init__(self, turn: Turn = proofs) -> None:
        self.trouble = ""
        self.go = Event()
        self.turns: list[list[bytes]] = []
        self.followed = 0
        self._turn = turn

    def turn(self, new: Sequence[bytes]) -> Mapping[bytes, TlogProof]:
        self.turns.append(list(new))
        self.go.wait(10)
        return self._turn(new)

    def follow(self) -> None:
        self.followed += 1


def until(what: Callable[[], object]) -> None:
    """Wait until something has come about, for as long as a test may."""
    end = time.monotonic() + 10
    while not what():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.fixture
def running() -> Iterator[Callable[..., Desk]]:
    """Return what starts a desk; at the end all are closed."""
    desks: list[tuple[Desk, Future[None]]] = []

    def start(writer: Writer, **options: object) -> Desk:
        desk = Desk(writer, **options)  # type: ignore[arg-type]
        desks.append((desk, in_background(desk.run)))
        return desk

    yield start
    for desk, future in desks:
        desk.close()
        future.result(10)


Running = Callable[..., Desk]


def ask(desk: Desk, writer: Writer, *entries: bytes) -> list[Future[TlogProof]]:
    """Ask for entries, by a client each, while the writer is at its first turn."""
    asked = [in_background(lambda: desk.log(b"first"))]
    until(lambda: writer.turns)
    asked += [in_background(partial(desk.log, entry)) for entry in entries]
    until(lambda: set(entries) <= set(desk._waiting))
    return asked


def test_what_waits_is_logged_together(running: Running) -> None:
    """What comes while a turn is under way is the next turn, all of it, in the order in which it came."""
    writer = Writer()
    desk = running(writer)
    asked = ask(desk, writer, *[b"%d" % number for number in range(20)])
    writer.go.set()
    assert [future.result(10) for future in asked[1:]] == [proof_of(b"%d" % number) for number in range(20)]
    assert writer.turns[0] == [b"first"]
    assert sorted(writer.turns[1]) == sorted(b"%d" % number for number in range(20))
    until(lambda: writer.followed == 2)


def test_one_entry_of_many_clients(running: Running) -> None:
    """An entry that is asked for while it is waited for is in one turn only, and all are told."""
    writer = Writer()
    desk = running(writer)
    asked = ask(desk, writer, *[b"same"] * 8, b"first", b"first")
    writer.go.set()
    assert {future.result(10) for future in asked} == {proof_of(b"first"), proof_of(b"same")}
    assert writer.turns == [[b"first"], [b"same"]]


def test_who_waits_too_long(running: Running) -> None:
    """A client is told in time that it has to ask again, and why; it is answered then, and nothing is logged twice."""
    writer = Writer()
    writer.trouble = "the bucket is away"
    desk = running(writer, patience=0.01)
    with pytest.raises(NotLogged, match=r"ask again, and it is not logged twice; the bucket is away"):
        desk.log(b"entry")
    asked = in_background(lambda: desk.log(b"entry"))
    writer.go.set()
    desk._patience = 10
    assert asked.exception(10) is not None or asked.result() == proof_of(b"entry")
    assert writer.turns[0] == [b"entry"]


def test_a_turn_that_fails(running: Running) -> None:
    """Those of a turn that fails are told why; those that came meanwhile are logged by the next one."""
    calls = iter([Refused("the log is frozen"), None])

    def turn(new: Sequence[bytes]) -> dict[bytes, TlogProof]:
        if error := next(calls):
            raise error
        return proofs(new)

    writer = Writer(turn)
    desk = running(writer)
    first, later = ask(desk, writer, b"later")
    writer.go.set()
    with pytest.raises(Refused, match="frozen"):
        first.result(10)
    assert later.result(10) == proof_of(b"later")


def test_a_fault_of_ours(running: Running) -> None:
    """Whatever a turn raises, its clients are told, and the desk goes on."""
    calls = iter([KeyError("x"), None])

    def turn(new: Sequence[bytes]) -> dict[bytes, TlogProof]:
        if error := next(calls):
            raise error
        return proofs(new)

    writer = Writer(turn)
    writer.go.set()
    desk = running(writer)
    with pytest.raises(KeyError):
        desk.log(b"1")
    assert desk.log(b"2") == proof_of(b"2")


def test_what_is_published_later(running: Running) -> None:
    """What a turn has not published is looked for by further turns, without anything new in them."""
    held: list[bytes] = []

    def turn(new: Sequence[bytes]) -> dict[bytes, TlogProof]:
        held.extend(new)
        return proofs(held) if not new else {}

    writer = Writer(turn)
    writer.go.set()
    assert running(writer, pause=(0.001, 0.002)).log(b"entry") == proof_of(b"entry")
    assert writer.turns == [[b"entry"], []]


def test_closing(running: Running) -> None:
    """What has come is logged when the desk is closed; what is not published then, and what comes later, is told."""
    writer = Writer(lambda new: proofs([entry for entry in new if entry != b"slow"]))
    desk = running(writer)
    first, slow, last = ask(desk, writer, b"slow", b"last")
    desk.close()
    writer.go.set()
    assert (first.result(10), last.result(10)) == (proof_of(b"first"), proof_of(b"last"))
    with pytest.raises(AccessError, match="what it submitted may still be logged"):
        slow.result(10)
    with pytest.raises(AccessError, match="the shim is ending"):
        desk.log(b"more")


def test_too_many(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than so many entries are waited for; one of those that are may be asked for all the same."""
    monkeypatch.setattr(module, "MAX_WAITING", 2)
    writer = Writer()
    desk = running(writer)
    asked = ask(desk, writer, b"second", b"second")
    with pytest.raises(AccessError, match="2 entries are being logged"):
        desk.log(b"third")
    writer.go.set()
    assert len({future.result(10) for future in asked}) == 2
