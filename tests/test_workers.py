from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import count, islice
from multiprocessing import active_children
from pathlib import Path
from threading import Event, Timer
from time import sleep
from typing import Any

import pytest

import tiles.workers
from tiles.errors import AccessError, Malformed
from tiles.workers import HERE, LEAST_RUNS, RUN, Workers, at_work, cores, processes, threads

THERE = "there"


class Held(Executor):
    """An executor whose jobs are done when somebody waits for them, in an order of its own.

    spoil   is asked before each job, and may raise
    """

    def __init__(self, seed: int = 0, spoil: Callable[[], None] = lambda: None) -> None:
        self.waiting: list[tuple[Future[Any], Callable[[], Any]]] = []
        self.handed_over = 0
        self._random = random.Random(seed)
        self._spoil = spoil

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **_: Any) -> Future[Any]:
        """Take a job."""
        future: Future[Any] = Future()
        self.handed_over += 1
        self.waiting.append((future, partial(fn, *arguments)))
        return future

    def do_one(self) -> None:
        """Do any one of the jobs that wait."""
        while self.waiting:
            future, job = self.waiting.pop(self._random.randrange(len(self.waiting)))
            if not future.set_running_or_notify_cancel():
                continue
            try:
                self._spoil()
                future.set_result(job())
            except Exception as error:  # noqa: BLE001  as an executor does
                future.set_exception(error)
            return


def held(executor: Held, most: int = 3) -> Workers:
    """Return workers who do a job, any one, each time somebody looks after them."""
    return Workers(executor, most, still_there=executor.do_one)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever waits look at once whether somebody is still there."""
    monkeypatch.setattr(tiles.workers, "_LOOK", 0.0)


def square(item: int) -> int:
    """Return a square."""
    return item * item


def there(item: int) -> tuple[str, int]:
    """Return a square, and who computed it."""
    return THERE, os.getpid() * 0 + item * item


def odd(item: int) -> int:
    """Refuse even numbers, except 0."""
    if item and item % 2 == 0:
        raise Malformed("number", "it is even", item)
    return item


@pytest.mark.parametrize("seed", range(5))
def test_in_the_order_of_the_items(soon: None, seed: int) -> None:
    """Results come in the order of the items, in whatever order they are computed."""
    executor = Held(seed)
    assert list(held(executor).each(range(20), here=square, there=square)) == [square(item) for item in range(20)]


def test_the_window(soon: None) -> None:
    """No more jobs are handed over ahead than there are workers, and two; items may be endless."""
    executor, taken = Held(), []

    def items() -> Iterator[int]:
        for item in count():
            taken.append(item)
            yield item

    workers = held(executor, 3)
    results = workers.each(items(), here=square, there=square)
    for done in range(1, 30):
        next(results)
        assert len(taken) == executor.handed_over <= done + workers.most - 1
    assert workers.most == 5


def test_what_was_not_begun_is_dropped(soon: None) -> None:
    """Whoever takes no more results leaves no jobs behind."""
    executor = Held()
    results = held(executor).each(count(), here=square, there=square)
    next(results)
    results.close()
    assert all(future.cancelled() for future, _ in executor.waiting)


@pytest.mark.parametrize("workers", ["here", "threads", "processes"])
def test_an_error_has_its_turn(workers: str) -> None:
    """What a job raises is raised in its turn, after the results before it."""
    made: dict[str, AbstractContextManager[Workers]] = {
        "here": nullcontext(HERE),
        "threads": threads(3),
        "processes": processes(2),
    }
    with made[workers] as at:
        results = at.each([1, 3, 5, 4, 7], here=odd, there=odd)
        assert list(islice(results, 3)) == [1, 3, 5]
        with pytest.raises(Malformed, match="it is even"):
            next(results)


def test_threads_share_objects() -> None:
    """Threads do the job of this process."""
    found: list[int] = []
    with threads(3) as at:
        assert at.count == 3
        assert list(at.each(range(50), here=lambda item: found.append(item) or item, there=there)) == list(range(50))
    assert sorted(found) == list(range(50))


def test_nobody_waits_for_a_job_that_hangs() -> None:
    """Whoever gives up does not wait for what threads are doing, and what they have not begun is never done."""
    hangs, begun = Event(), []

    def hang(item: int) -> None:
        begun.append(item)
        hangs.wait(10)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # another test may have left it ignored
    with pytest.raises(KeyboardInterrupt), threads(2) as at:  # noqa: PT012
        results = at.each(range(9), here=hang, there=hang)
        Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        next(results)
    assert not hangs.is_set()
    assert sorted(begun) == [0, 1]
    hangs.set()
    signal.signal(signal.SIGINT, before)


def hang_there(item: int) -> int:
    """Do not come to an end."""
    sleep(60)
    return item


def test_processes_are_ended() -> None:
    """If this process gives up, it does not wait for the others either."""
    with pytest.raises(Malformed), processes(2) as at:  # noqa: PT012
        at.executor.submit(abs, 1).result()  # type: ignore[union-attr]  it has started
        children = active_children()
        for _ in at.each(range(2, 9), here=odd, there=hang_there):  # the first is done here, and refused
            pass
    assert [child.exitcode for child in children] == [-signal.SIGTERM]


def test_processes_are_sent_the_other_job() -> None:
    """A process of its own does what can be sent, this one the job that is its own, and the results are in order."""
    with processes(2) as at:
        done = list(at.each(range(40), here=lambda item: ("here", item * item), there=there))
    assert [square for _, square in done] == [item * item for item in range(40)]
    assert {who for who, _ in done} == {"here", THERE}


def kill(item: int) -> int:
    """End the process that does this."""
    os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_a_killed_process() -> None:
    """If a process is killed, this one does its jobs: nothing is missing."""
    with processes(2) as at:
        assert list(at.each(range(20), here=square, there=kill)) == [square(item) for item in range(20)]


def test_those_who_are_gone(soon: None) -> None:
    """If an executor that was given breaks, that is no result and no endless wait."""

    def spoil() -> None:
        raise BrokenExecutor("somebody has killed it")

    results = held(Held(spoil=spoil)).each([1], here=square, there=square)
    with pytest.raises(AccessError, match="gone: somebody has killed it"):
        next(results)

    def nobody() -> None:
        raise AccessError("nobody is left")

    with pytest.raises(AccessError, match="nobody is left"):
        next(Workers(Held(), 2, still_there=nobody).each([1], here=square, there=square))


def test_who_is_at_work() -> None:
    """Small work is done here, large work by as many as there are processors, and --jobs decides."""
    with at_work(None, LEAST_RUNS * RUN - 1, native=False) as few, at_work(1, 10**9, native=True) as one:
        assert few is HERE
        assert one is HERE
    with at_work(None, 10**9, native=True) as all_:
        assert all_.count == min(cores(), tiles.workers.MAX_JOBS)
        assert all_.is_here or all_ is HERE
    with at_work(5, 3 * RUN, native=True) as runs:
        assert runs.count == 3  # there is no more to do
    with at_work(2, 10**9, native=False) as two:
        assert (two.count, two.is_here) == (2, False)


def test_no_process_outlives_its_parent(tmp_path: Path) -> None:
    """A process that waits for jobs ends if the one that spawned it is killed."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, signal\n"
        "from tiles.workers import processes\n"
        "if __name__ == '__main__':\n"
        "    with processes(2) as at:\n"
        "        print(at.executor.submit(os.getpid).result(), flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, check=False, timeout=20)
    child = int(done.stdout)
    for _ in range(100):
        if not Path(f"/proc/{child}").exists():
            return
        sleep(0.05)
    pytest.fail(f"process {child} is still there")
