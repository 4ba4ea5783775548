"""Jobs of several threads at once, and what a store lists."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from tiles.store import Store

THREADS = 8


def paths(store: Store, prefix: str = "") -> list[str]:
    """Return the paths that `list` yields."""
    return [listed.path for listed in store.list(prefix)]


def at_once(jobs: Iterable[Callable[[], object]]) -> list[object]:
    """Run jobs in as many threads, started together; return what each returned or raised."""
    jobs = list(jobs)
    gate = threading.Barrier(len(jobs))

    def run(job: Callable[[], object]) -> object:
        gate.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        futures = [pool.submit(run, job) for job in jobs]
    return [future.exception() or future.result() for future in futures]
