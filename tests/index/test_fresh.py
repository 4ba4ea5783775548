"""Records of what was just published: those that reading the log again would give, whatever the batches."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.index_texts import slow_record
from tests.support.indexed import entry_of
from tests.support.sampling import soaking
from tiles.entries.kinds import keys_of
from tiles.index import fresh as module
from tiles.index.fresh import Fresh
from tiles.notes.index_head import MAX_COVERED
from tiles.tree.edge import EMPTY_EDGE
from tiles.tree.plan import Plan, plan

KINDS = ("leaf/1", "sha256/1", "name/1")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an index cover eight entries at a time."""
    monkeypatch.setattr(module, "RUN_ENTRIES", 8)


def batches(sizes: list[int]) -> list[Plan]:
    """Return the plans of batches, one after the other."""
    edge, plans = EMPTY_EDGE, list[Plan]()
    for size in sizes:
        plans.append(plan(edge, [entry_of(index) for index in range(edge.size, edge.size + size)]))
        edge = plans[-1].edge
    return plans


def expected(kind: str, start: int, stop: int) -> bytes:
    """Return the records of some entries, computed slowly."""
    records = (
        slow_record(kind, key.value, index)
        for index in range(start, stop)
        for key in keys_of(entry_of(index))
        if key.kind == kind
    )
    return b"".join(sorted(records))


@settings(max_examples=soaking(6, 300), deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5)))
def test_whatever_the_batches(sizes: list[int], lost: set[int], dropped: set[int]) -> None:
    """Also where another writer was in between, and where an index has covered some of it."""
    fresh, first, taken = Fresh(), MAX_COVERED, 0
    for number, made in enumerate(batches(sizes)):
        stop = made.base + made.count
        if number in lost:
            first, taken = MAX_COVERED, 0
            continue
        fresh.take(made, KINDS)
        first, taken = min(first, made.base), taken + made.count
        if number in dropped:
            fresh.drop()
            first, taken = max(first, stop // 8 * 8), 0
        covered = max(first, stop // 8 * 8)
        assert fresh.entries == taken
        for kind in KINDS:
            assert fresh.first(kind) == first
            for start, end in ((first, covered), (min(first + 3, covered), covered), (first, max(covered - 8, first))):
                assert b"".join(fresh.records(kind, start, end)) == expected(kind, start, end)


def test_kinds_that_begin_or_end() -> None:
    """One that begins is known from there on, one that ended not at all."""
    one, other, last = batches([16, 16, 16])
    fresh = Fresh()
    assert fresh.first("leaf/1") == MAX_COVERED
    assert list(fresh.records("leaf/1", 0, 8)) == []
    fresh.take(one, ["leaf/1"])
    fresh.take(other, KINDS)
    assert [fresh.first(kind) for kind in KINDS] == [0, 16, 16]
    fresh.take(last, ["name/1"])
    assert [fresh.first(kind) for kind in KINDS] == [MAX_COVERED, MAX_COVERED, 16]


def test_what_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an error nothing is known that was not computed."""
    one, other = batches([16, 16])
    fresh = Fresh()
    fresh.take(one, KINDS)

    def broken(*_: object) -> None:
        raise ValueError("of a library below")

    monkeypatch.setattr(module, "records_of", broken)
    with pytest.raises(ValueError, match="below"):
        fresh.take(other, KINDS)
    assert [fresh.first(kind) for kind in KINDS] == [MAX_COVERED] * 3
