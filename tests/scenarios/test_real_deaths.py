"""The real command, killed by SIGKILL: at each of its calls to the file system, and at random moments.

After each death the log is as its readers may find it, a run with what is left of the entries finishes the work, and
the log is audited: what was acknowledged is there, at its index, and once.
"""

from __future__ import annotations

import itertools
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import dying_writer
from tests.support.dying_writer import BATCH, ENTRIES
from tests.support.real_log import RealLog, ground
from tests.support.reference import printed_random
from tests.support.sampling import soaking
from tests.support.world import ORIGIN, explained, some_entries

# Those that change something, and those between which something has changed
CALLS = (
    *("openat", "write", "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir"),
    *("mkdirat", "fsync", "fdatasync", "syncfs", "flock"),
)
BASE = 250  # entries; the first batch of ENTRIES crosses the end of a bundle


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Where logs may be made."""
    with ground(tmp_path) as folder:
        yield folder


@pytest.fixture
def base(place: Path) -> RealLog:
    """Return a log of BASE entries."""
    log = RealLog(place / "base").create()
    log.add(some_entries("base", BASE))
    return log


@pytest.fixture
def strace(tmp_path: Path) -> str:
    """Return the path of strace; skip the test where it is not to be had."""
    path = shutil.which("strace")
    if path is None:
        pytest.skip("NOT TESTED: deaths at each system call need strace")
    tried = subprocess.run([path, "-f", "-o", str(tmp_path / "tried"), "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"NOT TESTED: strace may not trace here: {tried.stderr.strip()}")
    return path


def resume(log: RealLog, out: str, entries: list[bytes], batch: int) -> None:
    """Hold the log against what a dead run has said, and let another run add the rest."""
    rest = log.take_down(out, entries)
    before = log.entries()  # nothing that the checkpoint needs is missing
    assert len(before) > max((index for index, _ in log.acknowledged), default=-1)
    assert set(log.committed()) <= {*(entry for _, entry in log.acknowledged), *rest[:batch]}
    # Readers can see it, and the run died before it could say so: for the next run it is new.
    log.unsaid += [entry for entry in before if entry in rest[:batch]]
    log.let_time_pass()
    log.add(rest, "--batch-size", str(batch))
    log.check()


# ---- at each system call


def calls(strace: str, log: RealLog, *arguments: str) -> Iterator[tuple[str, int, str]]:
    """Yield the calls of an undisturbed run that touch the log, its key or its output: name, number, and all of it.

    The number is that among the calls of its thread: `strace` counts each thread's by themselves.
    """
    trace = log.folder.with_name("trace")
    under = [strace, "-f", "-y", "-s", "0", "-o", str(trace), "-e", f"trace={','.join(CALLS)}"]
    with log.start(*arguments, under=under) as process:
        _, err = process.communicate()
    assert process.returncode == 0, err
    numbers = Counter[tuple[str, str]]()
    for line in trace.read_text(errors="replace").splitlines():
        if match := re.match(r"([0-9]+) +([a-z0-9]+)\(", line):
            numbers[match[1], match[2]] += 1
            if str(log.folder) in line or line[match.start(2) :].startswith("write(1<"):
                yield match[2], numbers[match[1], match[2]], line


def killed(strace: str, log: RealLog, call: str, number: int, *arguments: str) -> str:
    """Kill a run before its n-th call of a name; return what it had said."""
    under = [strace, "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"]
    with log.start(*arguments, under=under) as process:
        out, err = process.communicate()
    assert process.returncode == -signal.SIGKILL, f"it ended with {process.returncode}: {err}"
    return out


def some_of(calls: Iterable[tuple[str, int, str]], share: float) -> list[tuple[str, int, str]]:
    """Return a share of the calls, at least one, chosen by a printed seed."""
    every = list(calls)
    chosen = printed_random().sample(every, max(1, round(share * len(every))))
    print(f"tried: {len(chosen)} kills, each at a call to the file system")
    return chosen


def kill_add(strace: str, base: RealLog, share: float) -> int:
    """Kill `add` before a share of its calls, each time on a log of its own; return how often."""
    run = base.folder.with_name("run")
    log = base.copy(run)
    arguments = "add", str(log.path), "--lines", base.file(ENTRIES), "--batch-size", str(BATCH)
    chosen = some_of(calls(strace, log, *arguments), share)
    for call, number, line in chosen:
        log = base.copy(run)
        with explained(lambda: f"killed before {call} {number}: {line}"):  # noqa: B023
            resume(log, killed(strace, log, call, number, *arguments), ENTRIES, BATCH)
    return len(chosen)


def kill_init(strace: str, place: Path, share: float) -> int:
    """Kill `init` before a share of its calls, each time in an empty folder, and make it again; return how often."""
    nothing = RealLog(place / "base")
    nothing.folder.mkdir()
    log = nothing.copy(place / "run")
    arguments = "init", str(log.path), "--origin", ORIGIN
    chosen = some_of(calls(strace, log, *arguments), share)
    for call, number, line in chosen:
        log = nothing.copy(place / "run")
        with explained(lambda: f"killed before {call} {number}: {line}"):  # noqa: B023
            killed(strace, log, call, number, *arguments)
            log.create()
            log.add(ENTRIES)
            assert log.check() == tuple(ENTRIES)
    return len(chosen)


@pytest.mark.slow
def test_add_killed_at_some_system_calls(strace: str, base: RealLog) -> None:
    """`add` may be killed before any of its calls to the file system (a sample)."""
    assert kill_add(strace, base, 0.02) > 1


@pytest.mark.slow
def test_add_killed_at_each_system_call(strace: str, base: RealLog) -> None:
    """`add` may be killed before any of its calls to the file system."""
    assert kill_add(strace, base, soaking(0.15, 1.0)) > soaking(10, 150)


@pytest.mark.slow
def test_init_killed_at_some_system_calls(strace: str, place: Path) -> None:
    """`init` may be killed before any of its calls to the file system, and be made again (a sample)."""
    assert kill_init(strace, place, 0.01) > 1


@pytest.mark.slow
@pytest.mark.longest
def test_init_killed_at_each_system_call(strace: str, place: Path) -> None:
    """`init` may be killed before any of its calls to the file system, and be made again."""
    assert kill_init(strace, place, soaking(0.08, 1.0)) > soaking(5, 80)


# ---- at each store operation, where system calls cannot be traced


def test_killed_at_each_store_operation(base: RealLog, place: Path) -> None:
    """A process that appends, by the library, may be killed before any operation of its stores."""
    with dying_writers() as writers:
        for lives in itertools.count():
            log = base.copy(place / "run")
            with explained(lambda: f"killed before store operation {lives}"):  # noqa: B023
                assert writers.stdin is not None
                assert writers.stdout is not None
                print(log.folder, lives, file=writers.stdin, flush=True)
                *said, ended = iter_until(writers.stdout, "ended ")
                assert ended in (f"ended {-signal.SIGKILL}\n", "ended 0\n")
                resume(log, "".join(said), ENTRIES, BATCH)
            if ended == "ended 0\n":
                break
    assert lives > 30


@contextmanager
def dying_writers() -> Iterator[subprocess.Popen[str]]:
    """Start `dying_writer`, which forks a writer for each line it reads."""
    program = Path(dying_writer.__file__)
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, str(program)], stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def iter_until(lines: Iterable[str], last: str) -> Iterator[str]:
    """Yield lines up to the one that starts like this."""
    for line in lines:
        yield line
        if line.startswith(last):
            return


# ---- at random moments


def kill_at_random(base: RealLog, times: int) -> None:
    """Kill `add` again and again on one log, each time after a random part of its work; then let the rest be added."""
    rng = printed_random()
    kills = turns = 0
    while kills < times:
        turns += 1  # not every run is killed in time, and no two may have the same entries
        entries = some_entries(f"run {turns}", 300)
        said, pause = rng.randrange(-5, 290), rng.random() * 0.02
        arguments = "add", str(base.path), "--lines", base.file(entries), "--batch-size", str(BATCH)
        with explained(lambda: f"kill {kills}, once {said} lines were said, {pause} s later"):  # noqa: B023
            with base.start(*arguments) as process:
                assert process.stdout is not None
                out = "".join(itertools.islice(process.stdout, max(said, 0)))
                time.sleep(pause if said >= 0 else rng.random() * 0.5)
                process.kill()
                out += process.stdout.read()
                kills += process.wait() == -signal.SIGKILL
            resume(base, out, entries, BATCH)
    print(f"tried: {kills} kills at random moments, {len(base.entries())} entries logged by then")


def test_add_killed_at_random(base: RealLog) -> None:
    """`add` may be killed at any moment (a sample)."""
    kill_at_random(base, 3)


@pytest.mark.slow
def test_add_killed_at_random_for_long(base: RealLog, place: Path) -> None:
    """`add` may be killed at any moment: on each of four logs, as every check reads a whole one."""
    for number in range(4):
        kill_at_random(base.copy(place / f"run {number}"), soaking(3, 50))
