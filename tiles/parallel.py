"""Threads: one job in the background, or many jobs side by side, and how many of them at a time.

All threads are daemons: the end of the program waits for none of them, however long a dead server takes to answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Self, TypeVar

# How many requests are under way at a time.
BUCKET_REQUESTS = 64  # of a run that writes to its bucket: a batch has hundreds of objects, and each one waits
MOST_BUCKET_REQUESTS = 172  # where that takes long: 514 objects, which a full batch has, in three rounds
BUCKET_READS = 32  # of a reader of a bucket: an entry bundle has up to 16 MiB, and those read are held in memory
INBOX_READS = 32  # of a run that reads its inbox: submissions are large, too, and anyone may have sent them
SERVER_READS = 8  # to somebody else's server: about as many as a browser has
BOTO3_REQUESTS = 16  # of boto3, which is no faster with more

_REQUEST = 0.0002  # seconds of the processor that a request of a bucket takes

Item = TypeVar("Item")
Result = TypeVar("Result")


def bucket_requests(latency: float) -> int:
    """Return how many writes to a bucket are to be under way at a time, if one alone takes so many seconds.

    One takes a fifth of a millisecond of the processor. So with so many the processor is never idle, and more would
    only wait for it. Each has a connection of its own: that takes a millisecond to set up, and 100 KB of memory.
    """
    return min(max(int(latency / _REQUEST), BUCKET_REQUESTS), MOST_BUCKET_REQUESTS)


def in_background(job: Callable[[], Result]) -> Future[Result]:
    """Start a job in a thread of its own, and return what will hold its result or its exception."""
    future: Future[Result] = Future()
    Thread(target=lambda: _run(job, future), name="tiletree", daemon=True).start()
    return future


class Pool:
    """At most `most` threads, which are used again. Leaving the context does not wait for jobs that are under way."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._threads = 0
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for _ in range(self._threads):
            self._jobs.put(None)

    def start(self, job: Callable[[], Result]) -> Future[Result]:
        """Start a job, as `in_background` does. With `most` ≤ 1 the caller's thread does it, before this returns."""
        future: Future[Result] = Future()
        if self._most <= 1:
            _run(job, future)
            return future
        if self._threads < self._most:
            self._threads += 1
            in_background(self._work)
        self._jobs.put(partial(_run, job, future))
        return future

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def in_parallel(job: Callable[[Item], Result], items: Iterable[Item], most: int) -> Iterator[Result]:
    """Yield the job's result for each item, in the order of the items, and raise what it raised when its turn comes.

    At most `most` are under way or wait to be taken, so items may be endless. With `most` ≤ 1 no thread is started.
    Whoever stops taking results does not wait for the jobs under way: they go on, and their results are dropped.
    """
    if most <= 1:
        yield from map(job, items)
        return
    with Pool(most) as pool:
        under_way: deque[Future[Result]] = deque()
        for item in items:
            if len(under_way) == most:
                yield under_way.popleft().result()
            under_way.append(pool.start(partial(job, item)))
        while under_way:
            yield under_way.popleft().result()


def all_done(job: Callable[[Item], Result], items: Collection[Item], most: int) -> list[Result]:
    """Do a job for all items, at most `most` at a time, and return the results in the order of the items.

    For jobs that write: it returns, or raises what the first failing job raised, only once no job is under way. After
    a failure no further job is begun. It waits for none, and begins none, once the caller is interrupted. Where the
    system gives fewer threads, fewer jobs are under way.
    """
    waiting = iter(enumerate(items))
    taking = Lock()
    results: dict[int, Result] = {}
    failures: list[BaseException] = []

    def work() -> None:
        while not failures:
            with taking:
                found = next(waiting, None)
            if found is None:
                return
            try:
                results[found[0]] = job(found[1])
            except BaseException as error:  # noqa: BLE001  raised below, once the others have come to their end
                failures.append(error)

    workers: list[Future[None]] = []
    if min(most, len(items)) > 1:
        with suppress(RuntimeError):  # there are no more threads
            workers.extend(in_background(work) for _ in range(min(most, len(items))))
    if not workers:
        work()
    try:
        for worker in workers:
            worker.result()
    except BaseException as interrupted:  # the caller's own
        failures.append(interrupted)
        raise
    for failure in failures:
        raise failure
    return [results[number] for number in range(len(items))]


def _run(job: Callable[[], Result], future: Future[Result]) -> None:
    try:
        future.set_result(job())
    except BaseException as error:  # noqa: BLE001  raised again by future.result()
        future.set_exception(error)
