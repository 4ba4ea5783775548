"""What a batch takes of the inbox: order, limits, fairness; nothing both taken and refused; the same every time."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.selections import BROKEN, NOW, Item, by_name, changed, good, inboxes, junk, run
from tiles.errors import UsageError
from tiles.inbox.admission import Admission
from tiles.inbox.selection import Limits
from tiles.inbox.submission import format_submission

small_limits = st.builds(
    Limits,
    entries=st.integers(1, 40),
    bytes=st.integers(1, 6000),
    objects=st.integers(1, 15),
    align=st.just(False),
    max_hold=st.just(0.0),
)


@given(inboxes(), small_limits, st.integers(1, 8))
def test_what_a_batch_takes(items: list[Item], limits: Limits, parallel: int) -> None:
    """Good ones are taken, bad ones refused, none both; limits hold; what is left waits, and is counted."""
    taken, _ = run(items, limits, parallel=parallel)
    named = by_name(items)
    refused = [name for name, _ in taken.refused]
    assert not set(taken.took) & set(refused)
    assert len(set(taken.took)) == len(taken.took)
    assert len(set(refused)) == len(refused)
    assert all(named[name].is_good for name in taken.took)
    assert all(named[name].is_refused for name in refused)
    assert len(taken.entries) == sum(named[name].entries for name in taken.took)
    assert len(taken.took) + len(refused) <= limits.objects
    if len(taken.took) > 1:
        assert len(taken.entries) <= limits.entries
        assert sum(named[name].row.size for name in taken.took) <= limits.bytes
    gone = sum(named[name].row.size for name in [*taken.took, *refused])
    most = len(items) - len(taken.took) - len(refused)
    missing = [item for item in items if item.found is None]
    assert most - len(missing) <= taken.backlog.objects <= most
    assert taken.backlog.bytes <= sum(item.row.size for item in items) - gone
    assert all(named[name].found is BROKEN for name in taken.backlog.unreadable)


@given(inboxes(), small_limits, st.integers(1, 8))
def test_a_submitters_own_come_in_order(items: list[Item], limits: Limits, parallel: int) -> None:
    """What is taken of a submitter is the beginning of what is good, by date and then by name."""
    taken, _ = run(items, limits, parallel=parallel)
    for submitter in "abc":
        own = [item.row for item in items if item.is_good and item.row.submitter == submitter]
        took = [name for name in taken.took if name.startswith(f"{submitter}/")]
        assert took == [row.name for row in sorted(own)][: len(took)]


@given(inboxes(), small_limits, st.integers(1, 8))
def test_entries_are_those_of_the_submissions(items: list[Item], limits: Limits, parallel: int) -> None:
    """The entries are those of what is taken, in the order in which it is named."""
    taken, _ = run(items, limits, parallel=parallel)
    contents = [by_name(items)[name].found for name in taken.took]
    at = 0
    for data, name in zip(contents, taken.took, strict=True):
        count = by_name(items)[name].entries
        assert data == format_submission(taken.entries[at : at + count])
        at += count


@given(inboxes(), small_limits, st.integers(1, 8), st.randoms(use_true_random=False))
def test_the_same_every_time(items: list[Item], limits: Limits, parallel: int, rng: random.Random) -> None:
    """The outcome follows from listing and answers, not from the order of the listing."""
    assert run(items, limits, parallel=parallel) == run(rng.sample(items, len(items)), limits, parallel=parallel)


@given(inboxes(), small_limits, st.integers(1, 8))
def test_something_is_always_decided(items: list[Item], limits: Limits, parallel: int) -> None:
    """Whatever is in the way, each batch takes or refuses something, until nothing is left that can be."""
    left = list(items)
    while True:
        taken, _ = run(left, limits, parallel=parallel)
        decided = {*taken.took, *(name for name, _ in taken.refused)}
        if not decided:
            break
        left = [item for item in left if item.row.name not in decided]
    broken = Counter(item.row.submitter for item in left if item.found is BROKEN)
    for item in left:
        assert item.found is None or item.found is BROKEN or broken[item.row.submitter] >= 4


@given(inboxes(), st.integers(1, 8), st.text("xyz"))
def test_everyones_first_comes_before_anyones_second(items: list[Item], parallel: int, seed: str) -> None:
    """Each submitter's first object is asked for in the first round, whatever the others have."""
    _, asked = run(items, parallel=parallel, seed=seed)
    submitters = {item.row.submitter for item in items}
    assert {ask.row.submitter for ask in asked[: len(submitters)]} == submitters


@given(inboxes(), st.integers(1, 8))
def test_submitters_are_served_alike(items: list[Item], parallel: int) -> None:
    """In bytes asked for, nobody is ahead of one who still waits by more than an object."""
    _, asked = run(items, Limits(entries=1 << 20, bytes=1 << 20, objects=1 << 12), parallel=parallel)
    left = Counter(item.row.submitter for item in items)
    charged: Counter[str] = Counter()
    largest = max((item.row.size for item in items), default=0) + 256 * 12  # entries count too, once they are known
    for ask in asked:
        submitter = ask.row.submitter
        assert all(charged[submitter] <= charged[other] + (parallel + 1) * largest for other in left if left[other])
        charged[submitter] += max(256, ask.bytes)
        left[submitter] -= 1


@pytest.mark.parametrize("seed", ["1", "2", "3"])
@pytest.mark.parametrize("kind", ["badly named", "malformed", "good", "large"])
def test_a_backlog_delays_nobody_else(kind: str, seed: str) -> None:
    """However much one submitter has waiting, older and with names that sort first, another's is in the next batch."""
    limits = Limits(entries=400, bytes=400_000, objects=400)
    backlog = {
        "badly named": junk(3000),
        "malformed": [changed(good("a", 0.0, n)) for n in range(3000)],
        "good": [good("a", 0.0, n) for n in range(3000)],
        "large": [good("a", 0.0, n, [bytes(60_000)] * 3) for n in range(30)],
    }[kind]
    honest = good("honest", NOW, 0, [bytes(60_000)] * 2)
    taken, _ = run([*backlog, honest], limits, seed=seed)
    assert honest.row.name in taken.took


def test_who_takes_many_entries_waits_longer() -> None:
    """Entries are charged too: many in few bytes do not crowd out another's few in many bytes."""
    crowd = [good("a", 0.0, n, [b""] * 50) for n in range(100)]
    honest = [good("honest", 0.0, n, [bytes(1000)]) for n in range(100)]
    limits = Limits(entries=1000, bytes=1_000_000)
    taken, _ = run([*crowd, *honest], limits, parallel=4)
    assert sum(name.startswith("honest/") for name in taken.took) > 80


def test_a_submission_larger_than_a_batch_is_taken_alone() -> None:
    """What is admitted can always be taken, however small the batches are."""
    large, next_ = good("a", 0.0, 0, [b"entry"] * 100), good("a", 1.0, 1)
    for limits in (Limits(entries=10), Limits(bytes=10), Limits(objects=1)):
        taken, _ = run([large, next_], limits)
        assert taken.took == (large.row.name,)
        assert taken.backlog.objects == 1
    behind, _ = run([Item(good("a", -1.0, 2).row, BROKEN), large, next_], Limits(bytes=100))
    assert behind.took == (large.row.name,)


@pytest.mark.parametrize("limits", [Limits(entries=5), Limits(bytes=130)])
def test_what_does_not_fit_is_not_overtaken(limits: Limits) -> None:
    """One that does not fit waits, and so does what its submitter sent after it; others' may fill the batch."""
    first, large, small = good("a", 0.0, 0, 3), good("a", 1.0, 1, [b"entry"] * 4), good("a", 2.0, 2)
    other = good("b", 3.0, 3)
    for parallel in (1, 2, 32):
        taken, _ = run([first, large, small, other], limits, parallel=parallel)
        assert sorted(taken.took) == sorted([first.row.name, other.row.name])


def test_limits_may_be_reached() -> None:
    """What fits exactly is taken: entries, bytes and objects are what a batch may have, not what it stays below."""
    items = [good("a", 0.0, 0, 2), good("a", 1.0, 1, 2), good("a", 2.0, 2, 2)]
    for limits in (Limits(entries=4), Limits(bytes=2 * items[0].row.size), Limits(objects=2)):
        assert len(run(items, limits)[0].took) == 2


def test_what_was_asked_for_before_is_taken() -> None:
    """That a later one does not fit does not keep back what comes before it and is still being read."""
    items = [good("a", 0.0, 0), good("a", 1.0, 1), good("a", 2.0, 2, [bytes(1000)])]
    taken, _ = run(items, Limits(bytes=200), parallel=32)
    assert len(taken.took) == 2


def test_an_object_listed_twice_is_taken_once() -> None:
    """Pages of a listing that overlap do not log anything twice."""
    item = good("a", 0.0, 0)
    taken, asked = run([item, item])
    assert (taken.took, len(asked), taken.backlog.objects) == ((item.row.name,), 1, 0)


def test_refused_and_vanished_are_no_backlog() -> None:
    """What is gone or refused does not wait; what cannot be read does, and is named."""
    gone, broken = Item(good("a", 5.0, 0).row, None), Item(good("b", NOW - 7, 1).row, BROKEN)
    bad, fine = changed(good("c", 5.0, 2)), good("d", 5.0, 3)
    taken, _ = run([gone, broken, bad, fine])
    assert taken.took == (fine.row.name,)
    assert [name for name, _ in taken.refused] == [bad.row.name]
    assert (taken.backlog.objects, taken.backlog.bytes, taken.backlog.oldest) == (1, broken.row.size, 7.0)
    assert taken.backlog.unreadable == (broken.row.name,)


def test_the_backlog_is_what_does_not_fit() -> None:
    """Objects, bytes and age of what waits, in a listing longer than what is kept of it."""
    items = [good("a", NOW - 5000 + n, n) for n in range(3000)]
    taken, _ = run(items, Limits(objects=10))
    assert taken.took == tuple(item.row.name for item in items[:10])
    left = items[10:]
    assert taken.backlog.objects == len(left)
    assert taken.backlog.bytes == sum(item.row.size for item in left)
    assert taken.backlog.oldest == 4990.0
    assert run([], Limits())[0].backlog.oldest is None


def test_a_date_in_the_future_is_no_age() -> None:
    """What was written by a clock that is ahead waits for no negative time."""
    assert run([Item(good("a", NOW + 9, 0).row, BROKEN)])[0].backlog.oldest == 0.0


def test_objects_that_cannot_be_read_cost_a_bounded_number_of_reads() -> None:
    """Neither one submitter's unreadable objects, nor those of many, make a batch read on for ever."""
    broken = [Item(good("a", 0.0, n).row, BROKEN) for n in range(1000)]
    honest = [good("honest", 1.0, n) for n in range(100)]
    taken, asked = run([*broken, *honest], parallel=2)
    assert len(taken.took) == 100
    assert sum(ask.row.submitter == "a" for ask in asked) <= 5
    many = [Item(good(f"s{n}", 0.0, n).row, BROKEN) for n in range(1000)]
    assert len(run(many, parallel=2)[1]) <= 66


def test_submissions_that_do_not_fit_cost_a_bounded_number_of_reads() -> None:
    """A batch that is nearly full does not read everybody's next submission to see that it does not fit."""
    items = [good(f"s{n}", 0.0, n, 7) for n in range(1000)]
    taken, asked = run(items, Limits(entries=10), parallel=2)
    assert len(taken.took) == 1
    assert len(asked) <= 67


def test_what_is_refused_once_read_counts_against_the_bytes() -> None:
    """Junk that has to be read cannot make one batch read all there is of it."""
    items = [changed(good("a", 0.0, n, [bytes(1000)])) for n in range(100)]
    taken, asked = run(items, Limits(bytes=10_000))
    assert len(asked) == len(taken.refused) == 9
    assert run([*items, good("a", 1.0, 999, [bytes(9000)])], Limits(bytes=500))[0].took == ()


def test_a_policy_decides() -> None:
    """What the admission policy refuses is refused with its reason, read or unread."""
    admission = Admission(max_entries=1, submitters=("ann",))
    fine, many, eve = good("ann", 0.0, 0), good("ann", 1.0, 1, 2), good("eve", 2.0, 2)
    taken, asked = run([fine, many, eve], admission=admission)
    assert taken.took == (fine.row.name,)
    assert dict(taken.refused) == {
        many.row.name: "2 entries, 1 is the most",
        eve.row.name: "the submitter eve is not admitted",
    }
    assert [ask.bytes for ask in asked if ask.row == eve.row] == [0]


@pytest.mark.parametrize("limits", [{"entries": 0}, {"bytes": 0}, {"objects": 0}])
def test_a_batch_can_take_something(limits: dict[str, int]) -> None:
    """Limits of nothing are a wrong call."""
    with pytest.raises(UsageError):
        Limits(**limits)
