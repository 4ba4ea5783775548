"""Kinds of entries that applications declare: asked before an entry is logged, and by `add` and `submit` only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tiles.entries import own_kinds
from tiles.entries.own_kinds import GROUP, checked
from tiles.errors import UsageError

MODULE = """
class Build:
    begins = b'{"build":'

    @staticmethod
    def check(entry):
        if not entry.endswith(b"}"):
            raise ValueError("not whole")

class Odd:
    begins = b""
    check = print
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a directory in which an application is installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "acme_kinds.py").write_text(MODULE)
    monkeypatch.syspath_prepend(folder)
    own_kinds.own_kinds.cache_clear()
    yield folder
    own_kinds.own_kinds.cache_clear()


def install(place: Path, value: str, name: str = "acme.build/1") -> None:
    """Declare a kind."""
    info = place / f"acme_{value.partition(':')[2].lower()}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {value}\n")
    own_kinds.own_kinds.cache_clear()


def test_checked_before_it_is_logged(place: Path) -> None:
    """What begins as the kind is checked, and nothing else; those before a refused one are given on."""
    given = [[b'{"build":1}', b"other"], [b"x", b'{"build":2', b'{"build":3}']]
    assert list(checked(iter(given), "f")) == given  # before it is installed
    install(place, "acme_kinds:Build")
    batches = checked(iter(given), "f")
    assert [next(batches), next(batches)] == [given[0], [b"x"]]
    with pytest.raises(
        UsageError, match=r"f: entry 4 begins as acme\.build/1 does, and is refused: ValueError not who"
    ):
        next(batches)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("acme_kinds:Odd", "begins is bytes, not empty"),
        ("acme_kinds:None_", "AttributeError"),
        ("absent:X", "ModuleNotF"),
    ],
)
def test_a_kind_that_cannot_be_used(place: Path, value: str, problem: str) -> None:
    """Nothing is logged unchecked because the check is broken."""
    install(place, value)
    with pytest.raises(UsageError, match=problem):
        next(checked(iter([[b"x"]]), "f"))


def test_commands(place: Path, tiletree: Command, log: str) -> None:
    """`add --raw`, lines and `submit --raw` ask; a digest of the same file is no entry of that kind."""
    install(place, "acme_kinds:Build")
    Path("broken").write_bytes(b'{"build":1')
    Path("lines").write_bytes(b'{"build":1}\n{"build":2\n')
    for words in (
        ("add", "log", "--raw", "broken", "--key", "k"),
        ("submit", "log", "--raw", "broken", "--submitter", "a"),
    ):
        done = tiletree(*words)
        assert (done.code, "is refused: ValueError not whole" in done.err) == (2, True), done
    tiletree.ok("add", "log", "broken", "--key", "k")
    done = tiletree("add", "log", "--lines", "lines", "--key", "k")
    assert (done.code, "lines: entry 2 begins as acme.build/1 does" in done.err) == (2, True), done
    assert tiletree.ok("info", "log", "--vkey", log)["size"] == 4
