"""One anchor a log: what the commands say where it is missing or another one, and how a new one is begun."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.bucket_logs import LOG, PRIVATE, begin, files
from tests.support.command_line import ORIGIN, Command
from tests.support.object_server import ObjectServer
from tiles.signing.anchor import SEALED, parse_anchor

WRITING = (
    ("add", "log", "--again", "b"),
    ("add", "log", "--stdin-lines"),
    ("sequence", "log"),
    ("freeze", "log", "--yes"),
)


def copied(place: str) -> None:
    """Copy the log, its private part and its key, and not the anchor, as to another machine."""
    shutil.copytree("log", f"{place}/log")
    shutil.copytree("log.private", f"{place}/log.private")
    shutil.copy("k", f"{place}/k")


def test_a_copy_without_the_anchor_is_refused(tiletree: Command, log: str) -> None:
    """Two machines have the log and the key; neither signs anything, and the original goes on."""
    for place in ("one", "two"):
        Path(place).mkdir()
        copied(place)
        before = sorted(path.read_bytes() for path in Path(place).rglob("*") if path.is_file())
        for command, _, *more in WRITING:
            done = tiletree(command, f"{place}/log", *more, "--key", f"{place}/k", stdin=b"line\n")
            assert done.code == 4, done
            assert f"there is no anchor at {place}/k.anchor" in done.err
            assert "`tiletree key adopt`" in done.err
        status = tiletree("status", f"{place}/log", "--key", f"{place}/k", "--json")
        assert status.code == 4
        assert status.json["anchor"] is None
        assert status.json["next"].startswith("refuse: there is no anchor")
        assert sorted(path.read_bytes() for path in Path(place).rglob("*") if path.is_file()) == before
    tiletree.ok("add", "log", "--again", "b", "--key", "k")


def test_another_machines_anchor_is_refused(tiletree: Command, log: str) -> None:
    """An anchor of the same key and name, which was made for another log of that name, is not the log's."""
    tiletree.ok("key", "forget", "log", "--seen", "--vkey", log)  # as on another machine
    tiletree.ok("init", "other", "--origin", ORIGIN, "--key", "k", "--anchor", "else")
    done = tiletree("add", "log", "--again", "b", "--key", "k", "--anchor", "else")
    assert done.code == 4
    assert "the anchor at else is not that of the log at log.private" in done.err


def test_the_race_for_a_beginning(tiletree: Command) -> None:
    """Whoever begins the same log with an anchor elsewhere is told which one it has."""
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")
    done = tiletree("init", "log", "--origin", ORIGIN, "--key", "k", "--anchor", "else")
    assert done.code == 4
    assert "else" in done.err
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k", "--anchor", "k.anchor")


def test_moving(tiletree: Command, log: str) -> None:
    """The old anchor is sealed, the new one is found by later commands; again it is as it was."""
    done = tiletree.ok("key", "adopt", "log", "--key", "k", "--anchor", "else")
    assert (done["anchor"], done["new"], done["sealed"], done["size"]) == ("else", True, True, 2)
    assert parse_anchor(Path("k.anchor/anchor").read_bytes()).state == SEALED
    tiletree.ok("add", "log", "--again", "b", "--key", "k")
    refused = tiletree("add", "log", "--again", "b", "--key", "k", "--anchor", "k.anchor")
    assert refused.code == 4
    again = tiletree("key", "adopt", "log", "--key", "k")
    assert again.code == 0
    assert again.out == f"anchor of {ORIGIN}: {Path('else').absolute()}, as it was, size 3\n"


@pytest.mark.parametrize("answer", [b"y\n", b"n\n", b""])
def test_a_lost_anchor(tiletree: Command, log: str, answer: bytes) -> None:
    """It is asked whether other writers are stopped; a yes begins a new one in the place of the lost one."""
    shutil.rmtree("k.anchor")
    done = tiletree("key", "adopt", "log", "--key", "k", stdin=answer)
    assert "Stop every other writer" in done.err
    assert done.code == (0 if answer.startswith(b"y") else 130)
    assert tiletree("add", "log", "--again", "b", "--key", "k").code == (0 if answer.startswith(b"y") else 4)


def test_a_log_put_back_beside_its_anchor(tiletree: Command, log: str) -> None:
    """It is not taken up, even where somebody says yes."""
    Path("old").mkdir()
    copied("old")
    tiletree.ok("add", "log", "--again", "b", "--key", "k")
    for part in ("log", "log.private"):
        shutil.rmtree(part)
        shutil.copytree(f"old/{part}", part)
    done = tiletree("key", "adopt", "log", "--key", "k", "--anchor", "else", "--yes")
    assert done.code == 4
    assert "was signed, and the log has size 2" in done.err
    assert not Path("else").exists()


def test_freezing_holds(tiletree: Command, log: str) -> None:
    """A log that was frozen, and whose private part is put back, stays closed."""
    Path("old").mkdir()
    copied("old")
    tiletree.ok("freeze", "log", "--yes", "--key", "k")
    shutil.rmtree("log.private")
    shutil.copytree("old/log.private", "log.private")
    done = tiletree("add", "log", "--again", "b", "--key", "k")
    assert done.code == 4
    assert "was frozen, and its head is open" in done.err


def test_in_a_bucket(s3: ObjectServer, tiletree: Command) -> None:
    """From beside the key to a bucket that several machines share, which is tried out before."""
    begin(tiletree, LOG, PRIVATE, "--key", "k")
    assert tiletree.ok("key", "adopt", LOG, "--key", "k", "--anchor", "s3://anchors/log")["sealed"]
    tiletree.ok("add", LOG, "--again", *files("a"))
    assert set(s3.objects["anchors"]) == {"log/anchor"}
