from __future__ import annotations

import os
import shlex
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.readers import OTHER_KEY, make_log
from tests.support.signed_text import LOG
from tiles.errors import AccessError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.fork_evidence import fork_error
from tiles.notes.keys import signing_key
from tiles.tree.layout import CHECKPOINT
from tiles.user import files as userfiles
from tiles.user.files import locked, write_file
from tiles.user.seen_checkpoints import Visits, read_evidence

KEY = LOG.verifier


def checkpoint(size: int, tag: str = "entry") -> SignedCheckpoint:
    """Return the checkpoint of a log of that size."""
    return parse_signed_checkpoint(make_log(size, tag=tag)[CHECKPOINT])


def last(visits: Visits) -> SignedCheckpoint:
    """Return what is remembered, which must be something."""
    found = visits.last(KEY)
    assert found is not None
    return found


@pytest.fixture
def visits(tmp_path: Path) -> Visits:
    """Return an empty memory."""
    return Visits(tmp_path / "some" / "state")


# ---- the last checkpoint


def test_nothing_yet(visits: Visits) -> None:
    """Of a log never seen nothing is remembered, and asking makes no directory."""
    assert visits.last(KEY) is None
    assert not visits.directory.exists()


def test_remember(visits: Visits) -> None:
    """What is remembered is there for everyone who looks, byte for byte, and for no other key."""
    assert visits.remember(KEY, checkpoint(5), None)
    assert last(Visits(visits.directory)).data == checkpoint(5).data
    assert visits.last(OTHER_KEY.verifier) is None
    assert visits.last(signing_key("other.example.com", LOG.seed).verifier) is None


def test_keys_of_before(visits: Visits) -> None:
    """One follows the other, oldest first, each once; a key that comes back does not follow itself."""
    a, b, c = (signing_key(LOG.verifier.name, bytes([n]) * 32).verifier for n in (1, 2, 3))
    assert visits.before(a) == ()
    visits.follow(a, b)
    visits.follow(a, b)
    visits.follow(b, c)
    assert Visits(visits.directory).before(c) == (a, b)
    assert visits.before(a) == ()
    visits.follow(c, a)
    assert visits.before(a) == (b, c)
    for n in range(40):
        visits.follow(signing_key(LOG.verifier.name, bytes([n + 10]) * 32).verifier, b)
    assert len(visits.before(b)) == 16
    assert visits.before(b)[-1] == signing_key(LOG.verifier.name, bytes([49]) * 32).verifier


@pytest.mark.parametrize("data", [b"junk\n", b"", KEY.vkey.encode(), f"{KEY.vkey}\r\n".encode()])
def test_damaged_keys_of_before(visits: Visits, data: bytes) -> None:
    """A log is then not read: as after a checkpoint that is damaged, another history could be shown."""
    visits.follow(KEY, OTHER_KEY.verifier)
    (path,) = (visits.directory / "visits").glob("*.before")
    path.write_bytes(data)
    if data:
        with pytest.raises(AccessError, match="damaged"):
            visits.before(OTHER_KEY.verifier)
    else:
        assert visits.before(OTHER_KEY.verifier) == ()


def test_never_smaller(visits: Visits) -> None:
    """A smaller checkpoint, and another one of the same size, change nothing."""
    visits.remember(KEY, checkpoint(5), None)
    for other in (checkpoint(4), checkpoint(0), checkpoint(5, "other")):
        assert visits.remember(KEY, other, checkpoint(5))
        assert last(visits).data == checkpoint(5).data
    assert visits.remember(KEY, checkpoint(6), checkpoint(5))
    assert last(visits).data == checkpoint(6).data


@pytest.mark.parametrize("since", [None, 4, 6])
def test_only_from_what_was_compared(visits: Visits, since: int | None) -> None:
    """A checkpoint that was compared with another one than is remembered changes nothing, and that is told."""
    visits.remember(KEY, checkpoint(5), None)
    assert not visits.remember(KEY, checkpoint(9), None if since is None else checkpoint(since))
    assert last(visits).data == checkpoint(5).data


def test_many_at_once(visits: Visits) -> None:
    """However many remember at the same time, each from what it has read, none goes unseen and the largest stays."""

    def remember(size: int) -> None:
        while not visits.remember(KEY, checkpoint(size), visits.last(KEY)):
            pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(remember, range(1, 25)))
    assert last(visits).tree.size == 24


def test_is_locked_while_it_writes(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered is compared and replaced in one step: nobody else is let in between."""

    def write(path: Path, data: bytes) -> None:
        with pytest.raises(AccessError, match="stays locked"), locked(visits.directory, wait=0.0):
            pytest.fail("let in")
        write_file(path, data)

    monkeypatch.setattr("tiles.user.seen_checkpoints.write_file", write)
    assert visits.remember(KEY, checkpoint(5), None)
    assert last(visits).tree.size == 5


def test_one_of_two_at_once(visits: Visits) -> None:
    """Of two that start from the same checkpoint, one is told to compare again."""
    since = visits.last(KEY)
    assert [visits.remember(KEY, checkpoint(size), since) for size in (5, 6)] == [True, False]


@pytest.mark.parametrize(
    "damage",
    [
        lambda _data: b"",
        lambda data: data[:-1],
        lambda data: data.replace(b"\n5\n", b"\n6\n"),
        lambda _data: make_log(5, key=OTHER_KEY)[CHECKPOINT],
        lambda data: data + bytes(1 << 20),
    ],
)
def test_damage_is_no_reason_to_forget(visits: Visits, damage: object) -> None:
    """A damaged memory is reported, with its path, and not taken for an empty one, nor for the log's doing."""
    visits.remember(KEY, checkpoint(5), None)
    (path,) = (visits.directory / "visits").iterdir()
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))
    damaged = path.read_bytes()
    for call in (lambda: visits.last(KEY), lambda: visits.remember(KEY, checkpoint(9), None)):
        with pytest.raises(AccessError, match=str(path)):
            call()
    assert path.read_bytes() == damaged


def test_only_the_user_can_read_it(visits: Visits) -> None:
    """Files have mode 0600 and directories 0700, whatever the umask."""
    before = os.umask(0)
    try:
        visits.remember(KEY, checkpoint(5), None)
        visits.save_evidence(KEY, fork_error(checkpoint(5), checkpoint(5, "other")).evidence)
    finally:
        os.umask(before)
    found = list(visits.directory.parent.rglob("*"))
    assert len(found) > 6
    for path in found:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_no_place(tmp_path: Path) -> None:
    """A memory that cannot be written is a broken way, and says where."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AccessError, match=str(tmp_path / "file")):
        Visits(tmp_path / "file" / "state").remember(KEY, checkpoint(5), None)


# ---- evidence


def test_evidence(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fork gets a directory of its own, with what was signed and how to check it; it is never written again."""
    fork = fork_error(checkpoint(5), checkpoint(5, "other"))
    saved = visits.save_evidence(KEY, fork.evidence)
    assert read_evidence(saved) == fork.evidence
    assert f"tiletree verify --fork . --vkey {KEY.vkey}" in (saved / "README").read_text()
    assert sorted(path.name for path in saved.iterdir()) == ["README", *sorted(fork.evidence)]
    (saved / "README").write_bytes(b"mine")
    assert visits.save_evidence(KEY, fork.evidence) == saved
    assert (saved / "README").read_bytes() == b"mine"
    with monkeypatch.context() as context:
        context.setattr("tiles.user.seen_checkpoints.write_file", pytest.fail)
        assert visits.save_evidence(KEY, fork.evidence) == saved
    other = visits.save_evidence(KEY, fork_error(checkpoint(5), checkpoint(5, "third")).evidence)
    assert other != saved
    assert sorted(path.name for path in saved.parent.iterdir()) == sorted([saved.name, other.name])


@pytest.mark.parametrize("origin", ["a/../../b", "..", "/etc", "é\u2026/\\:*?", "x" * 300, "log.example.com/a"])
def test_evidence_stays_in_its_place(visits: Visits, origin: str) -> None:
    """An origin, which the log chooses, cannot lead out of the directory."""
    key = signing_key(origin, bytes(32)).verifier
    saved = visits.save_evidence(key, {"older": b"1", "newer": b"2"})
    assert saved.resolve().parent == (visits.directory / "forks").resolve()
    assert origin in (saved / "README").read_text()


def test_command_is_safe_to_copy(visits: Visits) -> None:
    """An origin cannot add to the command that the README asks for."""
    key = signing_key("a;touch${IFS}/tmp/x;'", bytes(32)).verifier
    readme = (visits.save_evidence(key, {"older": b"1"}) / "README").read_text()
    (command,) = [line for line in readme.splitlines() if "tiletree" in line]
    assert shlex.split(command) == ["tiletree", "verify", "--fork", ".", "--vkey", key.vkey]


def test_evidence_by_two_at_once(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another process saves the same evidence first, its directory is as good."""

    def slow(path: Path) -> None:
        monkeypatch.undo()
        visits.save_evidence(KEY, {"older": b"1"})
        userfiles.make_directory(path)

    monkeypatch.setattr("tiles.user.seen_checkpoints.make_directory", slow)
    saved = visits.save_evidence(KEY, {"older": b"1"})
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_half_written_evidence_is_removed(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evidence is there whole or not at all."""

    def full(*_arguments: object) -> None:
        raise AccessError("the disk is full")

    monkeypatch.setattr("tiles.user.seen_checkpoints.write_file", full)
    with pytest.raises(AccessError):
        visits.save_evidence(KEY, {"older": b"1", "newer": b"2"})
    assert list((visits.directory / "forks").iterdir()) == []
