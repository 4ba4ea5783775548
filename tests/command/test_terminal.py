"""What a person sees in a terminal, narrow or wide: progress, colours, and what an interrupted command leaves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import terminal
from tests.support.command_line import Command
from tests.support.hostile import ESCAPED, LINES
from tiletree import colours
from tiletree.progress import Bar
from tiletree.streams import Writing

STYLE = re.compile(r"\x1b\[[0-9;]*m")


def test_a_bar(log: str) -> None:
    """It is as wide as there is room; what is left of it stands on one line."""
    seen = terminal.run(["audit", "log", "--vkey", log], 40)
    assert seen.lines[0] == f"auditing  [{'#' * 16}]  2/2  100%"
    assert seen.lines[1].startswith("audited log.example.com, size 2, root ")
    assert (seen.code, seen.lines[-2:], seen.column, seen.is_hidden) == (0, ["no findings", ""], 0, False)
    assert seen.raw.count("\n") == 3


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (200, f"proving  [{'#' * 18}{'-' * 18}]  3/6  50%"),
        (50, f"proving  [{'#' * 14}{'-' * 14}]  3/6  50%"),
        (28, "proving  3/6  50%"),
        (12, "proving"),
    ],
)
def test_how_wide_a_bar_is(
    columns: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not wider than can be looked at, nor than the terminal; where there is no room for one there are numbers."""
    monkeypatch.setattr("tiletree.progress._columns", lambda: columns)
    bar = Bar("proving", 6, clock=lambda: 0.0)
    bar.clear()
    bar.advance(3)
    shown, column, _, _ = terminal.screen(capsys.readouterr().err, columns)
    assert (shown[0], len(shown)) == (line, 1)
    assert column < columns


def test_a_bar_of_unknown_length(log: str) -> None:
    """Of unknown length there are numbers; what is said stands above them, each in a line of its own."""
    seen = terminal.run(["add", "log", "--lines", "a", "--key", "k"], 200)
    assert seen.lines[0].startswith("2  ")
    assert seen.lines[1] == "adding lines  1"
    assert seen.lines[2].startswith("published log.example.com, size 3, root ")
    assert (seen.code, seen.lines[-1], seen.column, seen.is_hidden, seen.colours) == (0, "", 0, False, [])


def test_interrupted(log: str) -> None:
    """Ctrl-C: exit code 130, the cursor is there again, what is said begins in a line of its own; nothing is logged."""
    seen = terminal.run(["add", "log", "--stdin-lines", "--key", "k"], 40, interrupt_at="adding lines")
    assert seen.code == 130
    assert re.fullmatch(r"adding lines  0(\^C)?", seen.lines[0])
    said = "".join(seen.lines[1:])
    assert said == "tiletree: interrupted; what was committed stays, the next run finishes it"
    assert (seen.lines[-1], seen.column, seen.is_hidden) == ("", 0, False)
    assert Path("log/checkpoint").read_text().splitlines()[1] == "2"


def test_interrupted_where_nothing_is_logged_twice(log: str) -> None:
    """Whoever interrupts `add` of files is told that the same call goes on."""
    seen = terminal.run(["add", "log", "-", "--key", "k"], 200, interrupt_at="adding")
    assert seen.code == 130
    assert seen.lines[-2] == "hint: make the same call again to go on: what is in the log is not added twice"


# ---- colours, without a terminal of our own


@pytest.fixture
def in_terminal(tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return the command, whose streams say that they are terminals with colours."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(Writing, "isatty", lambda _: True, raising=False)
    return tiletree


@pytest.mark.parametrize(
    ("options", "environment", "expected"),
    [
        ([], {}, True),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"NO_COLOR": ""}, True),
        ([], {"TERM": "dumb"}, False),
        (["--color", "never"], {}, False),
        (["--color=always"], {"NO_COLOR": "1"}, True),
        (["--color", "always"], {"TERM": "dumb"}, True),
        (["--log-format", "json"], {}, False),
        (["--log-format", "json", "--color", "always"], {}, False),
    ],
)
def test_when_there_are_colours(
    in_terminal: Command,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    environment: dict[str, str],
    expected: bool,
) -> None:
    """On a terminal, unless the environment or the call says otherwise; the call goes before the environment."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for words in (["info", "nowhere", *options], [*options, "info", "nowhere"], [*options, "no-command"]):
        assert bool(STYLE.search(in_terminal(*words).err)) == expected, words


def test_a_terminal_that_is_dumb(in_terminal: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets lines of text and no bar; so does whoever asks for --verbose, whose lines would be in its way."""
    assert "auditing" in in_terminal("audit", "log", "--vkey", log).err
    assert "auditing" not in in_terminal("audit", "log", "--vkey", log, "-v").err
    monkeypatch.setenv("TERM", "dumb")
    done = in_terminal("audit", "log", "--vkey", log)
    assert (done.err, done.out.splitlines()[1:]) == ("", ["no findings"])


def test_no_colours_in_a_pipe(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless they are asked for; and never in a document, nor in what was asked for."""
    monkeypatch.setenv("TERM", "xterm")
    verify = ["verify", "a", "--proof", "p", "--vkey", log]
    for words in (verify, ["info", "nowhere"], ["get", "log", "0"]):
        done = tiletree(*words)
        assert "\x1b" not in done.out + done.err, words
    assert tiletree(*verify, "--color", "always").out.startswith("\x1b[32m\x1b[1mverified:\x1b[0m a is entry 0")
    for words in ([*verify, "--json"], ["prove", "log", "--index", "0"], ["get", "log", "0"], ["key", "show", "k"]):
        assert "\x1b" not in tiletree(*words, "--color", "always").out, words
    assert tiletree("prove", "log", "--index", "0", "--color", "always").out == Path("p").read_text()


def test_text_of_others_colours_nothing(in_terminal: Command, log: str) -> None:
    """A name of a file is escaped as ever; an entry that looks like a verdict of ours has no colour."""
    name = f"file {LINES}"
    Path(name).write_bytes(b"x")
    done = in_terminal("verify", name, "--proof", "p", "--vkey", log)
    assert done.code == 1
    assert ESCAPED in done.err
    assert "\x1b" not in STYLE.sub("", done.err)
    Path("lines").write_bytes(b"verified: everything\n")
    in_terminal("add", "log", "--lines", "lines", "--key", "k")
    assert in_terminal("get", "log", "2", "--vkey", log).out == "verified: everything\n"


@pytest.mark.parametrize("line", ["verified: a", "not verified: a", "tiletree: a", "warning: a", "hint: a"])
def test_words_have_colours(line: str) -> None:
    """The words are coloured, and what follows them is as it was; a warning without such words is coloured whole."""
    words = line.removesuffix(" a")
    for is_warning in (False, True):
        shown = colours.coloured(line, is_warning=is_warning)
        assert shown.endswith(f"{words}\x1b[0m a")
        assert STYLE.sub("", shown) == line
    assert colours.coloured("verified:") == "verified:"
    assert colours.coloured("trust: a", is_warning=True) == "\x1b[33mtrust: a\x1b[0m"
