"""Count instructions, which do not move with the load of the machine: `python instructions.py [--json FILE]`.

What is counted is the processor's work in user space, by `valgrind --tool=cachegrind`: not the kernel's work, and no
waiting. A commit is counted as the difference of two runs that differ in their number of commits, so that to start
Python and to open the log are left out. A command is counted whole. All is written in memory where the system has such
a file system, so that nothing waits for a disk meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
FEW, MANY = 5, 15  # commits of the two runs
BATCHES = (1, 256)
MEMORY = Path("/dev/shm")
COMMITS = {"tiletree": "tiletree_publish", "tlog-scales": "scales_publish", "aics-tlog": "aics_publish"}


def main() -> None:
    """Count, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    if (problem := left_out()) is not None:
        sys.exit(problem)
    counted = instructions()
    for what, count in counted.items():
        print(f"{what:45} {count:>15,}")
    if options.json:
        options.json.write_text(json.dumps(counted, indent=1) + "\n")


def left_out() -> str | None:
    """Return why nothing can be counted here; None if it can."""
    return None if shutil.which("valgrind") else "valgrind is not installed"


def instructions() -> dict[str, int]:
    """Return the instructions of each thing that is counted."""
    counted = {}
    for entries in BATCHES:
        for name, worker in COMMITS.items():
            if (count := of_a_commit(worker, entries)) is not None:
                counted[f"{name}: a commit of {entries}"] = count
    with _log() as (home, proof, file, vkey):
        tiletree = ("-m", "tiletree")
        counted['python -c "import click"'] = _count("-c", "import click")
        counted["tiletree --version"] = _count(*tiletree, "--version")
        counted["tiletree verify, a proof file"] = _count(
            *tiletree, "verify", file, "--proof", proof, "--vkey", vkey, home=home
        )
    return counted


def of_a_commit(worker: str, entries: int) -> int | None:
    """Return the instructions of one commit of so many entries; None if the worker cannot be run here."""
    counts = []
    for commits in (FEW, MANY):
        with _scratch() as scratch:
            run = [str(HERE / "workers.py"), worker, str(scratch / worker), str(entries * commits), str(entries)]
            try:
                counts.append(_count(*run))
            except subprocess.CalledProcessError:
                return None
    return (counts[1] - counts[0]) // (MANY - FEW)


def _count(*arguments: str, home: Path | None = None) -> int:
    """Return the instructions of a run of this Python. home: where it remembers logs"""
    environment = os.environ | {"PYTHONHASHSEED": "0"}  # the order of sets, and so the count, is the same each time
    if home is not None:
        environment |= {f"XDG_{kind}_HOME": str(home / "home") for kind in ("CONFIG", "STATE", "CACHE")}
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", sys.executable]
    done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=True)
    found = re.search(r"I\s+refs:\s+([0-9,]+)", done.stderr)
    assert found, done.stderr
    return int(found[1].replace(",", ""))


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as scratch:
        yield Path(scratch)


@contextmanager
def _log() -> Iterator[tuple[Path, str, str, str]]:
    """Make a log of 300 entries by the command; yield its directory, a proof file, the file it is of, and its key."""
    with _scratch() as scratch:
        environment = os.environ | {f"XDG_{kind}_HOME": str(scratch / "home") for kind in ("CONFIG", "STATE", "CACHE")}

        def tiletree(*arguments: str, given: str = "") -> str:
            command = [sys.executable, "-m", "tiletree", *arguments]
            done = subprocess.run(
                command, cwd=scratch, env=environment, input=given, capture_output=True, text=True, check=True
            )
            return done.stdout

        made = json.loads(tiletree("init", "log", "--origin", "bench.example.com/log", "--json"))
        tiletree("add", "log", "--stdin-lines", given="".join(f"line {number}\n" for number in range(300)))
        (scratch / "file").write_text("line 150")
        tiletree("prove", "log", "--index", "150", "-o", "proof.tlog-proof")
        yield scratch, str(scratch / "proof.tlog-proof"), str(scratch / "file"), made["vkey"]


if __name__ == "__main__":
    main()
