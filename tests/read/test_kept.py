"""What kept checkpoints show of a log's past: by which day an entry was there, and how the log was on a day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.support.readers import OTHER_KEY, POLICY, Objects, make_log
from tests.support.signed_text import LOG, TIME, W1, sign
from tiles.errors import AccessError, ForkError
from tiles.notes.checkpoint import parse_signed_checkpoint, with_signatures
from tiles.notes.fork_evidence import check_fork
from tiles.notes.policy import Policy, parse_policy
from tiles.read.client import LogClient
from tiles.read.kept import MOST, REACH, KeptCheckpoints
from tiles.records.paths import DAYS, checkpoint_path, day_path
from tiles.tree.layout import CHECKPOINT

TODAY = date(2026, 11, 29)
SIZES = (3, 10, 300, 700)


def ago(days: int) -> date:
    """Return a day before today."""
    return TODAY - timedelta(days=days)


def log_of(kept: dict[int, int], tag: str = "entry") -> dict[str, bytes]:
    """Return a log that grew to SIZES and keeps checkpoints. kept: the size that it had, by how many days ago"""
    objects = {path: data for path, data in make_log(*SIZES).items() if not path.startswith(DAYS)}
    grown = make_log(*SIZES, tag=tag)
    for days, size in kept.items():
        objects[day_path(ago(days))] = grown[checkpoint_path(size)]
    return objects


def reader(objects: dict[str, bytes], policy: Policy = POLICY) -> tuple[KeptCheckpoints, Objects]:
    """Return what reads the kept checkpoints of a log, and what it fetches with, from now on."""
    fetcher = Objects(objects)
    client = LogClient(fetcher, policy)
    client.visit()
    fetcher.asked.clear()
    return KeptCheckpoints(client, TODAY), fetcher


GROWN = {40: 3, 30: 10, 12: 300, 2: 700}


@pytest.mark.parametrize(
    ("asked", "by", "after"),
    [
        (0, 2, None),
        (2, 2, None),
        (3, 12, 2),
        (12, 12, 2),
        (13, 30, 12),
        (39, 40, 30),
        (40, 40, 30),
        (41, None, 40),
        (40 + REACH - 1, None, 40),
        (40 + REACH + 1, None, None),
        (-1, 2, None),
    ],
)
def test_on_a_day(asked: int, by: int | None, after: int | None) -> None:
    """The newest kept of the day or before, and the oldest after it; what is beyond reach is not known."""
    kept, fetcher = reader(log_of(GROWN))
    found = kept.on(ago(asked))
    assert (found.by and found.by.day) == (None if by is None else ago(by))
    assert (found.after and found.after.day) == (None if after is None else ago(after))
    if found.by is not None and by is not None:
        assert found.by.size == GROWN[by]
        assert found.by.time is None
    assert len([path for path in fetcher.asked if path.startswith(DAYS)]) <= 2 * REACH
    assert kept.wrong == []


@pytest.mark.parametrize(
    ("size", "days"), [(0, 40), (2, 40), (3, 30), (9, 30), (10, 12), (299, 12), (300, 2), (700, None)]
)
@pytest.mark.parametrize("lists", [False, True])
def test_first_beyond(size: int, days: int | None, lists: bool) -> None:
    """The first day of a larger tree, among days that are asked for one by one, or that could be listed."""
    objects = log_of(GROWN)
    client = LogClient(Objects(objects), POLICY)
    client.visit()
    listed = [ago(each) for each in GROWN] if lists else None
    found = KeptCheckpoints(client, TODAY, listed).first_beyond(size)
    assert (found and found.day) == (None if days is None else ago(days))


def test_days_that_are_listed_are_all_in_reach() -> None:
    """What is out of reach for whoever asks day by day is not for whoever can list."""
    client = LogClient(Objects(log_of({900: 3, 800: 300})), POLICY)
    client.visit()
    assert KeptCheckpoints(client, TODAY).first_beyond(3) is None
    found = KeptCheckpoints(client, TODAY, [ago(900), ago(800)]).first_beyond(3)
    assert found is not None
    assert found.day == ago(800)
    before = KeptCheckpoints(client, TODAY, [ago(900), ago(800)]).newest(ago(801))
    assert before is not None
    assert before.size == 3


@pytest.mark.parametrize("index", [0, 2, 3, 9, 10, 299, 300, 699])
def test_by_a_day(index: int) -> None:
    """A day is found by which the entry was there, and not much later than the first one, in few requests."""
    kept, fetcher = reader(log_of(GROWN))
    found = kept.by(index)
    assert found is not None
    assert found.size > index
    first = max(days for days, size in GROWN.items() if size > index)
    assert found.day >= ago(first)
    assert len(fetcher.asked) <= MOST + 10


def test_by_the_first_day_of_a_log_that_grows_daily() -> None:
    """Where every day has a checkpoint, it is the first one that has the entry."""
    daily = {days: 3 if days > 77 else 10 if days > 50 else 700 for days in range(120)}
    kept, _ = reader(log_of(daily))
    for index, days in ((3, 77), (9, 77), (10, 50), (699, 50)):
        found = kept.by(index)
        assert found is not None
        assert found.day == ago(days)


def test_nothing_is_kept() -> None:
    """A log without kept checkpoints says nothing, and is not asked for ever."""
    kept, fetcher = reader(log_of({}))
    assert kept.by(0) is None
    assert len(fetcher.asked) <= MOST
    assert kept.on(TODAY).by is None


def test_requests_have_a_bound() -> None:
    """However many entries are asked for, a bounded number of days is."""
    kept, fetcher = reader(log_of({days: 3 if days % 7 else 700 for days in range(0, 2000, 3)}))
    for index in range(0, 700, 7):
        kept.by(index)
    assert len([path for path in fetcher.asked if path.startswith(DAYS)]) <= MOST


def test_what_is_none_of_the_log() -> None:
    """A kept checkpoint that somebody else signed, or that is none, counts for nothing, and is named."""
    objects = log_of({5: 300})
    objects[day_path(ago(3))] = make_log(700, key=OTHER_KEY)[CHECKPOINT]
    objects[day_path(ago(4))] = b"<html>"
    kept, _ = reader(objects)
    found = kept.on(TODAY)
    assert found.by is not None
    assert found.by.day == ago(5)
    assert [text.partition(":")[0] for text in kept.wrong] == [day_path(ago(3)), day_path(ago(4))]


@pytest.mark.parametrize("size", [300, 700])
def test_another_history(size: int) -> None:
    """A kept checkpoint of another history is a fork, which anyone can check; so is the one kept of its size."""
    kept, _ = reader(log_of({2: size}, tag="other"))
    for ask in (lambda: kept.on(TODAY), lambda: kept.by(5)):
        with pytest.raises(ForkError) as caught:
            ask()
        assert check_fork(caught.value.evidence, POLICY)
    objects = log_of({2: size})
    objects[checkpoint_path(size)] = make_log(*SIZES, tag="other")[checkpoint_path(size)]
    with pytest.raises(ForkError):
        reader(objects)[0].on(TODAY)


def test_larger_than_what_is_served() -> None:
    """Where an old checkpoint is served, a kept one that is larger is shown to extend it, or nothing is said."""
    served = make_log(*SIZES)[checkpoint_path(300)]
    objects = log_of({1: 700}) | {CHECKPOINT: served}
    found = reader(objects)[0].on(TODAY)
    assert found.by is not None
    assert found.by.size == 700
    without = {path: data for path, data in objects.items() if not path.startswith("tile/0/002")}
    with pytest.raises(AccessError):
        reader(without)[0].on(TODAY)
    other = objects | {CHECKPOINT: make_log(300, tag="other")[CHECKPOINT]}
    with pytest.raises(ForkError):
        reader(other)[0].on(TODAY)


def test_what_dates_it() -> None:
    """Cosignatures in the kept checkpoint date it, by the quorum of now, which need not have been met then."""
    objects = log_of(GROWN)
    signed = parse_signed_checkpoint(objects[day_path(ago(12))])
    by = [*signed.note.signatures, sign(signed.checkpoint, W1)]
    objects[day_path(ago(12))] = with_signatures(signed.checkpoint, by).data
    newest = parse_signed_checkpoint(objects[CHECKPOINT])
    objects[CHECKPOINT] = with_signatures(
        newest.checkpoint, [*newest.note.signatures, sign(newest.checkpoint, W1)]
    ).data
    policy = parse_policy(f"log {LOG.verifier.vkey}\nwitness w {W1.verifier.vkey}\nquorum w\n".encode())
    kept, _ = reader(objects, policy)
    dated, undated = kept.on(ago(12)).by, kept.on(ago(2)).by
    assert dated is not None
    assert undated is not None
    assert (dated.time, undated.time) == (TIME, None)
