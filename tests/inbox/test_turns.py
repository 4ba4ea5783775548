"""Turns: everyone's first object comes before anyone's second; what is kept is bounded, and is the right part."""

from __future__ import annotations

import random
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.sampling import quickly
from tiles.inbox.turns import Row, Turns, Waiting

rows = st.lists(
    st.builds(
        Row,
        st.integers(0, 5).map(float),
        st.builds("{}/{}".format, st.sampled_from("abc"), st.integers(0, 99)),
        st.integers(1, 9),
    ),
    unique_by=lambda row: row.name,
)


def waiting(listed: list[Row], seed: str = "seed", most: int = 5000) -> Waiting:
    """Take in a listing."""
    taken_in = Waiting(seed, most)
    for row in listed:
        taken_in.add(row)
    return taken_in


def served(taken_in: Waiting, most: int = 10**9) -> list[Row]:
    """Serve all, each object for its size."""
    turns = Turns(taken_in)
    order: list[Row] = []
    while len(order) < most and (row := turns.peek()) is not None:
        turns.serve(row, row.size)
        order.append(row)
    return order


@pytest.mark.parametrize(
    ("name", "submitter"), [("ann/x", "ann"), ("ann/x/y", "ann"), ("x", ""), ("ann/", "ann"), ("a b/x", "a b")]
)
def test_whose_it_is(name: str, submitter: str) -> None:
    """An object is the submitter's below whose name it lies, whatever else is odd about it."""
    assert Row(0.0, name, 0).submitter == submitter


@given(rows)
def test_everything_is_served_once(listed: list[Row]) -> None:
    """What is listed is served, each object once, a submitter's own by date and then by name."""
    order = served(waiting(listed))
    assert sorted(order) == sorted(listed)
    for submitter in "abc":
        own = [row for row in order if row.submitter == submitter]
        assert own == sorted(own)


@given(rows)
def test_who_was_served_least_is_next(listed: list[Row]) -> None:
    """Nobody is served who was served more, so far, than somebody who still waits."""
    charged: Counter[str] = Counter()
    left = Counter(row.submitter for row in listed)
    for row in served(waiting(listed)):
        assert charged[row.submitter] == min(charged[submitter] for submitter, count in left.items() if count)
        charged[row.submitter] += row.size
        left[row.submitter] -= 1


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_the_listing_does_not_matter(listed: list[Row], rng: random.Random) -> None:
    """Pages of a listing in another order come to the same."""
    assert served(waiting(listed)) == served(waiting(rng.sample(listed, len(listed))))


def test_who_is_first_is_drawn() -> None:
    """No name comes first for ever: among those served alike, the seed decides."""
    listed = [Row(0.0, f"{submitter}/x", 1) for submitter in "abcd"]
    first = Counter(served(waiting(listed, str(seed)))[0].name for seed in range(200))
    assert len(first) == 4
    assert min(first.values()) > 20


def test_charging_more_puts_behind() -> None:
    """Who turns out to have taken more waits until the others had as much."""
    turns = Turns(waiting([Row(0.0, f"{submitter}/{n}", 1) for submitter in "ab" for n in range(3)]))
    first = turns.peek()
    assert first is not None
    turns.serve(first, 1)
    turns.charge(first.submitter, 2)
    order = []
    while (row := turns.peek()) is not None:
        turns.serve(row, 1)
        order.append(row.submitter)
    other = "ab".replace(first.submitter, "")
    assert order == [other] * 3 + [first.submitter] * 2


def test_a_closed_submitter_is_served_no_more() -> None:
    """Closing leaves the others as they are."""
    turns = Turns(waiting([Row(0.0, f"{submitter}/{n}", 1) for submitter in "ab" for n in range(3)]))
    turns.close("a")
    order = []
    while (row := turns.peek()) is not None:
        turns.serve(row, 1)
        order.append(row.name)
    assert order == ["b/0", "b/1", "b/2"]


def test_of_a_long_listing_the_first_objects_are_kept() -> None:
    """Of each submitter, the oldest are kept, whatever the order they are listed in; the others are counted."""
    listed = [Row(float(n), f"a/{n}", 2) for n in range(20_000)] + [Row(1e9, "b/x", 2)]
    random.Random(1).shuffle(listed)
    taken_in = waiting(listed, most=2000)
    queues = taken_in.queues()
    assert [row.modified for row in queues["a"]] == [float(n) for n in range(2000)]
    assert [row.name for row in queues["b"]] == ["b/x"]
    assert (taken_in.count, taken_in.bytes, taken_in.oldest_left_out) == (20_001, 40_002, 2000.0)


@pytest.mark.parametrize("submitters", [3, 40, 3000])
def test_many_submitters_keep_their_share(submitters: int) -> None:
    """With many submitters, each keeps as many objects as it could have in a batch shared by all."""
    listed = [Row(float(n), f"s{n % submitters}/{n}", 1) for n in range(12_000)]
    random.Random(submitters).shuffle(listed)
    queues = waiting(listed, most=2000).queues()
    assert sum(map(len, queues.values())) <= 2 * 2000
    assert len(queues) == min(submitters, 2 * 2000)
    for submitter, queue in queues.items():
        number = int(submitter[1:])
        assert [row.modified for row in queue] == [float(number + submitters * n) for n in range(len(queue))]
        assert len(queue) >= min(2000 // submitters, 12_000 // submitters)


@pytest.mark.slow
def test_of_too_many_submitters_some_are_drawn() -> None:
    """Where not even one object of each can be kept, chance decides whose, and another chance the next time."""
    listed = [Row(float(n), f"s{n:05}/x", 1) for n in range(9000)]
    kept = [set(waiting(listed, seed, 2000).queues()) for seed in "abcdefghij"]
    assert {len(one) for one in kept} == {4000}
    assert len(set.union(*kept)) > 8900
    backward = waiting(listed[::-1], "a", 2000)
    assert set(backward.queues()) == kept[0]
    assert backward.oldest_left_out == min(row.modified for row in listed if row.submitter not in kept[0])


@pytest.mark.parametrize("submitters", quickly([1, 7, 25_000], [7]))
def test_memory_does_not_follow_the_listing(submitters: int) -> None:
    """A listing that is ten times as long takes the memory of what is kept of it."""

    def peak(count: int) -> int:
        tracemalloc.start()
        taken_in = Waiting("seed", 1024)
        for n in range(count):
            taken_in.add(Row(float(n), f"s{n % submitters}/{n:064}", 1))
        taken_in.queues()
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(25_000) < 1.5 * peak(5_000) < 4_000_000
