"""Batches that are to fill entry bundles: what is taken, and what is held for the next one."""

from __future__ import annotations

import pytest

from tests.support.selections import NOW, changed, good, run
from tiles.inbox.selection import Limits

ALIGNED = Limits(align=True, max_hold=100.0)


@pytest.mark.parametrize(
    ("size", "counts", "took"),
    [
        (0, [256], 1),
        (0, [255], 0),
        (1, [255], 1),
        (0, [200, 56, 10], 2),
        (0, [256, 255, 1, 1], 3),
        (0, [300], 0),
        (300, [200, 12, 7], 2),
        (256, [], 0),
        (256, [1], 0),
    ],
)
def test_the_longest_beginning_that_fills_bundles(size: int, counts: list[int], took: int) -> None:
    """Entries are taken up to where the log's size is a multiple of 256; the others wait."""
    items = [good("a", NOW - 50 + n, n, count) for n, count in enumerate(counts)]
    taken, _ = run(items, ALIGNED, size=size)
    assert taken.took == tuple(item.row.name for item in items[:took])
    assert taken.backlog.objects == len(counts) - took
    assert len(taken.entries) == sum(counts[:took])
    assert not taken.took or (size + len(taken.entries)) % 256 == 0


@pytest.mark.parametrize(
    ("age", "takes"), [(0.0, False), (99.0, False), (100.0, True), (1e9, True), (-1.0, True), (-1e9, True)]
)
def test_nothing_is_held_for_ever(age: float, takes: bool) -> None:
    """Once the oldest has waited long enough all is taken; so is one whose date is in the future."""
    items = [good("a", NOW - age, 0), good("b", NOW, 1)]
    assert len(run(items, ALIGNED)[0].took) == 2 * takes


def test_one_that_waited_long_enough_takes_the_rest_along() -> None:
    """A batch that can be cut is not, if that would hold one for too long."""
    items = [good("a", NOW - 300, 0, 256), good("a", NOW - 200, 1, 5), good("a", NOW, 2, 5)]
    assert len(run(items, ALIGNED)[0].took) == 3
    assert len(run([items[0], items[2]], ALIGNED)[0].took) == 1


def test_what_is_refused_is_not_held() -> None:
    """Refusals are taken at once: they add nothing to the log."""
    taken, _ = run([good("a", NOW, 0), changed(good("b", NOW, 1))], ALIGNED)
    assert (taken.took, taken.entries, len(taken.refused), taken.backlog.objects) == ((), [], 1, 1)


def test_a_full_batch_is_not_held() -> None:
    """Waiting cannot fill what is full, or there would be one batch in `max_hold`, however much waits."""
    items = [good("a", NOW, n, 300) for n in range(5)]
    for limits in (Limits(entries=1000, align=True), Limits(bytes=3000, align=True), Limits(objects=2, align=True)):
        assert run(items, limits)[0].took
