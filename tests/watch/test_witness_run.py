"""Visiting logs: what a log shows is cosigned, or said to be wrong, and no log keeps another from being visited."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import pytest

from tests.support.fault_server import serving
from tests.support.readers import OTHER_KEY, Objects, make_log, renamed
from tests.support.signed_text import LOG, ORIGIN, key, signed
from tests.support.witnessing import NOW, OURS, Evidence, Time, begun, witness
from tiles.errors import (
    AccessError,
    ForkError,
    HistoryUnknown,
    NotFound,
    PolicyError,
    Refused,
    SignatureError,
    TileError,
)
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint
from tiles.notes.fork_evidence import NEWER, OLDER, check_fork
from tiles.notes.witness_messages import seen_path
from tiles.read.fetcher import open_place
from tiles.records.paths import PENDING
from tiles.store import Fetcher
from tiles.tree.layout import CHECKPOINT
from tiles.watch.witness import COSIGNED, REFRESHED
from tiles.watch.witness_config import witnessed
from tiles.watch.witness_run import AT_ONCE, BEHIND, Visited, visit, visit_all

SHARED = 200


def other(size: int) -> dict[str, bytes]:
    """Return the log as it is in another history, which is the same up to SHARED entries."""
    return make_log(size, tag="other", same_up_to=SHARED)


class Watch:
    """A witness that has begun the log, and what the log shows."""

    def __init__(self, *sizes: int) -> None:
        self.store = begun()
        self.time = Time()
        self.evidence = Evidence()
        self.witness = witness(self.store, self.time, visits=self.evidence)
        for size in sizes:
            self.see(make_log(size))

    def see(self, objects: Mapping[str, bytes] | Fetcher) -> Visited:
        """Visit the log as it is now."""
        self.time.now += 1
        fetcher = Objects(objects) if isinstance(objects, Mapping) else objects
        return visit(self.witness, OURS, fetcher, self.evidence)

    @property
    def sizes(self) -> list[int]:
        """Of all that was published."""
        return [parse_signed_checkpoint(data).tree.size for data in self.store.contents]


def pending(objects: dict[str, bytes], of: Mapping[str, bytes], **more: bytes) -> dict[str, bytes]:
    """Return a log in which another checkpoint, with its tiles, waits for cosignatures."""
    tiles = {path: data for path, data in of.items() if path.startswith("tile/")}
    return {**tiles, **objects, PENDING: of[CHECKPOINT], **more}


def test_a_log_that_grows() -> None:
    """Every visit cosigns what the log shows by then; of the same tree, the time is new."""
    watch = Watch()
    for size, outcome in [
        (0, COSIGNED),
        (0, REFRESHED),
        (1, COSIGNED),
        (255, COSIGNED),
        (300, COSIGNED),
        (300, REFRESHED),
    ]:
        visited = watch.see(make_log(size))
        assert (visited.outcome, visited.tree.size, visited.time) == (outcome, size, int(watch.time.now))
    assert watch.sizes == [0, 0, 0, 1, 255, 300, 300]


def test_the_larger_of_two() -> None:
    """What waits for cosignatures is cosigned, and what is published where that is larger."""
    watch = Watch()
    assert watch.see(pending(make_log(5), make_log(5, 300))).tree.size == 300
    assert watch.see(pending(make_log(5, 300, 400), make_log(5, 300))).tree.size == 400


@pytest.mark.parametrize("waiting", [b"", b"<html>", b"x" * (2 << 20), make_log(400, key=OTHER_KEY)[CHECKPOINT]])
def test_what_waits_and_does_not_verify(waiting: bytes) -> None:
    """Anybody may have put it there: the published checkpoint is cosigned."""
    assert Watch().see({**make_log(5, 300), PENDING: waiting}).tree.size == 300


def test_nothing_that_verifies() -> None:
    """It is said what is wrong with the published checkpoint, and where."""
    watch = Watch(5)
    with pytest.raises(SignatureError, match=r"test://log/checkpoint: no signature by log.example.com"):
        watch.see(make_log(300, key=OTHER_KEY))
    with pytest.raises(AccessError, match=r"a web page \(HTML\)"):
        watch.see({CHECKPOINT: b"<!doctype html><p>sign in"})
    with pytest.raises(NotFound):
        watch.see({})
    assert watch.sizes == [0, 5]


def test_another_logs_checkpoint() -> None:
    """A log of another origin is not cosigned as this one."""
    with pytest.raises(PolicyError, match="other"):
        Watch(5).see(renamed(make_log(300), key("other.example.com", 8)))


def test_an_origin_that_is_not_the_keys_name() -> None:
    """Nothing is cosigned under the origin's hash: Go's checksum database is such a log."""
    sumdb = signed(Checkpoint("go.sum database tree", parse_signed_checkpoint(make_log(7)[CHECKPOINT]).tree), LOG)
    with pytest.raises(PolicyError, match=r"the origin is 'go\.sum database tree', not 'log.example.com'"):
        Watch().see({**make_log(7), CHECKPOINT: sumdb.data})


# ---- forks


@pytest.mark.parametrize("size", [SHARED + 50, SHARED + 51, 500])
def test_a_fork_is_evidence(size: int) -> None:
    """Of the same size or a larger one: both checkpoints are saved, with what proves it, and nothing is cosigned."""
    watch = Watch(SHARED + 50)
    with pytest.raises(ForkError):
        watch.see(other(size))
    older, newer = check_fork(watch.evidence.saved[0], OURS.policy)
    assert (older.tree.size, newer.tree.size) == (SHARED + 50, size)
    assert watch.sizes == [0, SHARED + 50]


def test_a_fork_of_what_waits_and_what_is_published() -> None:
    """A log that shows both at once is caught, whichever of them extends what was cosigned last."""
    watch = Watch(SHARED)
    both = pending(make_log(SHARED + 1), other(SHARED + 9))
    with pytest.raises(ForkError):
        watch.see(both)
    check_fork(watch.evidence.saved[0], OURS.policy)
    assert watch.sizes == [0, SHARED]


def test_a_smaller_tree_of_the_same_history() -> None:
    """A cache may be old: nothing is cosigned, sizes never fall, and what was cosigned last is said."""
    watch = Watch(300)
    visited = watch.see({**make_log(100, 300), CHECKPOINT: make_log(100)[CHECKPOINT]})
    assert (visited.outcome, visited.tree.size, visited.time) == (BEHIND, 300, NOW + 1)
    assert watch.sizes == [0, 300]


def test_a_smaller_tree_of_another_history() -> None:
    """It is evidence as well, where the log still has the tiles of what was cosigned."""
    watch = Watch(SHARED + 100)
    with pytest.raises(ForkError):
        watch.see({**make_log(SHARED + 100), CHECKPOINT: other(SHARED + 50)[CHECKPOINT]})
    check_fork(watch.evidence.saved[0], OURS.policy)


def test_a_smaller_tree_and_no_tiles_of_the_larger_one() -> None:
    """Nothing shows that it is of the same history; both checkpoints are kept."""
    watch = Watch(300)
    with pytest.raises(HistoryUnknown, match="serves 100 entries, 300 were seen before"):
        watch.see(make_log(100))
    assert set(watch.evidence.saved[0]) == {OLDER, NEWER}
    assert watch.sizes == [0, 300]


def test_tiles_that_are_wrong_or_gone() -> None:
    """Without the tiles that show that a tree extends what was cosigned last, it is not cosigned."""
    watch = Watch(5)
    whole = make_log(5, 300)
    for path in ("tile/0/000", "tile/0/001.p/44"):
        with pytest.raises(TileError):
            watch.see({**whole, path: bytes(len(whole[path]))})
    with pytest.raises(NotFound):
        watch.see({path: data for path, data in whole.items() if not path.startswith("tile/0/")})
    assert watch.sizes == [0, 5]
    assert watch.see(whole).tree.size == 300


def test_another_run_is_faster() -> None:
    """A larger tree was cosigned meanwhile: the proof is made again, from that one."""
    watch = Watch(5)
    slow = Objects(make_log(5, 100, 300))
    done: list[Visited] = []

    def meanwhile(path: str) -> None:
        if path.startswith("tile/") and not done:
            done.append(watch.see(make_log(5, 100)))

    slow.before = meanwhile
    assert watch.see(slow).tree.size == 300
    assert watch.sizes == [0, 5, 100, 300]


def test_a_store_that_was_put_back_shows_in_the_log() -> None:
    """The log has published our cosignature for more than what is stored."""
    watch = Watch(5)
    old = watch.store.contents[-1]
    watch.see(make_log(5, 300))
    last = watch.witness.last(OURS)
    watch.store.swap(seen_path(ORIGIN), old, last.version)
    with pytest.raises(Refused, match="the store was put back"):
        watch.see({**make_log(5, 300), CHECKPOINT: last.signed.data})


# ---- many logs


def test_each_log_by_itself() -> None:
    """Logs that fail in any way, or never answer, keep no other from being visited, also where many hang."""
    ours = [witnessed(key(f"log{n:02}.example.com", n + 1).verifier, str(n)) for n in range(3 * AT_ONCE)]
    stop = threading.Event()

    def visit_one(log: object) -> Visited:
        number = int(getattr(log, "url", "0"))
        if number < AT_ONCE:
            stop.wait(20)
        if number % 3 == 0:
            raise AccessError("broken")
        if number % 3 == 1:
            raise ZeroDivisionError
        return Visited(log, COSIGNED)

    began = time.monotonic()
    found = {visited.log.origin: visited for visited in visit_all(ours, visit_one, 0.2)}
    stop.set()
    assert time.monotonic() - began < 10
    assert sorted(found) == [log.origin for log in ours]
    for number, log in enumerate(ours):
        visited = found[log.origin]
        if number < AT_ONCE:
            assert "not done within 0.2 seconds" in str(visited.error)
        else:
            kinds = (AccessError, ZeroDivisionError, type(None))
            assert isinstance(visited.error, kinds[number % 3])


@pytest.mark.parametrize("body", [b"x" * 3_000_000, b"", b"\0" * 100])
def test_a_server_that_sends_anything(body: bytes) -> None:
    """What it sends is bounded, and an error."""
    watch = Watch(5)
    with serving({CHECKPOINT: body, PENDING: body}) as server, pytest.raises(Exception, match="checkpoint"):
        watch.see(open_place(server.url))
    assert watch.sizes == [0, 5]


def test_a_log_over_http() -> None:
    """The whole way, through a server."""
    with serving(make_log(300)) as server:
        assert Watch().see(open_place(server.url)).tree.size == 300
