"""The progress bar on a terminal: what stands there in the end, and beside it."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from tiletree.files import watched
from tiletree.progress import Bar
from tiletree.ui import Output


class Clock:
    """Seconds that pass as the test says."""

    now = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


def screen(text: str) -> list[str]:
    """Return the lines that a terminal shows after it was sent a text."""
    lines = [""]
    for part in text.replace("\r\n", "\n").split("\n"):
        lines[-1] = part.rpartition("\r\033[K")[2] if "\r\033[K" in part else lines[-1] + part
        lines.append("")
    return lines[:-1]


@pytest.fixture(params=[40, 80, 200])
def columns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how wide the terminal is that standard error is."""
    width: int = request.param
    monkeypatch.setattr("tiletree.progress._columns", lambda: width)
    return width


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let standard error be a terminal. A fixture cannot: each phase of a test has the stream that pytest gives it."""
    monkeypatch.setattr(sys, "stderr", _Terminal())
    monkeypatch.setenv("NO_COLOR", "1")  # what stands there, and not how


def said() -> str:
    """Return what was sent to the terminal so far."""
    assert isinstance(sys.stderr, _Terminal)
    return sys.stderr.getvalue()


def test_it_ends_at_its_end(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Full, 100 %, one newline; it fits, and what is printed meanwhile stands in lines of its own."""
    on_terminal(monkeypatch)
    out = Output()
    with out.progress("adding", 3) as progress:
        progress.advance(1)
        out.note("left out: something")
        progress.advance(2)
    out.note("published")
    shown = screen(said())
    assert shown[0] == "left out: something"
    assert shown[1].startswith("adding  [###")
    assert shown[1].endswith("]  3/3  100%")
    assert "-" not in shown[1]
    assert shown[2:] == ["published", ""]
    assert max(map(len, shown)) < columns


def test_lines_on_standard_output(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are on the same terminal: the bar is taken away before each."""
    on_terminal(monkeypatch)
    out = Output()
    with out.progress("adding", 2) as progress:
        progress.advance(2)
        out.line("0  leaf  name")
        assert said().endswith("\r\033[K")


def test_what_fails_stays_where_it_was(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar that was interrupted is not shown as done, and what follows begins a line."""
    on_terminal(monkeypatch)
    out = Output()

    def fails() -> None:
        with out.progress("adding", 4) as progress:
            progress.advance(1)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fails()
    out.note("tiletree: broken")
    shown = screen(said())
    assert shown[0].endswith("]  1/4  25%")
    assert shown[1] == "tiletree: broken"


def test_of_unknown_length(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a number that grows, and no bar that is always almost full."""
    on_terminal(monkeypatch)
    with Output().progress("adding lines") as progress:
        for _ in range(3):
            progress.advance(500)
    assert screen(said()) == ["adding lines  1500", ""]


def test_nothing_to_do(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of nothing is all of it."""
    on_terminal(monkeypatch)
    Bar("reading", 0).finish(is_done=True)
    assert screen(said())[0].endswith("0/0  100%")
    with Output().progress("proving", 7) as progress:  # of which some turned out not to be needed
        progress.advance(5)
    assert screen(said())[1].endswith("]  7/7  100%")


def test_how_often_it_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    """Not for each of very many units; it says how long it will go on once that can be told."""
    clock = Clock()
    bar = Bar("auditing", 1000, clock)
    for _ in range(100):
        bar.advance(1)
        clock.now += 0.02
    drawn = capsys.readouterr().err.split("\r\033[K")[1:]
    assert 10 < len(drawn) < 25
    assert drawn[-1].endswith("9%  00:00:17")


def test_a_terminal_that_is_very_narrow(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is drawn past its edge: it could not be taken away again."""
    monkeypatch.setattr("tiletree.progress._columns", lambda: 12)
    bar = Bar("recomputing", 1000)
    bar.advance(1)
    bar.finish(is_done=True)
    assert max(map(len, screen(capsys.readouterr().err))) < 12


def test_a_pipe_gets_none(capfd: pytest.CaptureFixture[str]) -> None:
    """Nor does --quiet, nor --log-format json."""
    assert not os.isatty(2)
    with Output().progress("adding", 3) as progress:
        progress.advance(3)
    assert capfd.readouterr().err == ""


def test_a_large_file(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one that takes long is said how much of it was read: the bar grows meanwhile, and the time left is known."""
    on_terminal(monkeypatch)
    clock = Clock()
    bar = Bar("adding", 1, clock)
    clock.now = 2.0
    bar.within(3 * 10**9, 12 * 10**9)
    time_left = "  00:00:06" if columns > 40 else ""
    assert screen(said())[-1].endswith(f"0/1  25%  3.0 GB of 12.0 GB{time_left}")
    clock.now = 3.0
    bar.advance(1)
    bar.finish(is_done=True)
    assert screen(said())[0].endswith("1/1  100%")


def test_what_goes_on_when_all_is_read(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All units are done, and the call is not: what goes on is said, until it ends."""
    on_terminal(monkeypatch)
    out = Output()
    with out.progress("adding", 2, "publishing") as progress:
        progress.advance(1)
        assert "publishing" not in said()
        clock = progress._drawn  # type: ignore[attr-defined]  # drawn again at once
        progress._clock = lambda: clock + 1.0  # type: ignore[attr-defined]
        progress.advance(1)
        assert screen(said())[-1].endswith("2/2  100%  publishing")
        assert len(screen(said())[-1]) < columns
    assert screen(said())[0].endswith("2/2  100%")


def test_which_files_are_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large ones, as they are read; a small one is read as it is."""
    monkeypatch.setattr("tiletree.files.TAKES_LONG", 4)
    told: list[tuple[int, int]] = []
    for name, content in (("small", b"abc"), ("large", b"abcdef")):
        (tmp_path / name).write_bytes(content)
        with (tmp_path / name).open("rb") as opened:
            stream = watched(opened, lambda done, size: told.append((done, size)))
            assert stream.read(4) + stream.read() == content
            assert stream.fileno() == opened.fileno()
    assert told == [(4, 6), (6, 6)]
