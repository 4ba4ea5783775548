"""Running one process, and what it took; and how busy the machine is meanwhile."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.memory import Sampler

ROOT = Path(__file__).parents[2]
SAMPLED = 0.05  # seconds between two looks at the memory of a process
Figures = dict[str, Any]  # seconds, cpu, peak; and what else a worker has to say


def run(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    stdin: Path | None = None,
    code: int = 0,
    several: bool = False,
) -> tuple[Figures, str]:
    """Run a process from the root of the repository; return what it took as a whole, and what it wrote.

    several   it starts processes of its own, whose memory counts too
    Ends the program if the exit code is another one.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, (stdin or Path(os.devnull)).open() as given:
        started = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)),
            stdin=given,
            stdout=out,
            stderr=err,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
        )
        with Sampler(process.pid, SAMPLED, several=several) as sampler:
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)  # it was waited for
        out.seek(0)
        err.seek(0)
        text, problem = out.read().decode(), err.read().decode()
    if process.returncode != code:
        sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}: {problem.strip()[-2000:]}")
    return {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "peak": sampler.peak}, text


def run_worker(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Figures:
    """Run a process that measures itself, and return what it says; its last line is JSON."""
    _, text = run(command, environment=environment)
    figures: Figures = json.loads(text.splitlines()[-1])
    return figures


def python(module: str, *arguments: object) -> list[str]:
    """Return the command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *map(str, arguments)]


def calibrate() -> float:
    """Return the seconds of CPU-bound work that is always the same: whoever else uses the machine makes it longer."""
    data = bytes(1 << 20)
    started = time.perf_counter()
    for _ in range(64):
        hashlib.sha256(data).digest()
    return time.perf_counter() - started


def load() -> float:
    """Return how many processes wanted to run in the last minute."""
    return round(os.getloadavg()[0], 2)
