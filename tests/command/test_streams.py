"""Standard streams that are closed, full or gone: the work's own outcome decides the exit code; no traceback, ever."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import outcomes
from tests.support.every_command import CALLS, SIGHTS, Call, again
from tests.support.forking_tiletree import CLOSED, EMPTY, FULL, GONE, HUNG_UP, REVERSED, Forks
from tests.support.make_cli_docs import contexts
from tests.support.sampling import one_in, soaking

pytest_plugins = ["tests.support.every_command_fixtures"]

LOST = "standard output cannot be written"


# what is wrong with the streams of a call
INPUTS: list[dict[str, Any]] = [{"stdin": trouble} for trouble in (CLOSED, GONE, REVERSED, EMPTY)]
OUTPUTS: list[dict[str, Any]] = [
    {stream: trouble} for stream in ("stdout", "stderr") for trouble in (CLOSED, GONE, FULL, REVERSED, HUNG_UP)
]
BOTH: list[dict[str, Any]] = [{"stdout": trouble, "stderr": trouble} for trouble in (CLOSED, GONE, FULL, HUNG_UP)]
ALL: list[dict[str, Any]] = [{"stdin": CLOSED, "stdout": CLOSED, "stderr": CLOSED}]
ENCODINGS: list[dict[str, Any]] = [{"encoding": name} for name in ("ascii", "latin-1")]
TROUBLES = INPUTS + OUTPUTS + BOTH + ALL + ENCODINGS

QUICK: list[tuple[str, dict[str, Any]]] = [
    ("add", {"stdout": GONE}),
    ("add", {"stdout": FULL}),
    ("add", {"stdout": CLOSED, "stderr": CLOSED}),
    ("add", {"stderr": HUNG_UP}),
    ("get", {"stdout": GONE}),
    ("get", {"stdout": FULL}),
    ("get", {"stdout": CLOSED}),
    ("submit --wait", {"stdout": CLOSED}),
    ("freeze?", {"stdin": REVERSED}),
    ("verify -", {"stdin": CLOSED}),
    ("wrong call", {"stderr": GONE}),
]

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="NOT TESTED: there is no /dev/full")


def expected(call: Call, streams: dict[str, Any]) -> int:
    """Return the exit code of a call whose streams are in some trouble."""
    if call.stdin is not None and streams.get("stdin") in (CLOSED, REVERSED):
        return call.unread
    if call.unread == 130 and streams.get("stdin") in (EMPTY, GONE):  # there is no yes
        return call.unread
    if call.stdin is not None and "verify" in call.words and streams.get("stdin") in (EMPTY, GONE):
        return 1  # the empty file is not the one
    if call.stdin is not None and call.words.startswith(("prove", "search")) and streams.get("stdin") in (EMPTY, GONE):
        return 8  # nor in the log
    return 3 if call.answers and streams.get("stdout", GONE) != GONE else call.code


def check(forks: Forks, vkey: str, name: str, streams: dict[str, Any], *, as_json: bool = False) -> None:
    """Run one command with streams in trouble, in a directory that is as it was prepared."""
    call = CALLS[name]
    words = call.words.replace("VKEY", vkey).split()
    given = {"stdin": call.stdin if call.stdin is not None else EMPTY, **streams}
    done = forks([*words, *(["--json"] if as_json else [])], interrupted=call.interrupted, **given)
    case = (name, streams, as_json, done)
    code = expected(call, streams)
    assert done.code == code, case
    assert "Traceback" not in done.err + done.out, case
    assert "Exception" not in done.err + done.out, case
    if set(streams) == {"stdout"}:
        prints = call.prints or as_json
        assert (LOST in done.err) == (prints and code in (0, 3) and call.code != 3 and streams != {"stdout": GONE}), (
            case
        )
    if as_json and "stdout" not in streams:
        documents = [json.loads(line) for line in done.out.splitlines()]
        assert len(documents) == 1 or (documents and words[0] == "monitor"), case  # which tells each thing by itself
    check_work(words, call, case, done_at_all=code in (call.code, 3 if call.answers else call.code))


def check_work(words: list[str], call: Call, case: Any, *, done_at_all: bool) -> None:
    """Check that a command did what it should have, once."""
    logged = int(Path("log/checkpoint").read_text().splitlines()[1])
    if call.stdin == b"1\n2\n" and logged == 2:
        assert case[1].get("stdin") is not None, case  # no lines, no entries
    else:
        assert logged == (call.size if done_at_all else 2), case
    if words[0] == "submit" and done_at_all:
        assert len([each for each in Path("log.private/inbox/ann").iterdir() if each.is_file()]) == 1, case
    for made in words[words.index("-o") + 1 :][:1] if "-o" in words and done_at_all else []:
        assert Path(made).stat().st_size > 0, case


@needs_full
def test_streams_in_trouble(forks: Forks, prepared: str, tmp_path: Path) -> None:
    """What is done is done once, and said by the exit code; an answer that cannot be written exits 3."""
    for name, streams in again(tmp_path, QUICK):
        check(forks, prepared, name, streams)


@needs_full
@pytest.mark.slow
@pytest.mark.parametrize("as_json", [False, True])
def test_every_command_with_streams_in_trouble(forks: Forks, prepared: str, tmp_path: Path, as_json: bool) -> None:
    """All commands, all troubles."""
    cells = [(name, streams) for name in CALLS for streams in TROUBLES if not (as_json and name in SIGHTS)]
    cells = one_in(soaking(4, 1), cells)
    for name, streams in again(tmp_path, cells):
        check(forks, prepared, name, streams, as_json=as_json)
    sys.stdout.write(
        f"tried: {len(cells)} cells of the table of {len(CALLS)} calls of commands and {len(TROUBLES)} troubles of "
        f"streams, {'with' if as_json else 'without'} --json: 0 tracebacks\n"
    )


def test_every_command_is_in_the_table() -> None:
    """A new command gets its rows."""
    called = {word for call in CALLS.values() for word in (call.words.split()[0], " ".join(call.words.split()[:2]))}
    assert cli_commands() <= called


def test_the_document_says_which_commands_answer() -> None:
    """Of the table in docs/outcomes.md, the commands whose output is what was asked for."""
    said = outcomes.PAGE.read_text().partition("The commands that answer are ")[2].partition(";")[0]
    answering = {
        name for name, call in CALLS.items() if call.answers and name in cli_commands() and "-o" not in call.words
    }
    assert set(re.findall(r"`([a-z ]+)`", said)) == answering


def cli_commands() -> set[str]:
    """Return the names of all commands, those below others included."""
    return {context.command_path.partition(" ")[2] for context in contexts()} - {""}


# ---- the same with new processes, as users start them


@needs_full
@pytest.mark.parametrize("trouble", [">&-", "| true"])
def test_streams_of_a_new_process(prepared: str, trouble: str) -> None:
    """What the forks are told to do is what happens to a program that a shell starts."""
    command = f"set -o pipefail; {sys.executable} -m tiletree add log c --key k {trouble}"
    done = subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done
    assert Path("log/checkpoint").read_text().splitlines()[1] == "3"


def test_standard_input_that_is_closed(prepared: str) -> None:
    """Nothing is taken for what was never sent: no entry of no bytes."""
    command = f"{sys.executable} -m tiletree add log - --key k <&-"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (3, "tiletree: standard input is closed\n")


def test_a_terminal_that_has_no_such_character(forks: Forks, prepared: str) -> None:
    """What the encoding of standard output does not have is escaped."""
    Path("\u00e9\u2192").write_bytes(b"x")
    done = forks(["add", "log", "\u00e9\u2192", "--key", "k"], encoding="latin-1")
    assert done.code == 0, done
    assert "\\u2192\n" in done.out
