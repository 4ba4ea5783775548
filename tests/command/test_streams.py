"""Standard streams that are closed, full or gone: the work's own outcome decides the exit code; no traceback, ever."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import ORIGIN, Command

# what a command is called with, and what it exits with where all streams are sound
WORK: dict[str, tuple[list[Any], int]] = {
    "add": (["add", "log", "a", "--key", "k"], 0),
    "init": (["init", "new", "--origin", "new.example.com", "--key", "n"], 0),
    "submit": (["submit", "log", "a", "--submitter", "ann"], 0),
    "sequence": (["sequence", "log", "--key", "k"], 0),
    "prove -o": (["prove", "log", "--index", 0, "-o", "q", "--vkey", "VKEY"], 0),
    "get -o": (["get", "log", 0, "-o", "e", "--vkey", "VKEY"], 0),
    "verify": (["verify", "a", "--proof", "p", "--vkey", "VKEY"], 0),
    "audit": (["audit", "log", "--vkey", "VKEY"], 0),
    "import": (["import", "log", "other", "--key", "o", "--vkey", "VKEY"], 0),
    "repair": (["repair", "log", "--vkey", "VKEY"], 0),
    "gc": (["gc", "log"], 0),
    "page": (["page", "log"], 0),
    "freeze": (["freeze", "log", "--yes", "--key", "k"], 0),
    "key generate": (["key", "generate", "x.example.com", "--out", "x"], 0),
    "key trust": (["key", "trust", "log", "VKEY"], 0),
    "not verified": (["verify", "b", "--proof", "p", "--vkey", "VKEY"], 1),
    "wrong call": (["add", "log", "--key", "k"], 2),
    "no log": (["info", "nowhere"], 3),
    "refused": (["init", "log", "--origin", ORIGIN, "--key", "n"], 4),
}
ANSWERS: dict[str, tuple[list[Any], int]] = {
    "info": (["info", "log", "--vkey", "VKEY"], 0),
    "status": (["status", "log", "--key", "k"], 0),
    "get": (["get", "log", 0, "--vkey", "VKEY"], 0),
    "prove": (["prove", "log", "--index", 0, "--vkey", "VKEY"], 0),
    "key show": (["key", "show", "k"], 0),
    "key list": (["key", "list", "--json"], 0),
    "help": (["add", "--help"], 0),
    "version": (["--version"], 0),
}
CALLS = WORK | ANSWERS
TROUBLES = ["pipe", "full", "closed"]
QUICK = [
    ("add", "stdout", "pipe"),
    ("add", "stdout", "full"),
    ("add", "stdout", "closed"),
    ("add", "stderr", "closed"),
    ("get", "stdout", "pipe"),
    ("get", "stdout", "full"),
    ("get", "stdout", "closed"),
    ("wrong call", "stderr", "pipe"),
]
ALL = [(call, stream, trouble) for call in CALLS for stream in ("stdout", "stderr") for trouble in TROUBLES]


def ends(words: list[Any], stream: str, trouble: str) -> tuple[int, str]:
    """Run a command in a process whose standard output or error is in trouble; return its exit code and the other."""
    command = [sys.executable, "-m", "tiletree", *map(str, words)]
    other = {"stdout": "stderr", "stderr": "stdout"}[stream]
    if trouble == "closed":
        closing = ">&-" if stream == "stdout" else "2>&-"
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {closing}', "sh", *command], stdin=subprocess.DEVNULL, **{other: subprocess.PIPE}
        )
    else:
        if trouble == "pipe":
            reading, writing = os.pipe()
            os.close(reading)
        else:
            writing = os.open("/dev/full", os.O_WRONLY)
        streams: dict[str, Any] = {stream: writing, other: subprocess.PIPE}
        done = subprocess.run(command, stdin=subprocess.DEVNULL, **streams)
        os.close(writing)
    return done.returncode, (done.stdout or done.stderr or b"").decode()


def check(tiletree: Command, vkey: str, call: str, stream: str, trouble: str) -> None:
    """Run one command with one trouble."""
    words, code = CALLS[call]
    words = [vkey if word == "VKEY" else word for word in words]
    ended, other = ends(words, stream, trouble)
    case = (call, stream, trouble, other)
    expected = 3 if call in ANSWERS and stream == "stdout" and trouble != "pipe" else code
    assert ended == expected, case
    assert "Traceback" not in other, case
    assert "Exception" not in other, case
    if stream == "stdout":
        lost = "standard output cannot be written"
        assert (lost in other) == (code == 0 and trouble != "pipe" and call != "get -o"), case  # which prints nothing
    size = Path("log/checkpoint").read_text().splitlines()[1]
    assert size == ("3" if call == "add" else "2")
    for made in words[words.index("-o") + 1 :][:1] if "-o" in words else []:
        assert Path(made).stat().st_size > 0


needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="NOT TESTED: there is no /dev/full")


@pytest.fixture
def prepared(tiletree: Command, log: str) -> str:
    """Return the vkey of a log, beside one that may import it."""
    tiletree.ok("init", "other", "--origin", "other.example.com", "--key", "o")
    return log


@needs_full
@pytest.mark.parametrize(("call", "stream", "trouble"), QUICK)
def test_streams_in_trouble(tiletree: Command, prepared: str, call: str, stream: str, trouble: str) -> None:
    """What is done is done once, and said by the exit code; an answer that cannot be written exits 3."""
    check(tiletree, prepared, call, stream, trouble)


@needs_full
@pytest.mark.slow
def test_every_command_with_streams_in_trouble(tiletree: Command, prepared: str, tmp_path: Path) -> None:
    """All commands, both streams, all troubles."""
    shutil.copytree(".", "../before")
    for call, stream, trouble in ALL:
        shutil.rmtree(tmp_path)
        shutil.copytree("../before", tmp_path)
        os.chdir(tmp_path)
        check(tiletree, prepared, call, stream, trouble)


def test_standard_input_that_is_closed(prepared: str) -> None:
    """Nothing is taken for what was never sent: no entry of no bytes."""
    command = f"{sys.executable} -m tiletree add log - --key k <&-"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (3, "tiletree: standard input is closed\n")


def test_a_terminal_that_has_no_such_character(prepared: str) -> None:
    """What the encoding of standard output does not have is escaped."""
    Path("\u00e9\u2192").write_bytes(b"x")
    command = [sys.executable, "-m", "tiletree", "add", "log", "\u00e9\u2192", "--key", "k"]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "latin-1"})
    assert done.returncode == 0, done.stderr
    assert b"\xe9\\u2192\n" in done.stdout
