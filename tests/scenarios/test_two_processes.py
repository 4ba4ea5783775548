"""Several `add` processes on one directory at the same time, and processes that outlive the one that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from tests.support.real_log import Answer, RealLog, ground
from tests.support.sampling import soaking
from tests.support.world import some_entries
from tiles.errors import AccessError
from tiles.store.directory import DirectoryStore

LINES = 400  # of one `add`
BATCH = 4

Run = tuple[list[bytes], list[dict[str, int]], float]  # lines, the ranges they were said to be at, seconds


@pytest.fixture
def log(tmp_path: Path) -> Iterator[RealLog]:
    """Return a new log."""
    with ground(tmp_path) as folder:
        yield RealLog(folder / "log").create()


def add_for(log: RealLog, name: str, seconds: float) -> list[Run]:
    """Run one `add` after the other for so long; each must succeed."""
    runs = []
    until = time.monotonic() + seconds
    for number in count():
        entries = some_entries(f"{name} {number}", LINES)
        start = time.monotonic()
        if start > until:
            return runs
        options = ("--batch-size", str(BATCH), "--json")
        with log.start("add", str(log.path), "--lines", log.file(entries), *options) as process:
            out, err = process.communicate()
        assert process.returncode == 0, err
        assert all(line.startswith("other writers were first ") for line in err.splitlines())
        runs.append((entries, Answer(0, out, err).document["ranges"], time.monotonic() - start))
    raise AssertionError


def add_together(log: RealLog, processes: int, seconds: float) -> None:
    """Let so many processes add at any time, and hold the log against what they were told."""
    with ThreadPoolExecutor(processes) as threads:
        names = [f"process {number}" for number in range(processes)]
        runs = [run for done in threads.map(lambda name: add_for(log, name, seconds), names) for run in done]
    log_entries = log.entries()
    for entries, ranges, _ in runs:
        places = [place for each in ranges for place in range(each["first_index"], sum(each.values()))]
        assert [log_entries[place] for place in places] == entries
        log.acknowledged += zip(places, entries, strict=True)
    assert len(log.check()) == LINES * len(runs)
    took = sorted(seconds for _, _, seconds in runs)
    print(f"{processes} processes, {len(runs)} runs of {LINES // BATCH} batches", end=", ")
    print(f"others came between in {sum(len(ranges) > 1 for _, ranges, _ in runs)}", end=", ")
    print(
        f"{len(log_entries) / seconds:.0f} entries/s; one took {took[len(took) // 2]:.2f} s, at most {took[-1]:.2f} s"
    )


@pytest.mark.slow
def test_processes_that_add_at_the_same_time(log: RealLog) -> None:
    """All entries of all processes are there, once, in the order of each and where each was told; nobody fails."""
    add_together(log, 4, 2.0)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 4])
def test_processes_that_add_for_long(log: RealLog, processes: int) -> None:
    """The same for up to a minute."""
    add_together(log, processes, soaking(8.0, 60.0))


# ---- orphans

POOL = """
import os, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tiles.store.directory import DirectoryStore

if __name__ == "__main__":
    roots = [DirectoryStore(Path(path))._root for path in sys.argv[1:]]
    held = [root.folders() for root in roots]
    for root, folders in zip(roots, held):
        root.lock(folders)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        pool.submit(time.sleep, 3600).result()
"""


def children(process: int) -> list[int]:
    """Return the processes that a process has started and that live."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return []


@contextmanager
def orphaned(parent: subprocess.Popen[str], orphans: list[int]) -> Iterator[None]:
    """Kill a process whose children live on, stopped, as long as the context lasts."""
    for orphan in orphans:
        os.kill(orphan, signal.SIGSTOP)
    try:
        parent.kill()
        parent.wait()
        yield
        assert all(Path(f"/proc/{orphan}").exists() for orphan in orphans)
    finally:
        for orphan in orphans:
            os.kill(orphan, signal.SIGKILL)


def check_free(log: RealLog) -> None:
    """Writing and reading go on at once, as nobody holds a lock."""
    start = time.monotonic()
    log.add(some_entries("after", 3))
    assert log.inside("info", str(log.path), "--vkey", log.verifier.vkey).code == 0
    assert time.monotonic() - start < 5.0, "somebody held a lock"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="NOT TESTED: no /proc to find children in")
@pytest.mark.slow
def test_orphans_of_an_audit_hold_no_lock(log: RealLog) -> None:
    """The workers of an audit that was killed keep nobody from writing or reading, however long they live."""
    base = some_entries("base", 3 * 65_536)
    assert log.inside("add", str(log.path), "--lines", log.file(base)).code == 0
    log.environment["TILETREE_NATIVE"] = "0"  # compiled hashing is done in threads
    with log.start("audit", str(log.path), "--vkey", log.verifier.vkey, "--jobs", "3") as audit:
        orphans: list[int] = []
        while len(orphans) < 3 and audit.poll() is None:  # two workers, and what keeps track of their semaphores
            orphans = children(audit.pid)
        assert audit.poll() is None, "the audit was over before it could be killed"
        with orphaned(audit, orphans):
            check_free(log)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="NOT TESTED: no /proc to find children in")
def test_orphans_that_were_started_under_a_lock_do_not_hold_it(log: RealLog) -> None:
    """A worker that was started while its parent had locked the log has no part in the lock."""
    program = log.folder / "pool.py"
    program.write_text(POOL)
    (anchor,) = (log.folder / "config").rglob("*.anchor")
    places = [str(log.path), str(log.path.with_name("log.private")), str(anchor)]
    with subprocess.Popen([sys.executable, str(program), *places], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert worker in children(parent.pid)
        for place in places:
            with pytest.raises(AccessError, match="another process has locked it"):
                DirectoryStore(Path(place), lock_wait=0.0).swap("anything", b"", None)
        with orphaned(parent, children(parent.pid)):
            check_free(log)
