"""What the client makes of checkpoints seen before: growth, forks, old copies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.readers import OTHER_KEY, POLICY, Objects, cosigned, entry, make_log
from tests.support.signed_text import LOG, ORIGIN
from tiles.errors import (
    AccessError,
    ForkError,
    TileError,
)
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.fork_evidence import check_fork
from tiles.notes.keys import signing_key
from tiles.notes.policy import Policy, parse_policy, policy_for, policy_of
from tiles.read.client import LogClient
from tiles.tree.layout import CHECKPOINT
from tiles.user.seen_checkpoints import Visits, read_evidence

BIG = 66_000  # three levels of tiles


def client(objects: dict[str, bytes] | Objects, visits: Visits | None = None, policy: Policy = POLICY) -> LogClient:
    """Return a client of a log."""
    return LogClient(objects if isinstance(objects, Objects) else Objects(objects), policy, visits=visits)


@pytest.fixture
def visits(tmp_path: Path) -> Visits:
    """Return an empty memory."""
    return Visits(tmp_path / "state")


# ---- what was seen before


def test_remembers(visits: Visits) -> None:
    """A visit remembers the checkpoint; the next one is shown to extend it, from tiles, before it is remembered."""
    objects = Objects(make_log(300))
    assert client(objects, visits).visit().signed.data == objects.objects[CHECKPOINT]
    assert objects.asked == [CHECKPOINT]
    objects.objects = make_log(300, 600)
    reader = client(objects, visits)
    reader.visit()
    assert len(objects.tiles_asked) > 0
    assert reader.newer is None
    last = visits.last(LOG.verifier)
    assert last is not None
    assert last.data == objects.objects[CHECKPOINT]
    reader.visit()
    assert reader.newer is None


GROWTHS = [(0, 5), (0, 0), (1, 2), (255, 256), (256, 257), (256, 600), (511, 512), (600, BIG)]


@pytest.mark.parametrize(("old", "new"), GROWTHS)
def test_every_growth_is_accepted(visits: Visits, old: int, new: int) -> None:
    """A sound log is accepted however it grew."""
    client(make_log(old), visits).visit()
    assert client(make_log(old, new), visits).visit().signed.tree.size == new


@pytest.mark.parametrize(("old", "new"), [(5, 5), (600, 600), (4, 5), (255, 256), (256, 257), (256, 512), (300, 600)])
@pytest.mark.parametrize("way", ["grows", "shrinks"])
def test_fork(visits: Visits, tmp_path: Path, old: int, new: int, way: str) -> None:
    """Two histories are a fork in whatever order they are seen: it is proven, saved, and nothing is forgotten."""
    seen, served = make_log(old), make_log(new, tag="other", same_up_to=old - 1)
    if way == "shrinks":
        # the larger tree's tiles have to be there for the smaller one to be compared with it
        seen, served = served, served | {CHECKPOINT: seen[CHECKPOINT]}
    client(seen, visits).visit()
    with pytest.raises(ForkError) as caught:
        client(served, visits).visit()
    last = visits.last(LOG.verifier)
    assert last is not None
    assert last.data == seen[CHECKPOINT]
    (saved,) = (tmp_path / "state" / "forks").iterdir()
    assert str(saved) in caught.value.hint
    assert read_evidence(saved) == caught.value.evidence
    older, newer = check_fork(read_evidence(saved), POLICY)
    assert {older.data, newer.data} == {seen[CHECKPOINT], served[CHECKPOINT]}
    assert older.tree.size <= newer.tree.size
    readme = (saved / "README").read_text()
    assert ORIGIN in readme
    assert LOG.verifier.vkey in readme


def test_fork_again(visits: Visits, tmp_path: Path) -> None:
    """The same fork seen twice is saved once; another one beside it."""
    client(make_log(600), visits).visit()
    for tag in ("other", "other", "third"):
        with pytest.raises(ForkError):
            client(make_log(600, tag=tag), visits).visit()
    assert len(list((tmp_path / "state" / "forks").iterdir())) == 2


def test_fork_without_room_for_its_evidence(visits: Visits, tmp_path: Path) -> None:
    """A fork is reported as one, evidence included, even if it cannot be saved."""
    client(make_log(600), visits).visit()
    (tmp_path / "state" / "forks").write_bytes(b"in the way")
    with pytest.raises(ForkError, match="two histories") as caught:
        client(make_log(600, tag="other"), visits).visit()
    assert "could not be saved" in caught.value.hint
    check_fork(caught.value.evidence, POLICY)


def test_fork_between_two_keys_of_one_log(visits: Visits) -> None:
    """A log with two keys cannot show one history with each."""
    lines = f"log {LOG.verifier.vkey}\nlog {OTHER_KEY.verifier.vkey}\nquorum none\n"
    policy = parse_policy(lines.encode())
    client(make_log(600), visits, policy).visit()
    with pytest.raises(ForkError) as caught:
        client(make_log(700, tag="other", key=OTHER_KEY), visits, policy).visit()
    check_fork(caught.value.evidence, policy)


@pytest.mark.parametrize(("old", "new"), [(600, 700), (700, 600), (600, 600)])
def test_fork_between_a_key_and_the_one_that_followed(visits: Visits, tmp_path: Path, old: int, new: int) -> None:
    """Who was shown a history by the old key, and pins the new one, is not to be shown another one by that."""
    client(make_log(old), visits).visit()
    visits.follow(LOG.verifier, OTHER_KEY.verifier)
    by_new = policy_for(OTHER_KEY.verifier)
    objects = make_log(new, tag="other", key=OTHER_KEY)
    if new < old:  # the larger tree's tiles have to be there for the smaller one to be compared with it
        objects = make_log(old) | {CHECKPOINT: objects[CHECKPOINT]}
    with pytest.raises(ForkError, match="signed by two different keys") as caught:
        client(objects, visits, by_new).visit()
    both = policy_of([LOG.verifier, OTHER_KEY.verifier])
    check_fork(caught.value.evidence, both)
    (saved,) = (tmp_path / "state" / "forks").iterdir()
    assert "--policy FILE" in (saved / "README").read_text()
    assert f"key forget LOG --seen --vkey {LOG.verifier.vkey}" in caught.value.hint
    assert visits.forget(LOG.verifier)  # it never was the log's key
    assert client(objects, visits, by_new).visit().signed.tree.size == new


def test_the_same_history_by_the_key_that_followed(visits: Visits) -> None:
    """A log that has changed its key is read on, and what was seen by the key before the last one counts still."""
    third = signing_key(ORIGIN, bytes([78]) * 32)
    client(make_log(300), visits).visit()
    visits.follow(LOG.verifier, OTHER_KEY.verifier)
    by_new = policy_for(OTHER_KEY.verifier)
    assert client(make_log(300, 600, key=OTHER_KEY), visits, by_new).visit().signed.tree.size == 600
    old_copy = client(make_log(300, 600) | {CHECKPOINT: make_log(100, key=OTHER_KEY)[CHECKPOINT]}, visits, by_new)
    old_copy.visit()
    assert old_copy.newer is not None
    visits.follow(OTHER_KEY.verifier, third.verifier)
    visits.forget(OTHER_KEY.verifier)
    with pytest.raises(ForkError):
        client(make_log(700, tag="other", key=third), visits, policy_for(third.verifier)).visit()


def test_remembered_under_each_key_that_has_signed(visits: Visits) -> None:
    """While both sign, a reader of both who is left with either has seen what the log showed."""
    both = policy_of([LOG.verifier, OTHER_KEY.verifier])
    client(cosigned(make_log(600), OTHER_KEY), visits, both).visit()
    for key in (LOG, OTHER_KEY):
        with pytest.raises(ForkError):
            client(make_log(700, tag="other", key=key), visits, policy_for(key.verifier)).visit()
    alone = Visits(visits.directory / "alone")
    client(make_log(600), alone, both).visit()
    assert alone.last(OTHER_KEY.verifier) is None


def test_damaged_tiles_are_no_fork(visits: Visits, tmp_path: Path) -> None:
    """A tile that is wrong shows nothing about the log's history: no fork is claimed, nothing new is remembered."""
    client(make_log(300), visits).visit()
    objects = make_log(300, 600)
    objects["tile/1/000.p/2"] = bytes(64)
    with pytest.raises(TileError):
        client(objects, visits).visit()
    last = visits.last(LOG.verifier)
    assert last is not None
    assert last.tree.size == 300
    assert not (tmp_path / "state" / "forks").exists()


def test_an_old_copy(visits: Visits) -> None:
    """An old checkpoint that the last one extends is read, `newer` tells, and what is remembered stays."""
    objects = make_log(300, 600)
    client(objects, visits).visit()
    reader = client(objects | {CHECKPOINT: make_log(300)[CHECKPOINT]}, visits)
    assert reader.visit().signed.tree.size == 300
    assert reader.newer is not None
    assert reader.newer.data == objects[CHECKPOINT]
    assert reader.entry(299) == entry(299)
    last = visits.last(LOG.verifier)
    assert last is not None
    assert last.tree.size == 600


def test_the_newest_of_all_keys(visits: Visits) -> None:
    """Of what was seen by the keys of one log, `newer` is the largest, and only what is larger than what is served."""
    keys = [LOG, OTHER_KEY]
    for first, second in (keys, keys[::-1]):
        policy = parse_policy(f"log {first.verifier.vkey}\nlog {second.verifier.vkey}\nquorum none\n".encode())
        for size, key in ((600, LOG), (900, OTHER_KEY)):
            visits.remember(key.verifier, parse_signed_checkpoint(make_log(size, key=key)[CHECKPOINT]), None)
        reader = client(make_log(300, 600, 900) | {CHECKPOINT: make_log(300)[CHECKPOINT]}, visits, policy)
        reader.visit()
        assert reader.newer is not None
        assert reader.newer.tree.size == 900


def test_an_old_copy_that_shows_nothing(visits: Visits) -> None:
    """An old copy without the newer tiles could be anything: it is not read, and no fork is claimed."""
    client(make_log(300, 600), visits).visit()
    with pytest.raises(AccessError, match="serves 300 entries, 600 were seen before"):
        client(make_log(300), visits).visit()


def test_another_visit_at_the_same_time(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another process remembers a checkpoint meanwhile, this one is compared with that one too."""
    objects = Objects(make_log(300, 600))
    client(make_log(300), visits).visit()
    meanwhile = iter([make_log(450, tag="other", same_up_to=300)])
    remember = visits.remember

    def slow(*arguments: object) -> bool:
        for other in meanwhile:
            assert remember(LOG.verifier, parse_signed_checkpoint(other[CHECKPOINT]), visits.last(LOG.verifier))
        return remember(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(visits, "remember", slow)
    with pytest.raises(ForkError):
        client(objects, visits).visit()


@pytest.mark.parametrize("seen", [0, 300])
def test_what_cannot_be_remembered(visits: Visits, monkeypatch: pytest.MonkeyPatch, seen: int) -> None:
    """Reading needs no place to write: the checkpoint is compared with what is remembered, and it is said why not."""
    if seen:
        client(make_log(300), visits).visit()

    def full(*_arguments: object, **_options: object) -> None:
        raise AccessError("the disk is full")

    monkeypatch.setattr("tiles.user.seen_checkpoints.write_file", full)
    reader = client(make_log(300, 600), visits)
    assert reader.visit().signed.tree.size == 600
    assert reader.not_remembered == "the disk is full"
    assert reader.entry(599) == entry(599)
    if seen:
        with pytest.raises(ForkError):
            client(make_log(600, tag="other"), visits).visit()
    monkeypatch.undo()
    reader.visit()
    assert reader.not_remembered == ""


def test_damaged_memory_is_no_missing_place(visits: Visits) -> None:
    """What is there and cannot be compared with is a reason not to read the log."""
    client(make_log(300), visits).visit()
    (path,) = (visits.directory / "visits").iterdir()
    path.write_bytes(b"?")
    with pytest.raises(AccessError, match="damaged"):
        client(make_log(300, 600), visits).visit()
