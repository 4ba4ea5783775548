"""`tiletree status`: what the next run will find and do."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.support.command_line import ORIGIN, Command


def test_status_says_what_the_next_run_will_do(tiletree: Command, log: str) -> None:
    """Head, base, published, staged, anchor; and exit code 4 where the next run would refuse."""
    document = tiletree.ok("status", "log", "--key", "k")
    assert 0 <= document["head"].pop("age") < 600
    assert 0 <= document["published"].pop("age") <= 600
    assert document["head"] == {"size": 2, "root": document["published"]["root"], "base": 0, "frozen": False}
    assert document["anchor"] == document["published"]
    assert document["next"] == "add to the log, from index 2"
    Path("log/checkpoint").unlink()
    done = tiletree("status", "log", "--key", "k", "--json")
    assert done.code == 4
    assert "gone" in done.json["next"]
    assert tiletree("add", "log", "a", "--key", "k").code == 4


def test_what_waits(tiletree: Command, log: str) -> None:
    """Submissions that wait are counted, with their age; the run that decides them leaves none."""
    nothing = {"objects": 0, "bytes": 0, "oldest": None, "undeletable": 0, "unlistable": [], "problem": None}
    assert tiletree.ok("status", "log", "--key", "k")["backlog"] == nothing
    for name in ("one", "two", "three"):
        Path(name).write_bytes(name.encode())
        tiletree.ok("submit", "log", name, "--submitter", "ann")
    for waiting in Path("log.private/inbox/ann").iterdir():
        if waiting.is_file():
            os.utime(waiting, (time.time() - 7200, time.time() - 7200))
    found = tiletree.ok("status", "log", "--key", "k")["backlog"]
    assert (found["objects"], found["undeletable"], found["unlistable"]) == (3, 0, [])
    assert found["bytes"] > 100
    assert 7200 <= found["oldest"] < 8000
    assert "3 waiting, " in tiletree("status", "log", "--key", "k").out
    assert "the oldest for 2 hours" in tiletree("status", "log", "--key", "k").out
    tiletree.ok("sequence", "log", "--key", "k")
    assert tiletree.ok("status", "log", "--key", "k")["backlog"] == nothing


@pytest.mark.parametrize("key", ["gone", "another", "garbage", "readable"])
def test_a_key_that_no_run_can_sign_with(tiletree: Command, log: str, key: str) -> None:
    """The next run would fail: it is said, and exit code 4 says it to scripts."""
    assert tiletree.ok("status", "log", "--key", "k")["key"] == {"path": "k", "problem": None}
    if key == "another":
        tiletree.ok("key", "generate", "other.example.com", "--out", "other")
        Path("k").write_bytes(Path("other").read_bytes())
    elif key == "readable":
        Path("k").chmod(0o644)
    else:
        Path("k").unlink()
        if key == "garbage":
            Path("k").touch(0o600)
    done = tiletree("status", "log", "--key", "k", "--json")
    assert done.code == 4, done
    assert done.json["key"]["problem"]
    assert done.json["next"] == f"refuse: {done.json['key']['problem']}"
    assert tiletree("add", "log", "a", "--key", "k").code in (1, 2, 4)


@pytest.mark.parametrize("named", [False, True])
def test_without_the_key(tiletree: Command, log: str, named: bool) -> None:
    """A job that watches, and must not be able to sign, is told of everything else; a key that is gone is no alarm."""
    Path("k").unlink()
    assert tiletree("status", "log", "--key", "k").code == 4
    where = ("--key", "k") if named else ("--anchor", "k.anchor")
    found = tiletree.ok("status", "log", "--without-key", *where)
    assert (found["key"], found["alarms"], found["next"]) == (None, [], "add to the log, from index 2")
    assert "key        not looked for\n" in tiletree("status", "log", "--without-key", *where).out
    Path("one").write_bytes(b"one")
    tiletree.ok("submit", "log", "one", "--submitter", "ann")
    late = tiletree("status", "log", "--without-key", *where, "--max-backlog", "0", "--metrics")
    assert late.code == 9
    assert 'alarm="backlog"} 1' in late.out
    Path("k.anchor/anchor").unlink()
    gone = tiletree("status", "log", "--without-key", *where, "--json")
    assert (gone.code, gone.json["key"], [alarm["alarm"] for alarm in gone.json["alarms"]]) == (4, None, ["refused"])


def test_the_key_of_the_environment(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, and never shown."""
    text = Path("k").read_text().strip()
    monkeypatch.setenv("TILETREE_PRIVATE_KEY", text)
    done = tiletree("status", "log", "--anchor", "k.anchor", "--json")
    assert (done.code, done.json["key"]) == (0, {"path": "$TILETREE_PRIVATE_KEY", "problem": None})
    assert text not in done.out + done.err


@pytest.mark.parametrize(
    ("command", "modes", "found"),
    [
        ("add", {"log.private": 0o755}, ["log.private"]),
        ("sequence", {"log.private": 0o711, "log.private/head": 0o640}, ["log.private/head"]),
        ("status", {"k.anchor": 0o755, "k.anchor/anchor": 0o644}, ["k.anchor", "k.anchor/anchor"]),
        ("init", {"log.private": 0o750}, ["log.private"]),
    ],
)
def test_what_others_may_read(
    tiletree: Command, log: str, command: str, modes: dict[str, int], found: list[str]
) -> None:
    """Whoever writes is warned of what was made readable, until the command that the hint names has closed it."""
    call = {"add": ("add", "log", "a"), "init": ("init", "log", "--origin", ORIGIN)}.get(command, (command, "log"))
    for path, mode in modes.items():
        Path(path).chmod(mode)
    done = tiletree(*call, "--key", "k", "--json")
    assert (done.code, [Path(path).name for path in done.json["readable"]]) == (0, [Path(path).name for path in found])
    warning, hint = done.err.partition("warning: others on this machine may read")[2].splitlines()[:2]
    assert warning.endswith(", ".join(done.json["readable"]))
    assert hint == f"hint: chmod go-r {' '.join(done.json['readable'])}"
    subprocess.run(shlex.split(hint.removeprefix("hint: ")), check=True)
    assert "readable" not in tiletree.ok(*call, "--key", "k")


@pytest.mark.parametrize(
    ("command", "thing", "mode"),
    [("add", "log.private", 0o757), ("sequence", "k.anchor", 0o775), ("status", ".", 0o777), ("add", ".", 0o777)],
)
def test_what_others_may_write(tiletree: Command, log: str, command: str, thing: str, mode: int) -> None:
    """A private part or an anchor that others may write to is refused, and a folder where everyone may exchange it."""
    Path(thing).chmod(mode)
    done = tiletree(command, "log", *["a"][: command == "add"], "--key", "k", "--json")
    assert done.code == 4, done
    assert "can be written by" in done.out
    assert "chmod " in done.out


def test_alarms_and_metrics(tiletree: Command, log: str) -> None:
    """What is beyond a limit is named, and exit code 9 says it to scripts; within the limits there is none."""
    Path("c").write_bytes(b"c")
    tiletree.ok("submit", "log", "c", "--submitter", "ann")
    for waiting in Path("log.private/inbox/ann").iterdir():
        if waiting.is_file():
            os.utime(waiting, (time.time() - 7200, time.time() - 7200))
    call = ("status", "log", "--key", "k", "--max-backlog", 0, "--max-oldest", 7100, "--max-age", 3600)
    done = tiletree(*call, "--json")
    assert done.code == 9
    found = {alarm.pop("alarm"): alarm for alarm in done.json["alarms"]}
    assert found["backlog"] == {"text": "waiting submissions: 1; the limit is 0", "value": 1, "limit": 0}
    assert set(found) == {"backlog", "oldest"}  # something was published just now
    assert tiletree(*call).err.startswith("alarm: backlog: waiting submissions: 1; the limit is 0\n")
    assert tiletree.ok("status", "log", "--key", "k", "--max-backlog", 1, "--max-oldest", 7300)["alarms"] == []
    key = Path("k").read_text()
    Path("k").unlink()
    refused = tiletree(*call, "--json")
    assert (refused.code, refused.json["alarms"][0]["alarm"]) == (4, "refused")
    assert tiletree("status", "log", "--max-oldest", "soon").code == 2
    assert tiletree("status", "log", "--max-backlog", -1).code == 2
    Path("k").write_text(key)
    Path("k").chmod(0o600)
    tiletree.ok("sequence", "log", "--key", "k")
    # the numbers that scrapers read, with the same exit code; alarms are told apart from them
    done = tiletree("status", "log", "--key", "k", "--metrics", "--max-backlog", 0)
    found = {family.name: family.samples for family in text_string_to_metric_families(done.out)}
    assert (done.code, found["tiletree_published_size"][0].value, done.err) == (0, 3, "")
    assert {sample.labels["alarm"]: sample.value for sample in found["tiletree_alarm"]}["backlog"] == 0
    assert tiletree.ok("status", "log", "--key", "k", "--metrics")["metrics"].endswith("# EOF\n")
    Path("log/checkpoint").unlink()
    done = tiletree("status", "log", "--key", "k", "--metrics")
    found = {family.name: family.samples for family in text_string_to_metric_families(done.out)}
    assert (done.code, found["tiletree_published_size"][0].value) == (4, 0)
    assert {sample.labels["alarm"]: sample.value for sample in found["tiletree_alarm"]}["refused"] == 1
    assert "alarm: refused: the next run would refuse" in done.err
