"""Measure against other implementations, in the same run: `make bench`.

Absolute figures are this machine's and this moment's; the ratios are what is published. Prints tables, and writes
everything as JSON, of which `python -m tests.bench.report bench.json` makes docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.audits import audit_parts
from tests.bench.costs import cost_parts
from tests.bench.lines import lines_parts
from tests.bench.machine import machine
from tests.bench.object_store import object_store_parts
from tests.bench.peers import aics_python, go_program
from tests.bench.profiles import profile_parts
from tests.bench.proofs import make_log, make_texts, prove_parts, verify_parts
from tests.bench.publish import publish_parts
from tests.bench.searches import search_parts
from tests.bench.starts import start_parts

ROUNDS = 5
LOG = 1 << 20  # entries of the log that is audited, and of which proofs are made
LARGE = 10_000_000  # of another one that is audited
Found = list[dict[str, Any]]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"some parts only: {', '.join(PARTS)}", choices=PARTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--share", type=float, default=1.0, help="of the entries, to try this out")
    parser.add_argument("--directory", type=Path, help="where to write; the file system that is measured")
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    options = parser.parse_args()
    parts: dict[str, Found] = {}
    found = {"machine": machine(), "parts": parts}
    print(", ".join(f"{key} {value}" for key, value in machine().items()), end="\n\n")
    aics_python(), go_program()  # built before anything is measured
    # nothing is deleted before the end: on ext4, making files is several times slower for minutes after many were
    with tempfile.TemporaryDirectory(dir=options.directory) as scratch:
        run = _Run(Path(scratch), options.rounds, options.share)
        for name in options.only or PARTS:
            started = time.perf_counter()
            parts[name] = PARTS[name](run)
            print(f"({name}: {time.perf_counter() - started:.0f} s)\n", flush=True)
            options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"written to {options.json}; python -m tests.bench.report {options.json} makes docs/performance.md of it")


class _Run:
    """What the parts of one run share."""

    def __init__(self, scratch: Path, rounds: int, share: float) -> None:
        self.scratch, self.rounds, self.share = scratch, rounds, share
        self._log: Path | None = None

    def log(self) -> Path:
        """Return the log that is audited, and of which proofs are made; it is made on first use."""
        if self._log is None:
            self._log = self.scratch / "large"
            make_log(self._log, max(1 << 16, int(LOG * self.share)))
        return self._log

    def large_log(self) -> Path:
        """Return a log that is audited, of which start-up is a small part."""
        log = self.scratch / "larger"
        make_log(log, max(1 << 17, int(LARGE * self.share)))
        return log


PARTS: dict[str, Callable[[_Run], Found]] = {
    "publish": lambda run: publish_parts(run.scratch, run.rounds, run.share),
    "lines": lambda run: lines_parts(run.scratch / "lines", run.rounds, run.share),
    "audit": lambda run: audit_parts(run.log(), run.large_log(), run.scratch / "audit", run.rounds),
    "prove": lambda run: prove_parts(run.log(), run.rounds),
    "verify": lambda run: verify_parts(run.log(), run.rounds),
    "start": lambda run: start_parts(run.scratch / "start"),
    "object-store": lambda run: object_store_parts(run.rounds, run.share),
    "search": lambda run: search_parts(run.scratch / "search", run.share),
    "profile": lambda run: profile_parts(run.scratch / "profile", make_texts(run.log())),
    "cost": lambda _run: cost_parts(),
}


if __name__ == "__main__":
    main()
