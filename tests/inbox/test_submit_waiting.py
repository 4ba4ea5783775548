"""Waiting until a submission is in the public log: looking for its leaves, and how long."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.world import World
from tiles.errors import AccessError, HistoryUnknown, NotLogged, PolicyError
from tiles.inbox.receipt import Receipt
from tiles.inbox.submission import Name
from tiles.inbox.submit import FIRST_LOOK, PAUSE, _Row, wait_until_logged
from tiles.notes.keys import signing_key
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.store import StoreFetcher
from tiles.tree.merkle import Hash, TreeHead, leaf_hash

LOG = "https://log.example.com"
NONCE = bytes(range(16))
NAME = Name("ann", NONCE.hex(), "0" * 64)


# ---- waiting


@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=5), st.lists(st.sampled_from("ab"), max_size=30), st.data())
def test_the_search_finds_the_first(wanted: list[str], row: list[str], data: st.DataObject) -> None:
    """Whatever repeats in what is wanted, and however the row is cut, the first place is found."""
    hashes = [leaf_hash(letter.encode()) for letter in row]
    search = _Row([leaf_hash(letter.encode()) for letter in wanted], 7)
    found = None
    at = 0
    while at < len(row) and found is None:
        end = data.draw(st.integers(at + 1, len(row)))
        found = search.see(hashes[at:end])
        at = end
    place = "".join(row).find("".join(wanted))
    assert found == (None if place < 0 else list(range(7 + place, 7 + place + len(wanted))))


class Waiting:
    """Somebody waits for a log that goes on meanwhile."""

    def __init__(self, *steps: Callable[[], None]) -> None:
        self.world = World().grown(300)
        self.steps = iter(steps)
        self.fetcher = StoreFetcher(self.world.stores["public"])
        self.client = LogClient(self.fetcher, policy_for(self.world.verifier))
        self.now = 0.0
        self.pauses: list[float] = []
        self.visits = 0
        visit = self.client.visit
        self.client.visit = lambda: self._count() or visit()  # type: ignore[method-assign,func-returns-value]

    def _count(self) -> None:
        self.visits += 1

    def sleep(self, seconds: float) -> None:
        """Let one step happen."""
        self.pauses.append(seconds)
        self.now += seconds
        assert len(self.pauses) < 1000
        next(self.steps, lambda: None)()

    def wait(
        self,
        entries: list[bytes],
        since: int = 300,
        timeout: float = 600.0,
        known: Mapping[Hash, int] | None = None,
        paused: Callable[[float], object] = float,
    ) -> list[int]:
        """Wait for entries. known: where some are already; None: they are logged again"""
        receipt = Receipt(LOG, NAME, tuple(map(leaf_hash, entries)), once=known is not None)
        clock, rng = (lambda: self.now), random.Random(1)
        return wait_until_logged(
            self.client,
            receipt,
            since,
            timeout,
            known=known,
            paused=paused,
            clock=clock,
            sleep=self.sleep,
            rng=rng,
        )


def test_waiting_until_it_is_logged() -> None:
    """The entries are found in order, wherever others' are, once they are published; pauses are not all alike."""
    waiting = Waiting()
    append = waiting.world.append
    waiting.steps = iter(
        [
            lambda: None,
            lambda: append([b"x", b"one"]),
            lambda: append([b"other"] * 300),
            lambda: append([b"one", b"x", b"one", b"two"]),
        ]
    )
    assert waiting.wait([b"one", b"two"]) == [604, 605]
    assert waiting.client.tree.size == 606
    assert waiting.client.prove(605).index == 605
    assert len(set(waiting.pauses)) == 4
    assert all(PAUSE[0] <= pause <= PAUSE[1] for pause in waiting.pauses)


def test_what_is_logged_once() -> None:
    """Each entry is where it was before, or where it comes to be, in any order; nothing is waited for that is there."""
    waiting = Waiting()
    append = waiting.world.append
    waiting.steps = iter([lambda: append([b"two", b"x"]), lambda: append([b"one"])])
    old = {leaf_hash(b"old"): 7}
    assert waiting.wait([b"one", b"old", b"two", b"one"], known=old) == [302, 7, 300, 302]
    looks = waiting.visits
    assert waiting.wait([b"old", b"old"], known=old) == [7, 7]
    assert waiting.visits == looks
    with pytest.raises(NotLogged):
        waiting.wait([b"old", b"never"], timeout=5.0, known=old)


def test_entries_across_two_looks() -> None:
    """What is found is found even if only its beginning was there at the last look."""
    waiting = Waiting()
    append = waiting.world.append
    waiting.steps = iter([lambda: append([b"a", b"a"]), lambda: append([b"a", b"b"])])
    assert waiting.wait([b"a", b"a", b"b"]) == [301, 302, 303]


def test_what_was_there_before_is_not_taken_for_it() -> None:
    """Only what was added since counts: the same entry may have been logged long ago."""
    waiting = Waiting()
    waiting.world.append([b"one"])
    assert waiting.wait([b"one"], since=300) == [300]
    with pytest.raises(NotLogged):
        waiting.wait([b"one"], since=301)


def test_the_time_to_wait_is_kept() -> None:
    """After the timeout it is said what is known, with exit code 8's error; the receipt stays good."""
    waiting = Waiting()
    with pytest.raises(NotLogged) as late:
        waiting.wait([b"one"], timeout=20.0)
    assert waiting.now == 20.0
    assert late.value.message == f"{NAME.path} is not in the log so far, up to size 300"
    assert "keep the receipt" in late.value.hint
    waiting.world.append([b"one"])
    assert waiting.wait([b"one"], timeout=0.0) == [300]


def test_each_pause_is_told() -> None:
    """Whoever shows how long it has been waited so far is told each pause, after it."""
    waiting, told = Waiting(), list[float]()
    waiting.steps = iter([lambda: None, lambda: waiting.world.append([b"one"])])
    waiting.wait([b"one"], paused=told.append)
    assert told == waiting.pauses
    assert len(told) == 2


def test_without_time_it_looks_once() -> None:
    """A timeout of zero is one look."""
    waiting = Waiting()
    with pytest.raises(NotLogged):
        waiting.wait([b"one"], timeout=0.0)
    assert (waiting.visits, waiting.pauses) == (1, [])


@pytest.mark.parametrize("size", [10**6, 2**40])
@pytest.mark.parametrize("timeout", [0.0, 1.0, 5.0, 60.0])
def test_a_log_without_end(size: int, timeout: float) -> None:
    """A log that has more entries than can be read in the time to wait ends the waiting when the time is over."""
    waiting = Waiting()

    class Endless:
        """A client of a log of equal entries; reading 256 of them takes a quarter of a second."""

        def visit(self) -> object:
            return SimpleNamespace(signed=SimpleNamespace(tree=TreeHead(size, bytes(32))))

        def leaves(self, start: int, stop: int) -> Iterator[list[bytes]]:
            for at in range(start, stop, 256):
                waiting.now += 0.25
                assert waiting.now < 100.0, "it goes on for ever"
                yield [leaf_hash(b"equal")] * min(256, stop - at)

    waiting.client = Endless()  # type: ignore[assignment]
    with pytest.raises(NotLogged, match=r"up to size [0-9]+$"):
        waiting.wait([b"one"], timeout=timeout)
    assert timeout <= waiting.now <= max(timeout, FIRST_LOOK) + 0.25


def test_a_log_that_cannot_be_read_is_tried_again() -> None:
    """A server that is away for a while does not end the waiting; at the end its error is told."""
    waiting = Waiting()
    public = waiting.world.stores["public"]
    checkpoint = public.read("checkpoint").data

    def back() -> None:
        public.create({"checkpoint": checkpoint})
        waiting.world.append([b"one"])

    public.delete(["checkpoint"])
    waiting.steps = iter([lambda: None, back])
    assert waiting.wait([b"one"]) == [300]
    public.delete(["checkpoint"])
    with pytest.raises(AccessError, match=r"size 300; .*checkpoint: not found$"):
        waiting.wait([b"two"], timeout=10.0)


def test_another_history_ends_the_waiting() -> None:
    """What may be another log than was seen is told at once, as every other reader tells it."""
    waiting = Waiting()

    class Another:
        """A client that was shown another history."""

        def visit(self) -> object:
            raise HistoryUnknown("smaller than it was seen")

    waiting.client = Another()  # type: ignore[assignment]
    with pytest.raises(HistoryUnknown):
        waiting.wait([b"one"], timeout=60.0)
    assert waiting.now == 0.0


def test_an_old_copy_is_looked_through_once() -> None:
    """A smaller checkpoint than the last one, from a cache, is no trouble."""
    waiting = Waiting()
    public = waiting.world.stores["public"]
    old = public.read("checkpoint").data
    waiting.world.append([b"zero"])
    new = public.read("checkpoint").data

    def put(data: bytes) -> None:
        public.delete(["checkpoint"])
        public.create({"checkpoint": data})

    def grow() -> None:
        put(new)
        waiting.world.append([b"one"])

    waiting.steps = iter([lambda: put(old), grow])
    assert waiting.wait([b"one"]) == [301]


def test_a_log_that_is_wrong_ends_the_waiting() -> None:
    """What no sound log says is an error at once."""
    waiting = Waiting()
    stranger = LogClient(waiting.fetcher, policy_for(signing_key("example.com/other", bytes(32)).verifier))
    waiting.client.visit = stranger.visit  # type: ignore[method-assign]
    with pytest.raises(PolicyError):
        waiting.wait([b"one"])
    assert waiting.pauses == []
