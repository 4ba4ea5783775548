"""What is kept of a log's endorsements: nothing that is missing, damaged or another log's is passed over."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.endorsing import OTHER, POLICY, PRIVATE, checkpoint_of, entry_of, private_client, private_log
from tests.support.reference import flipped
from tests.support.signed_text import W1
from tiles.errors import AccessError, Refused
from tiles.user.seen_checkpoints import Visits
from tiles.watch.monitor_endorsed import EndorsedLog

SIGNED = [checkpoint_of(private_log(size)) for size in (3, 300, 400)]


@pytest.fixture
def log(tmp_path: Path) -> EndorsedLog:
    """Return a log three of whose trees were endorsed."""
    made = EndorsedLog(tmp_path, [PRIVATE.verifier])
    made.begin()
    assert [made.keep(signed)[1] for signed in SIGNED] == [True] * 3
    return made


def test_kept_once(log: EndorsedLog) -> None:
    """The first one of a size stays, also once the log was held to it."""
    twin = checkpoint_of(private_log(300, tag="other"))
    assert log.keep(twin) == (SIGNED[1], False)
    assert list(log.hold(private_client(private_log(3, 300, 400)), Visits(log.folder))) == []
    assert not log.is_waiting
    assert log.keep(twin) == (SIGNED[1], False)
    log.check()


def test_begun_again(log: EndorsedLog) -> None:
    """It is not emptied."""
    log.begin()
    log.check()
    assert log.is_waiting


def test_whoever_wrote_died(log: EndorsedLog) -> None:
    """What was written and not counted is counted, and what was not whole is left."""
    (log.folder / "count").write_bytes(b"2\n")
    (log.folder / "new" / ".0123.tmp").write_bytes(b"half")
    log.check()
    assert (log.folder / "count").read_bytes() == b"3\n"


def file(name: str, data: bytes) -> Callable[[Path], None]:
    """Return what writes a file."""
    return lambda folder: (folder / name).write_bytes(data) and None


MISSING = [
    (shutil.rmtree, "count is missing"),
    (lambda folder: (folder / "count").unlink(), "count is missing"),
    (file("count", b"3.0\n"), "count is damaged"),
    (file("count", b""), "count is damaged"),
    (lambda folder: (folder / "new" / "300").unlink(), "has 2 endorsed checkpoints, and had 3"),
    (lambda folder: shutil.rmtree(folder / "new"), "new is missing"),
    (lambda folder: shutil.rmtree(folder / "held"), "held is missing"),
]


@pytest.mark.parametrize(("damage", "words"), MISSING)
def test_missing(log: EndorsedLog, damage: Callable[[Path], None], words: str) -> None:
    """It is named before anything is read, with what can be done."""
    damage(log.folder)
    with pytest.raises(Refused, match=words) as caught:
        log.check()
    assert "--begin first" in caught.value.hint
    assert str(log.folder) in caught.value.hint


ENTRY = SIGNED[1].data
DAMAGED = [
    (b"", "is damaged, or another log's"),
    (ENTRY[:-1], "is damaged, or another log's"),
    (flipped(ENTRY, 9), "is damaged, or another log's"),
    (entry_of(private_log(400)), "is the checkpoint of size 400"),
    (checkpoint_of(private_log(300)).data.replace(b"private", b"another"), "is damaged, or another log's"),
]


@pytest.mark.parametrize(("data", "words"), DAMAGED)
def test_damaged(log: EndorsedLog, data: bytes, words: str) -> None:
    """It is named when it is compared, and not written over."""
    path = log.folder / "new" / "300"
    path.write_bytes(data)
    with pytest.raises(Refused, match=words):
        log.keep(SIGNED[1])
    (error,) = log.hold(private_client(private_log(3, 300, 400)), Visits(log.folder))
    assert isinstance(error, Refused)
    assert path.read_bytes() == data
    assert (log.folder / "held" / "3").exists()


def test_of_another_key(tmp_path: Path, log: EndorsedLog) -> None:
    """What another key of the name has signed is in another place, and put into this one it is refused."""
    other = EndorsedLog(tmp_path, [OTHER.verifier])
    assert other.folder != log.folder
    assert not other.is_begun
    shutil.copytree(log.folder, other.folder)
    other.check()
    (error,) = other.hold(private_client(private_log(3, 300, 400)), Visits(tmp_path))
    assert isinstance(error, Refused)


def test_longer_than_an_entry(log: EndorsedLog) -> None:
    """No more is read than an entry can have."""
    (log.folder / "new" / "300").write_bytes(bytes(1 << 17))
    with pytest.raises(AccessError, match="longer than"):
        log.keep(SIGNED[1])


def test_whose_it_is(log: EndorsedLog) -> None:
    """It is the log all of whose keys are known by."""
    assert log.is_of([PRIVATE.verifier])
    assert log.is_of([OTHER.verifier, PRIVATE.verifier])
    assert not log.is_of([OTHER.verifier])
    assert log.policy == POLICY
    assert W1.verifier.name != log.origin
