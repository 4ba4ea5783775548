"""`tiletree monitor`: many logs, each by itself; what is said, handed over and kept, and the exit code at the end."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Command, Done
from tests.support.fault_server import Server, body, serving, silence, status
from tests.support.indexed import changed, numbers
from tests.support.readers import OTHER_KEY, make_log
from tests.support.signed_text import LOG, key
from tiles.errors import AccessError, UsageError
from tiles.notes.index_head import IndexHead
from tiles.tree.merkle import Hash
from tiles.watch.monitor_reading import Match, Unread
from tiletree.commands import monitor_report
from tiletree.commands.monitor_report import Handler, Teller

VKEY = LOG.verifier.vkey
GOOD, BAD = key("good.example.com", 41), key("bad.example.com", 42)
BEGIN = ("--state", "state", "--begin", "first")


def write(objects: dict[str, bytes], directory: str) -> None:
    """Write a log into a directory, which somebody may be reading: each file whole, and the checkpoint last."""
    for path, data in sorted(objects.items(), key=lambda item: item[0] == "checkpoint"):
        file = Path(directory, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        half = file.with_name(f".{file.name}")
        half.write_bytes(data)
        half.replace(file)


def documents(done: Done, event: str = "") -> list[dict[str, Any]]:
    """Return the documents of a call, or those of one kind."""
    found = [json.loads(line) for line in done.out.splitlines()]
    return [each for each in found if event in ("", each["event"])]


def kept() -> list[dict[str, Any]]:
    """Return what is kept of the one log that was watched."""
    (path,) = Path("state").glob("*/matches.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def policy() -> list[str]:
    """Return what says that two logs are trusted."""
    Path("policy").write_text(f"log {GOOD.verifier.vkey}\nlog {BAD.verifier.vkey}\nquorum none\n")
    return ["--policy", "policy"]


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve a log which is not good."""
    with serving(make_log(300, 600, key=BAD)) as found:
        yield found


# ---- what is told


def test_entries_that_match(tiletree: Command, log: str) -> None:
    """Each is told once, with its keys, and kept; the next round has nothing to tell."""
    for name in ("app-1", "other", "app-2"):
        Path(name).write_bytes(name.encode())
        tiletree.ok("add", "log", name, "--name", "--key", "k")
    words = ("monitor", "log", *BEGIN, "--match", "name/1=app-*", "--vkey", log)
    done = tiletree(*words, "--json")
    assert done.code == 0
    assert [(each["index"], each["by"]) for each in documents(done, "match")] == [
        (2, ["name/1=app-*"]),
        (4, ["name/1=app-*"]),
    ]
    assert {"kind": "name/1", "value": "app-2"} in documents(done, "match")[1]["keys"]
    (told,) = documents(done, "round")
    assert (told["first_index"], told["count"], told["matches"], told["size"], told["trust"]) == (0, 5, 2, 5, "pinned")
    assert kept() == documents(done, "match")
    done = tiletree(*words)
    assert done.code == 0
    assert done.out.endswith(": 0 new entries, 0 found\n")
    assert tiletree(*words, "--quiet").out == ""


def test_every_entry_or_none(tiletree: Command, log: str) -> None:
    """--all tells every entry; without it and a pattern, only what came of the round."""
    assert len(documents(tiletree("monitor", "log", *BEGIN, "--all", "--json", "--vkey", log), "match")) == 2
    silent = tiletree("monitor", "log", "--state", "two", "--begin", "first", "--json", "--vkey", log)
    assert [each["event"] for each in documents(silent)] == ["round"]


def test_by_a_key(tiletree: Command, log: str) -> None:
    """What says that a key has signed it."""
    tiletree.ok("key", "generate", "--signing", "--out", "sk")
    tiletree.ok("sign", "a", "--log", "log", "--key", "sk", "--log-key", "k")
    done = tiletree("monitor", "log", *BEGIN, "--key", "sk.pub", "--json", "--vkey", log)
    (found,) = documents(done, "match")
    assert (found["index"], found["kind"]) == (2, "hashedrekord")


def test_a_log_that_is_not_begun(tiletree: Command, log: str) -> None:
    """It is refused, and told how it can be begun."""
    done = tiletree("monitor", "log", "--state", "state", "--vkey", log)
    assert done.code == 4
    assert "--begin" in done.err
    assert not Path("state").exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["log"], "--state"),
        (["log", "log", *BEGIN], "log is named twice"),
        (["log", "other", *BEGIN, "--vkey", VKEY], "--vkey is the key of one log"),
        (["log", *BEGIN, "--once", "--interval", 5], "cannot be named together"),
        (["log", *BEGIN, "--all", "--match", "name/1=a"], "leave out --match"),
        (["log", *BEGIN, "--match", "name=a"], "kind of keys"),
        (["log", *BEGIN, "--exec", "no-such-program-1"], "there is no such program"),
        (["log", *BEGIN, "--exec", "'"], "No closing quotation"),
    ],
)
def test_wrong_calls(tiletree: Command, words: list[str], problem: str) -> None:
    """Nothing is begun."""
    done = tiletree("monitor", *words)
    assert done.code == 2
    assert problem in done.err
    assert not Path("state").exists()


# ---- many logs


@pytest.mark.parametrize(
    ("path", "answer", "code", "words"),
    [
        ("/checkpoint", body(make_log(600, tag="other", key=BAD)["checkpoint"]), 7, "shows two histories"),
        ("/checkpoint", body(make_log(300, tag="other", key=BAD)["checkpoint"]), 7, "shows two histories"),
        ("/checkpoint", body(make_log(600, key=OTHER_KEY)["checkpoint"]), 1, "no log of the policy has the origin"),
        ("/checkpoint", body(b"<html>busy</html>"), 3, "is a web page"),
        ("/checkpoint", status(404), 3, "not found"),
        ("/checkpoint", silence, 3, "was not read to its end in 1 seconds"),
    ],
)
def test_one_that_lies_and_one_that_does_not(
    tiletree: Command, policy: list[str], server: Server, path: str, answer: Any, code: int, words: str
) -> None:
    """What is wrong with one is told, and the other one is watched all the same."""
    write(make_log(300, key=GOOD), "good")
    call = ("monitor", server.url, "good", *BEGIN, *policy, "--timeout", 1, "--json")
    assert tiletree(*call[:-1]).code == 0
    write(make_log(300, 600, key=GOOD), "good")
    server.script[path] = [answer]
    done = tiletree(*call)
    assert done.code == code
    (trouble,) = documents(done, "trouble")
    assert (trouble["log"], trouble["code"]) == (server.url, code)
    assert words in trouble["error"]["message"]
    (told,) = documents(done, "round")
    assert (told["log"], told["count"]) == ("good", 300)
    server.script.clear()
    assert tiletree(*call).code == 0


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ValueError("secret"), 70, "a fault of tiletree itself: ValueError"),
        (OSError(5, "broken", "disk"), 3, "disk: broken"),
    ],
)
def test_what_nobody_expected(
    tiletree: Command, policy: list[str], monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, words: str
) -> None:
    """A fault while one log is read is told as one, and the other one is watched all the same."""
    write(make_log(3, key=GOOD), "good")
    write(make_log(3, key=BAD), "bad")
    line = Teller.line

    def failing(self: Teller, origin: str, found: Match | Unread) -> bytes:
        if origin == BAD.name:
            raise error
        return line(self, origin, found)

    monkeypatch.setattr(Teller, "line", failing)
    done = tiletree("monitor", "bad", "good", *BEGIN, *policy, "--all", "--json")
    assert done.code == code
    (trouble,) = documents(done, "trouble")
    assert words in trouble["error"]["message"]
    assert "secret" not in done.out + done.err
    assert len(documents(done, "match")) == 3


def test_an_index_that_lies(tiletree: Command) -> None:
    """Its evidence is saved, and is exit code 1; the entries are told."""
    write(changed(numbers(), "leaf/1", lying), "log")
    call = ("monitor", "log", *BEGIN, "--index", "--vkey", VKEY, "--match", "name/1=file-*", "--json")
    done = tiletree(*call)
    assert done.code == 1
    (trouble,) = documents(done, "trouble")
    assert "the log has signed an index that is wrong" in trouble["error"]["message"]
    assert len(documents(done, "match")) == 625
    (evidence,) = Path("state/forks").iterdir()
    against = ("index", "check", "log", "--vkey", VKEY, "--against", evidence / "index-head", "--save", "again")
    assert tiletree(*against).code == 1


def lying(head: IndexHead) -> IndexHead:
    """Return a head with the root of its last run wrong."""
    return replace(head, runs=(*head.runs[:-1], replace(head.runs[-1], root=Hash(b"\x07" * 32))))


def test_a_fork_is_evidence(tiletree: Command) -> None:
    """Anyone can check it, by one command."""
    write(make_log(5), "log")
    assert tiletree("monitor", "log", *BEGIN, "--vkey", VKEY).code == 0
    write(make_log(5, tag="other"), "log")
    assert tiletree("monitor", "log", *BEGIN, "--vkey", VKEY).code == 7
    (evidence,) = Path("state/forks").iterdir()
    assert tiletree("verify", "--fork", evidence, "--vkey", VKEY).code == 0


def test_compared(tiletree: Command) -> None:
    """A mirror that is behind is in order; one of another history is not."""
    write(make_log(5, 9), "log")
    write(make_log(5), "mirror")
    write(make_log(9, tag="other"), "other")
    call = ("monitor", "log", *BEGIN, "--vkey", VKEY, "--compare", "mirror", "--json")
    (told,) = documents(tiletree(*call))
    assert [(Path(each["place"]).name, each["size"]) for each in told["compared"]] == [("mirror", 5)]
    done = tiletree(*call, "--compare", "other", "--compare", "nowhere")
    assert done.code == 7
    assert [each["code"] for each in documents(done, "trouble")] == [7, 3]
    (evidence,) = Path("state/forks").iterdir()
    assert tiletree("verify", "--fork", evidence, "--vkey", VKEY).code == 0


def test_an_old_copy_is_an_alarm(tiletree: Command) -> None:
    """It is said in each round, and is exit code 9."""
    write(make_log(5, 9), "log")
    tiletree("monitor", "log", *BEGIN, "--vkey", VKEY)
    Path("log/checkpoint").write_bytes(make_log(5)["checkpoint"])
    done = tiletree("monitor", "log", *BEGIN, "--vkey", VKEY, "--json")
    assert done.code == 9
    (alarm,) = documents(done, "alarm")
    assert alarm["text"] == "the log shows 5 entries, and 9 were seen before: it is an old copy"


def test_withheld_entries_are_an_alarm(tiletree: Command, log: str) -> None:
    """What a log withholds cannot be read: that is told and kept, and the rest is read."""
    Path("lines").write_text("".join(f"line {number}\n" for number in range(300)))
    tiletree.ok("add", "log", "--lines", "lines", "--key", "k")
    tiletree.ok("withhold", "log", "7", "--reason", "case 17", "--key", "k")
    objects = {str(path.relative_to("log")): path.read_bytes() for path in Path("log").rglob("*") if path.is_file()}
    with serving(objects) as server:
        server.script["/tile/entries/000"] = [status(403)]
        call = ("monitor", server.url, *BEGIN, "--all", "--vkey", log, "--json")
        done = tiletree(*call)
        assert done.code == 9
        (told,) = documents(done, "withheld")
        assert (told["index"], told["count"]) == (0, 256)
        assert [(each["index"], each["reason"]) for each in told["withheld"]] == [(7, "case 17")]
        assert [each["index"] for each in documents(done, "match")] == list(range(256, 302))
        assert [each["index"] for each in kept()] == [0, *range(256, 302)]
        assert tiletree(*call).code == 0
        del server.objects["withheld/000"]  # then nothing says why
        assert tiletree("monitor", server.url, "--state", "two", "--begin", "first", "--vkey", log).code == 3


# ---- the command of --exec


def script(name: str, text: str) -> str:
    """Write a program in Python, and return what runs it."""
    Path(name).write_text(text)
    return f"{sys.executable} {name}"


def test_handed_over(tiletree: Command, log: str) -> None:
    """It gets what is told, one document at a time on standard input, and no word of it otherwise."""
    run = script("take.py", "import sys; open('got', 'ab').write(sys.stdin.buffer.read()); print(len(sys.argv))")
    done = tiletree("monitor", "log", *BEGIN, "--all", "--exec", f"{run} 'one word'", "--json", "--vkey", log)
    assert done.code == 0
    assert [json.loads(line) for line in Path("got").read_text().splitlines()] == documents(done, "match") == kept()
    Path("log/checkpoint").write_bytes(make_log(5, tag="other")["checkpoint"])
    Path("got").unlink()
    assert tiletree("monitor", "log", *BEGIN, "--all", "--exec", run, "--vkey", log).code == 1
    assert json.loads(Path("got").read_text())["code"] == 1


def test_what_is_not_taken(tiletree: Command, log: str) -> None:
    """The position stays before it: it is handed over again, and what was taken is not."""
    run = script(
        "take.py",
        "import json, os, sys\nfound = json.load(sys.stdin)\n"
        "open('got', 'a').write(f\"{found.get('index', found['event'])} \")\n"
        "sys.exit(7 if found.get('index') == 1 and not os.path.exists('well') else 0)",
    )
    words = ("monitor", "log", *BEGIN, "--all", "--exec", run, "--vkey", log)
    for _ in range(2):
        done = tiletree(*words)
        assert done.code == 3
        assert "ended with 7" in done.err
        assert [each["index"] for each in kept()] == [0]
    Path("well").touch()
    assert tiletree(*words).code == 0
    assert [each["index"] for each in kept()] == [0, 1]
    assert Path("got").read_text() == "0 1 trouble 1 trouble 1 "


def test_a_command_that_hangs(tiletree: Command) -> None:
    """It is ended, with what it has started; so is nothing else."""
    run = script("hang.py", "import subprocess, time; subprocess.Popen(['sleep', '77']); time.sleep(77)")
    began = time.monotonic()
    with pytest.raises(AccessError, match=r"did not end in 0\.5 seconds"):
        Handler(run, 0.5).take(b"{}\n")
    assert time.monotonic() - began < 20
    with pytest.raises(UsageError):
        Handler("")


# ---- for ever


def test_until_told_to_end(
    tiletree: Command, policy: list[str], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rounds go on, each log by itself, until a signal comes; a log that hangs is said, and holds nothing up."""
    write(make_log(300, key=GOOD), "good")
    server.script["/checkpoint"] = [silence]

    def later() -> None:
        time.sleep(0.8)
        write(make_log(300, 600, key=GOOD), "good")
        time.sleep(0.8)
        signal.raise_signal(signal.SIGTERM)

    thread = threading.Thread(target=later)
    thread.start()
    call = ("monitor", server.url, "good", *BEGIN, *policy, "--interval", 0.1, "--timeout", 0.4, "--json")
    monkeypatch.setattr("tiletree.commands.monitor._GRACE", 0.2)
    done = tiletree(*call)
    thread.join()
    assert done.code == 3
    assert [each["count"] for each in documents(done, "round")] == [300, 300]
    troubles = documents(done, "trouble")
    assert troubles
    assert all("was not read to its end in 0.4 seconds" in each["error"]["message"] for each in troubles)


def test_the_worst_is_the_exit_code() -> None:
    """Another history before what does not verify, before an alarm, before what could not be reached."""
    order = list(monitor_report._WORST_FIRST)
    assert order == [7, 1, 70, 4, 2, 9, 3, 0]
