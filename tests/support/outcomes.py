"""docs/outcomes.md as tests hold commands to it: which exit codes and which fields of a JSON document each may have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

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


@cache
def fields() -> dict[str, set[str]]:
    """Return the fields of each command's documents, in an error as well: `a.b`, `list[].b`, `by_name.*`."""
    errors = {name for one in tables() if one[0] == ["field", "says"] for row in one[1:] for name in quoted(row[0])}
    found = {command: {name for name in errors if name.startswith("error.")} for command in codes()}
    for names, of, _ in table("field", "of", "says"):
        for command in quoted(of):
            found[command].update(quoted(names))
    for command, names, _ in table("command", "field", "says"):
        found[quoted(command)[0]].update(quoted(names))
    return found


def paths(value: Any, at: str = "") -> Iterator[str]:
    """Yield the path of each value in a document; what is empty has its own."""
    inner: Iterator[tuple[str, Any]] = iter(())
    if isinstance(value, dict):
        inner = ((f"{at}.{name}" if at else name, below) for name, below in value.items())
    elif isinstance(value, list):
        inner = ((f"{at}[]", below) for below in value)
    empty = True
    for path, below in inner:
        empty = False
        yield from paths(below, path)
    if empty:
        yield at


def is_known(path: str, known: set[str]) -> bool:
    """Tell whether a field is on the page, or is the empty outside of one that is."""
    patterns = (re.escape(one).replace(r"\*", r"[^\[\]]+") for one in known)
    within = any(one.startswith((f"{path}.", f"{path}[")) for one in known)
    return within or any(re.fullmatch(one, path) for one in patterns)


def command_of(words: list[str]) -> str:
    """Return the name of the command that a call names, "" if it names none."""
    return next((name for name in (" ".join(words[:2]), words[0] if words else "") if name in codes()), "")


def check(words: list[str], code: int, out: str) -> None:
    """Check that the page has an exit code of a call, and all fields of its documents."""
    assert code in all_codes(), f"{words}: {PAGE.name} has no exit code {code}"
    if not (command := command_of(words)):
        return
    assert code in codes()[command], f"{words}: exit code {code} is not one of `{command}` in {PAGE.name}"
    if "--json" not in words or "--help" in words:
        return
    for line in out.splitlines():
        missing = [path for path in paths(json.loads(line)) if path and not is_known(path, fields()[command])]
        assert not missing, f"{words}: {PAGE.name} has no field {missing} of `{command}`"
