"""A round of a monitor: what is new is verified and told, exactly once in what is kept; a log that lies is named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.fault_server import Answer, body, cut, hang_up, serving, status
from tests.support.monitors import EVERY, Places, Told, tampered
from tests.support.readers import OTHER_KEY, POLICY, Objects, entry, make_log
from tests.support.reference import flipped
from tests.support.signed_text import LOG
from tiles.errors import (
    AccessError,
    ForkError,
    HistoryUnknown,
    LogError,
    NotFound,
    PolicyError,
    Refused,
    SignatureError,
    TileError,
    TilesError,
)
from tiles.notes.fork_evidence import check_fork
from tiles.read import http_fetcher
from tiles.read.http_fetcher import HttpFetcher
from tiles.read.trust import FIRST_USE
from tiles.tree.merkle import leaf_hash
from tiles.user.pinned import Pinned
from tiles.watch import monitor_reading, monitor_state
from tiles.watch.monitor import Monitor, Watched
from tiles.watch.monitor_match import Sought, parse_pattern
from tiles.watch.monitor_state import Begin


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Places:
    """Return where logs are put."""
    return Places(monkeypatch, tmp_path)


def lines(start: int, stop: int, tag: str = "entry") -> list[bytes]:
    """Return what is told of entries."""
    return [b'%d "%s"\n' % (index, entry(index, tag)) for index in range(start, stop)]


# ---- what is new is read, once


def test_a_log_that_grows(places: Places) -> None:
    """Each round tells what came since the last one; what is kept has every entry once."""
    read = 0
    for sizes in ((), (5,), (5, 5), (5, 300), (5, 300, 520), (5, 300, 520, 1025)):
        places.there["log"] = Objects(make_log(*sizes))
        told = Told()
        done = places.round(told)
        size = max(sizes, default=0)
        assert (done.start, done.next, done.found, done.tree.size) == (read, size, size - read, size)
        assert told.lines == lines(read, size)
        read = size
    assert places.kept == lines(0, 1025)


def test_begun_with_what_is_new(places: Places) -> None:
    """Nothing that is there is read; what comes later is. A log that was begun goes on where it was."""
    new = replace(EVERY, begin=Begin.NEW)
    places.there["log"] = fetcher = Objects(make_log(300))
    assert places.round(watched=new).next == 300
    assert not [path for path in fetcher.asked if path.startswith("tile/")]
    places.there["log"] = Objects(make_log(300, 302))
    places.round(watched=new)
    assert places.kept == lines(300, 302)


def test_a_log_without_a_state_is_refused(places: Places) -> None:
    """Nothing is begun silently, and nothing is left behind."""
    places.there["log"] = Objects(make_log(3))
    with pytest.raises(Refused, match=r"has no state of log\.example\.com") as caught:
        places.round(watched=replace(EVERY, begin=None))
    assert "--begin" in caught.value.hint
    assert not places.directory.exists()


def test_a_key_that_cannot_be_remembered(places: Places) -> None:
    """A log whose key is only what it shows is not watched: it could show another one in each round."""
    places.there["log"] = Objects(make_log(3))
    made = Monitor("log", lambda *_: Pinned(POLICY, FIRST_USE, "no room"), places.directory, EVERY)
    with pytest.raises(Refused, match="cannot be remembered: no room"):
        made.round(Told())


def test_only_what_is_looked_for(places: Places) -> None:
    """Entries that nobody looks for are read, and neither told nor kept."""
    places.there["log"] = Objects(make_log(300))
    nine = parse_pattern(f"leaf/1={leaf_hash(entry(9)).hex()}")
    done = places.round(watched=Watched(Sought((nine,)), begin=Begin.FIRST))
    assert (done.next, done.found) == (300, 1)
    assert places.kept == [b'9 "%s"\n' % entry(9)]
    assert places.round(watched=Watched(Sought(), begin=Begin.FIRST)).found == 0


def test_what_is_not_taken_is_told_again(places: Places) -> None:
    """The position stays before a line that was refused, and what was taken is not told twice."""
    places.there["log"] = Objects(make_log(10))
    told = Told(is_slow=True)
    for index in (0, 3, 7):
        told.refuses = index
        with pytest.raises(AccessError, match="not taken"):
            places.round(told)
        assert places.kept == lines(0, index)
    told.refuses = None
    places.round(told)
    assert told.lines == lines(0, 10)
    assert places.kept == lines(0, 10)


def test_told_to_end(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round stops at the next point at which the state is written; the next one goes on there."""
    monkeypatch.setattr(monitor_reading, "CHUNK", 64)
    places.there["log"] = Objects(make_log(300))
    made = Monitor("log", lambda *_: Pinned(POLICY, "pinned"), places.directory, EVERY)
    told = Told()
    assert made.round(told, lambda: len(told.lines) > 100).next == 128
    assert made.round(told).start == 128
    assert told.lines == places.kept == lines(0, 300)


class Died(BaseException):
    """The process is gone."""


def deaths(places: Places, patch: pytest.MonkeyPatch, told: Told) -> Iterator[int]:
    """Let rounds die before one of their writes, or of what they tell, each later than the one before; yield which."""
    left = [0]

    def tick() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Died

    def dying(name: str) -> None:
        whole = getattr(monitor_state, name)
        patch.setattr(monitor_state, name, lambda *words: (tick(), whole(*words))[1])

    for name in ("write_file", "sync_directory"):
        dying(name)
    fsync = os.fsync
    patch.setattr(monitor_state.os, "fsync", lambda number: (tick(), fsync(number))[1])
    told.before = tick
    for number in range(10_000):
        left[0] = number
        try:
            places.round(told)
        except Died:
            yield number
        else:
            return
    pytest.fail("no round came to its end")


@pytest.mark.parametrize("is_slow", [False, True])
def test_a_round_dies_anywhere(places: Places, monkeypatch: pytest.MonkeyPatch, is_slow: bool) -> None:
    """Whatever it was about to write: what is kept has no gap and no repeat, what is told has no gap."""
    monkeypatch.setattr(monitor_reading, "CHUNK", 7)
    places.there["log"] = Objects(make_log(5, 30))
    told = Told(is_slow=is_slow)
    died = 0
    for _ in deaths(places, monkeypatch, told):
        died += 1
        for path in places.directory.glob("*/matches.jsonl"):
            assert b"".join(lines(0, 30)).startswith(path.read_bytes())
    assert died > (20 if is_slow else 8)
    assert places.kept == lines(0, 30)
    at = 0
    for line in told.lines:  # after a death it begins again with a line that may have been told, never with a later one
        index = int(line.split()[0])
        assert index <= at
        at = max(at, index + 1)
    assert at == 30
    assert not list(places.folder.glob(".*.tmp"))


# ---- a log that lies


LARGE, SMALL = make_log(300, 600), make_log(300)


@pytest.mark.parametrize(
    ("shown", "error", "words"),
    [
        (make_log(300, tag="other"), ForkError, "shows two histories"),
        (make_log(600, tag="other"), ForkError, "shows two histories"),
        (make_log(5, tag="other"), HistoryUnknown, "nothing there shows that they begin with the same"),
        (tampered(SMALL, checkpoint=None), NotFound, "checkpoint"),
        (tampered(SMALL, checkpoint=make_log(300, key=OTHER_KEY)["checkpoint"]), SignatureError, "checkpoint"),
        (tampered(LARGE, checkpoint=SMALL["checkpoint"][:-9]), LogError, "malformed"),
        (tampered(LARGE, checkpoint=b"<html>sign in</html>"), AccessError, "is a web page"),
        (tampered(LARGE, checkpoint=b"x" * 2_000_000), AccessError, "longer than"),
        (tampered(LARGE, **{"tile/0/001": flipped(LARGE["tile/0/001"], 9)}), TileError, "tile/"),
        (tampered(LARGE, **{"tile/0/001": None}), NotFound, "tile/0/001"),
        (tampered(LARGE, **{"tile/entries/001": LARGE["tile/entries/000"]}), TileError, "tile/entries/001"),
        (tampered(LARGE, **{"tile/entries/001": LARGE["tile/entries/001"][:-1]}), TileError, "tile/entries/001"),
        (tampered(LARGE, **{"tile/entries/001": b"<html>404</html>"}), AccessError, "is a web page"),
    ],
)
def test_each_lie_is_named(places: Places, shown: dict[str, bytes], error: type[TilesError], words: str) -> None:
    """Nothing that does not verify is told; the position stays, and once the log is right again nothing is missing."""
    places.there["log"] = Objects(SMALL)
    places.round()
    places.there["log"] = Objects(shown)
    told = Told()
    with pytest.raises(error, match=words):
        places.round(told)
    assert told.lines == lines(300, 300 + len(told.lines))
    if error is ForkError:
        check_fork(places.evidence(), POLICY)
    places.there["log"] = Objects(LARGE)
    places.round()
    assert places.kept == lines(0, 600)


def test_an_older_copy(places: Places) -> None:
    """It is named, nothing is read twice, and what was seen is not forgotten."""
    places.there["log"] = Objects(LARGE)
    places.round()
    places.there["log"] = Objects(tampered(LARGE, checkpoint=SMALL["checkpoint"]))
    done = places.round()
    assert done.newer is not None
    assert (done.newer.tree.size, done.tree.size, done.next) == (600, 300, 600)
    places.there["log"] = Objects(LARGE)
    assert places.round().newer is None
    assert places.kept == lines(0, 600)


def test_what_cannot_be_read_is_not_passed_over(places: Places) -> None:
    """Entries before a bundle that is missing are told once; those after it once it is back."""
    whole = make_log(1000)
    places.there["log"] = Objects(tampered(whole, **{"tile/entries/002": None}))
    told = Told()
    for _ in range(2):
        with pytest.raises(NotFound, match="tile/entries/002"):
            places.round(told)
        assert told.lines == places.kept == lines(0, 512)
    places.there["log"] = Objects(whole)
    places.round(told)
    assert told.lines == places.kept == lines(0, 1000)


PAGE, SHORT = b"<html>busy</html>", LARGE["tile/entries/001"]
ANSWERS: list[tuple[str, Answer]] = [
    ("checkpoint", status(503)),
    ("checkpoint", hang_up),
    ("checkpoint", body(b"")),
    ("tile/entries/001", cut(SHORT, 7)),
    ("tile/entries/001", body(PAGE)),
    ("tile/entries/001", body(b"\0" * 20_000_000)),
    ("tile/1/000.p/2", status(500)),
]


@pytest.mark.parametrize(("path", "answer"), ANSWERS)
def test_a_server_in_trouble(places: Places, monkeypatch: pytest.MonkeyPatch, path: str, answer: Answer) -> None:
    """A round fails by the error of whose trouble it is, and the next one finds all."""
    monkeypatch.setattr(http_fetcher, "PAUSES", replace(http_fetcher.PAUSES, first=0.01, longest=0.01))
    with serving(LARGE) as server:
        places.there["log"] = HttpFetcher(server.url)
        server.script[f"/{path}"] = [answer]
        with pytest.raises((AccessError, TileError)):
            places.round()
        server.script.clear()
        places.round()
    assert places.kept == lines(0, 600)


def test_another_policy(places: Places) -> None:
    """A state is of one key: under another one the log is not the one that was watched."""
    places.there["log"] = Objects(SMALL)
    places.round()
    places.there["log"] = Objects(make_log(300, key=OTHER_KEY))
    with pytest.raises((SignatureError, PolicyError)):
        places.round()
    assert LOG.verifier.vkey != OTHER_KEY.verifier.vkey
