"""Where jobs are computed that depend on nothing else: here, in threads, in processes, or on an executor that is given.

    with at_work(None, jobs, native=False) as workers:
        for result in workers.each(items, here=job, there=job_that_can_be_sent): ...

A job is a pure function of its item. So the results are the same wherever they are computed, and they are yielded in
the order of the items. A few jobs are under way at a time, however many items there are: `Executor.map` would take all
items, and hold all results, at once. Processes are spawned and never forked: a forked one would hold on to locks and
descriptors of this one.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tiles.errors import AccessError
from tiles.parallel import Pool

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

MAX_JOBS = 64
RUN = 1 << 16  # entries of one job, as a rule: those below one tile of level 1
LEAST_RUNS = 4  # of less work, more processes are no use: one takes as long to start as two runs to be hashed

_AHEAD = 2  # jobs that wait to be begun, beside those under way
_LOOK = 5.0  # seconds after which is looked whether anybody is still at work

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Workers:
    """Those who do jobs.

    executor    does them; None: each is done here when its turn comes
    count       how many are done at a time
    is_here     whether the executor's jobs run in this process, and share its objects
    helps       whether this process does jobs as well, instead of waiting; it counts as one
    still_there raises AccessError if nobody is at work any more; it is called now and then while a result is awaited
    """

    executor: Executor | None = None
    count: int = 1
    is_here: bool = False
    helps: bool = False
    still_there: Callable[[], None] | None = None

    @property
    def most(self) -> int:
        """How many jobs at most were handed over and not yet taken: that is what memory holds."""
        return self.count + _AHEAD if self.executor is not None else 1

    def each(
        self, items: Iterable[Item], here: Callable[[Item], Result], there: Callable[[Item], Result]
    ) -> Generator[Result]:
        """Yield the job's result for each item, in the order of the items, and raise what it raised in its turn.

        here    does the job in this process
        there   does the same wherever it is sent to; it is a function of a module, or a `partial` of one
        Raises AccessError if there is nobody left to do it. What was not begun is dropped if no more is taken.
        """
        if self.executor is None:
            yield from map(here, items)
            return
        submit = partial(_submit, self.executor, here if self.is_here else there)
        waiting = iter(items)
        window: deque[_Job[Item, Result]] = deque()
        try:
            while True:
                window += map(_Job, islice(waiting, self.most - len(window)))
                if not window:
                    return
                yield self._result(window, here, submit)
        finally:
            for each in window:
                if each.future is not None:
                    each.future.cancel()

    def _result(
        self,
        window: deque[_Job[Item, Result]],
        here: Callable[[Item], Result],
        submit: Callable[[Item], Future[Result]],
    ) -> Result:
        """Return the first job's result; while it is not there, do the next jobs that were handed to nobody."""
        first = window[0]
        self._hand_over(window, submit)
        while self.helps and not (first.future is not None and first.future.done()):
            mine = next((each for each in window if each.future is None), None)
            if mine is None:
                break
            mine.future = _done(here, mine.item)
            self._hand_over(window, submit)
        future = first.future or submit(first.item)
        while self.still_there and not wait([future], _LOOK).done:
            self.still_there()
        try:
            result = future.result()
        except BrokenExecutor as error:
            if not self.helps:
                hint = "start the workers again, and run again"
                raise AccessError(f"those who were to compute are gone: {error}", hint=hint) from error
            result = here(first.item)  # a process was killed: whoever is left does it
        except CancelledError as error:
            raise AccessError(
                "a job was given up by those who were to compute it", hint="see whether they still run, and run again"
            ) from error
        window.popleft()
        return result

    def _hand_over(self, window: deque[_Job[Item, Result]], submit: Callable[[Item], Future[Result]]) -> None:
        """Hand over jobs, in their order: all, or as many as keep the others busy while this process does one, too.

        This process then does the first itself, unless others have it: its result is the next that is waited for. No
        job is taken back by `Future.cancel`: in Python 3.11 a pool whose process is killed stumbles over that.
        """
        most = min(2 * (self.count - 1), self.most - 1) if self.helps else self.most
        under_way = sum(each.future is not None and not each.future.done() for each in window)
        for each in islice(window, int(self.helps), None):
            if each.future is None and under_way < most:
                each.future = submit(each.item)
                under_way += 1


def _submit(executor: Executor, job: Callable[[Item], Result], item: Item) -> Future[Result]:
    try:
        return executor.submit(job, item)
    except BrokenExecutor as error:  # raised when it is this job's turn
        failed: Future[Result] = Future()
        failed.set_exception(error)
        return failed


@dataclass(slots=True)
class _Job(Generic[Item, Result]):
    item: Item
    future: Future[Result] | None = None  # None: it was not begun


HERE = Workers()


def cores() -> int:
    """Return how many processors this process may use."""
    count = getattr(os, "process_cpu_count", None)  # Python 3.13; PYTHON_CPU_COUNT limits it
    if count is not None:
        return count() or 1
    with suppress(AttributeError):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def at_work(jobs: int | None, entries: int, *, native: bool) -> AbstractContextManager[Workers]:
    """Return the workers of this machine, for as long as the context lasts.

    jobs      how many jobs at a time; None: as many as there are processors, if it is worth it
    entries   how many entries there are to compute
    native    whether hashing releases the interpreter's lock, so that threads do
    """
    runs = entries // RUN
    count = min(jobs or (cores() if runs >= LEAST_RUNS else 1), max(runs, 1), MAX_JOBS)
    if count == 1:
        return nullcontext(HERE)
    return threads(count) if native else processes(count)


@contextmanager
def threads(count: int) -> Iterator[Workers]:
    """Start threads. Leaving the context does not wait for jobs that are under way, nor does the end of the program."""
    with Pool(count) as pool:
        yield Workers(_Threads(pool), count, is_here=True)


class _Threads(Executor):
    """Threads of a `Pool`, as an executor."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """Start a job, unless it is cancelled before its turn."""
        future: Future[Any] = Future()
        self._pool.start(partial(_do, future, partial(fn, *arguments, **options)))
        return future


@contextmanager
def processes(count: int) -> Iterator[Workers]:
    """Spawn processes, one fewer than `count`: this one does jobs as well, and begins while they start.

    If the context is left by an error, an interrupt among them, they are ended and not waited for: one may be reading
    from a server that does not answer.
    """
    from concurrent.futures import ProcessPoolExecutor  # slow to import
    from multiprocessing import active_children, get_context

    others = set(active_children())
    executor = ProcessPoolExecutor(count - 1, mp_context=get_context("spawn"), initializer=_begin)
    try:
        yield Workers(executor, count, helps=True)
    except BaseException:
        for process in set(active_children()) - others:
            process.terminate()
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """Make a process of ours end with the one that spawned it, and only with it."""
    import signal
    from multiprocessing import parent_process
    from threading import Thread

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the parent gets it, too, and says what is to be said
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent,), name="tiletree", daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    """End this process once its parent has: it would wait for jobs for ever."""
    parent.join()
    os._exit(1)


def _done(job: Callable[[Item], Result], item: Item) -> Future[Result]:
    future: Future[Result] = Future()
    _do(future, partial(job, item))
    return future


def _do(future: Future[Result], job: Callable[[], Result]) -> None:
    if future.set_running_or_notify_cancel():
        try:
            result = job()
        except Exception as error:  # noqa: BLE001  raised when it is its turn
            future.set_exception(error)
        else:
            future.set_result(result)
