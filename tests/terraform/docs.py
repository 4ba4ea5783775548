"""The tables in the README.md of each module: inputs and outputs, made from its .tf files, and what a log costs.

    python -m tests.terraform.docs

writes them anew. `make terraform` checks that nothing would change.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.terraform.hcl import outputs, variables
from tests.terraform.modules import Failed, modules
from tests.terraform.tools import Unavailable, packages

BEGIN = "<!-- made by `python -m tests.terraform.docs` -->"
END = "<!-- end -->"


def tables(folder: Path) -> str:
    """Return the tables of a module."""
    lines = ["| input | type | default | what |", "|---|---|---|---|"]
    for variable in variables(folder):
        default = "required" if variable.default is None else f"`{variable.default}`"
        lines.append(_row(f"`{variable.name}`", f"`{variable.type}`", default, variable.description))
    lines += ["", "| output | what |", "|---|---|"]
    lines += [_row(f"`{output.name}`", output.description) for output in outputs(folder)]
    return "\n".join(lines)


def renewed(folder: Path) -> tuple[str, str]:
    """Return the text of a module's README.md, and what it should be. Raises Failed if it has no place for tables."""
    path = folder / "README.md"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    frame = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if len(frame.findall(text)) != 1:
        raise Failed(f"{path}: one place between {BEGIN} and {END} has the tables of inputs and outputs")
    made = f"{BEGIN}\n\n{tables(folder)}\n\n{END}"
    return text, frame.sub(lambda _: made, text)


def check(folder: Path) -> None:
    """Check that the tables of a module are those that would be made. Raises Failed."""
    text, made = renewed(folder)
    if text != made:
        raise Failed(f"{folder / 'README.md'} is not as its .tf files are: python -m tests.terraform.docs")


# what `tiletree cost` adds up, column by column of the table for AWS
_COLUMNS = [
    ["submissions"],
    ["writes"],
    ["reads", "lists"],
    ["runs", "seconds of runs"],
    ["uses of the key"],
    ["GB of service logs, and alarms"],
    ["GB stored"],
]
_COST = re.compile(r"^\| `(--entries-per-day [^`]*)` .*$", re.MULTILINE)


def with_costs(text: str, cost: Callable[[list[str]], dict[str, Any]]) -> str:
    """Return a text in which each row that begins with options of `tiletree cost` has what that says now.

    cost   returns the document of the command for some options
    """

    def row(match: re.Match[str]) -> str:
        said = cost(match[1].split())
        dollars = {item["what"]: item["dollars"] for item in said["items"]}
        cells = [f"{sum(dollars.pop(what) for what in column):.2f}" for column in _COLUMNS]
        if dollars:
            raise Failed(f"no column has what `tiletree cost` says of {', '.join(dollars)}")
        return _row(f"`{match[1]}`", *cells, f"**{said['dollars']:.2f}**")

    return _COST.sub(row, text)


def _cost(options: list[str]) -> dict[str, Any]:
    call = [sys.executable, "-m", "tiletree", "cost", *options, "--json"]
    said: dict[str, Any] = json.loads(subprocess.run(call, capture_output=True, check=True).stdout)
    return said


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def main() -> None:
    """Write the tables of all modules."""
    try:
        sys.path.insert(0, str(packages()))
    except Unavailable as error:
        sys.exit(str(error))
    for folder in modules():
        text = renewed(folder)[1]
        text = with_costs(text, _cost) if folder.name == "aws" else text
        (folder / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
