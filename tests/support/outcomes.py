"""docs/outcomes.md as tests hold commands to it: which exit codes each may have. Its documents are of its schema."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from tests.support import schemas

PAGE = Path(__file__).resolve().parents[2] / "docs" / "outcomes.md"


@cache
def tables() -> list[list[list[str]]]:
    """Return the tables of the page, each as rows of cells, the heading first."""
    found = re.findall(r"^((?:\|.*\|\n)+)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    rows = [[[cell.strip() for cell in row[1:-1].split("|")] for row in table.splitlines()] for table in found]
    return [[table[0], *table[2:]] for table in rows]


def table(*heading: str) -> list[list[str]]:
    """Return the rows of the table that has this heading."""
    (found,) = (one[1:] for one in tables() if one[0] == list(heading))
    return found


def quoted(cell: str) -> list[str]:
    """Return what stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


@cache
def all_codes() -> set[int]:
    """Return every exit code there is."""
    return {int(code) for code, _ in table("code", "means")}


@cache
def codes() -> dict[str, set[int]]:
    """Return the exit codes of each command."""
    always = re.search(r"Every command can exit with ([\d, and]+)\.", PAGE.read_text(encoding="utf-8"))
    assert always is not None
    common = {int(code) for code in re.findall(r"\d+", always[1])}
    found = {}
    for names, cell in table("command", "exits with"):
        for name in quoted(names):
            assert name not in found, name
            found[name] = common | {int(code) for code in re.findall(r"\d+", cell)}
    return found


def command_of(words: list[str]) -> str:
    """Return the name of the command that a call names, "" if it names none."""
    return next((name for name in (" ".join(words[:2]), words[0] if words else "") if name in codes()), "")


def check(words: list[str], code: int, out: str) -> None:
    """Check that the page has an exit code of a call, and that its documents are of the command's schema."""
    assert code in all_codes(), f"{words}: {PAGE.name} has no exit code {code}"
    if not (command := command_of(words)):
        return
    assert code in codes()[command], f"{words}: exit code {code} is not one of `{command}` in {PAGE.name}"
    if "--json" in words and "--help" not in words:
        schemas.check(words, command, out)
