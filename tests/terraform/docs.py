"""The tables of inputs and outputs in the README.md of each module, made from its .tf files.

    python -m tests.terraform.docs

writes them anew. `make terraform` checks that nothing would change.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

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


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def main() -> None:
    """Write the tables of all modules."""
    try:
        sys.path.insert(0, str(packages()))
    except Unavailable as error:
        sys.exit(str(error))
    for folder in modules():
        (folder / "README.md").write_text(renewed(folder)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
