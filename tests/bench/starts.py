"""How long commands take to start: beside an interpreter that imports click and nothing else."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.contest import Contest, Contestant, hold
from tests.bench.given import ORIGIN
from tests.bench.instructions import can_count, count
from tests.bench.lines import own_folders
from tests.bench.processes import Figures, python, run

BASE = "python -c 'import click'"
ROUNDS = 25


def start_parts(scratch: Path) -> list[dict[str, Any]]:
    """Measure the start of commands, in turns; where there is valgrind, count their instructions too."""
    scratch.mkdir()
    environment = own_folders(scratch) | {"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": ""}
    commands = {
        BASE: [sys.executable, "-c", "import click"],
        "tiletree --version": [*program(), "--version"],
        "tiletree verify, one proof": [*program(), *proof(scratch, environment)],
    }

    def start(command: list[str], _turn: int) -> Figures:
        return run(command, environment=environment)[0]

    for command in commands.values():
        start(command, 0)  # what it imports is compiled and in memory
    found = [
        Contestant(name, partial(start, command), "limit" if name == BASE else "ours")
        for name, command in commands.items()
    ]
    left_out = {} if can_count() else {"instructions": "there is no valgrind"}
    started = hold(Contest("start of a command", "starts", 1, found, left_out), ROUNDS, base=BASE)
    if can_count():
        for row in started["rows"]:
            row["instructions"] = count(commands[row["name"]], environment)
            print(f"  {row['name']}: {row['instructions'] / 1e6:,.0f} million instructions")
    return [started]


def program() -> list[str]:
    """Return the command as it was installed beside this interpreter."""
    script = Path(sys.executable).parent / "tiletree"
    return [str(script)] if os.access(script, os.X_OK) else python("tiletree")


def proof(scratch: Path, environment: dict[str, str]) -> list[str]:
    """Log a file, and return the call that verifies its proof."""
    log, file, key = scratch / "log", scratch / "file", scratch / "key"
    file.write_bytes(b"a file")
    for call in (
        ["init", log, "--origin", ORIGIN, "--key", key],
        ["add", log, file, "--key", key],
        ["prove", log, file, "-o", f"{file}.tlog-proof", "--policy", log / "policy.txt"],
    ):
        run([*program(), *map(str, call)], environment=environment)
    return ["verify", str(file), "--proof", f"{file}.tlog-proof", "--policy", str(log / "policy.txt")]
