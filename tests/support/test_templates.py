"""Copies of a folder that a test begins with are as if it had been made for each."""

from __future__ import annotations

from pathlib import Path

from tests.support.command_line import Command
from tests.support.templates import Template


def test_a_copy_names_its_own_place(tmp_path: Path) -> None:
    """Names, contents and permissions are the same, but for the name of the place; what a test does stays there."""
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "log.private").mkdir(parents=True, mode=0o700)
    (first / "log.private/settings").write_text(f"anchor {first}/k.anchor and {first}\n")
    (first / "k").touch(0o600)
    (first / "k").write_bytes(b"\xff\x00")
    template = Template.of(first)
    for directory in (second, tmp_path / "third"):
        directory.mkdir()
        template.write(directory)
        assert (directory / "log.private/settings").read_text() == f"anchor {directory}/k.anchor and {directory}\n"
        assert (directory / "k").read_bytes() == b"\xff\x00"
        modes = {path.relative_to(directory): path.stat().st_mode for path in directory.rglob("*")}
        assert modes == {path.relative_to(first): path.stat().st_mode for path in first.rglob("*")}
        (directory / "k").write_bytes(b"spoilt")


def test_a_prepared_log_is_the_log_of_who_asked(tiletree: Command) -> None:
    """Places are remembered by the names that they have here, and the next one finds nothing of this one's."""
    tiletree.prepared(_begin)
    assert tiletree.ok("add", "log", "--stdin-lines", stdin=b"one\n")["size"] == 1  # with the key that is remembered
    other = tiletree.directory / "other"
    other.mkdir()
    tiletree.directory = other
    tiletree.prepared(_begin)
    assert "size 0\n" in (other / "log.private/head").read_text()
    assert str(other) in (other / "log.private/settings").read_text()


def _begin(tiletree: Command) -> None:
    tiletree.ok("init", "log", "--origin", "log.example.com", "--key", "k", "--no-page")
