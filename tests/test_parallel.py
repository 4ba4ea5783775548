from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import count
from threading import Barrier, Event, Lock, active_count, current_thread

import pytest

from tiles.parallel import Pool, all_done, in_background, in_parallel


def test_in_background() -> None:
    """A job is done by a thread that the end of the program does not wait for; what it raises is handed on."""
    assert in_background(lambda: current_thread().daemon).result(5)
    with pytest.raises(KeyError):
        in_background(lambda: {}["absent"]).result(5)


@pytest.mark.parametrize("most", [0, 1, 2, 7, 50])
def test_in_the_order_of_the_items(most: int) -> None:
    """Results come in the order of the items, however many are under way."""
    late = Event()

    def job(item: int) -> int:
        if item == 0 and most > 1:
            late.wait(0.05)  # the first one is the last to be done
        return item * item

    assert list(in_parallel(job, range(40), most)) == [item * item for item in range(40)]


def test_as_many_as_are_allowed() -> None:
    """As many are under way as are allowed, neither fewer nor more, in that many threads, and endless items will do."""
    together, lock = Barrier(4), Lock()
    threads, taken = set(), []

    def job(item: int) -> int:
        with lock:
            threads.add(current_thread())
        together.wait(timeout=5)  # passes four at a time, or never
        return item

    def items() -> Iterator[int]:
        for item in count():
            taken.append(item)
            yield item

    results = in_parallel(job, items(), 4)
    assert [next(results) for _ in range(9)] == list(range(9))
    assert len(taken) <= 13
    assert len(threads) == 4
    assert all(thread.daemon for thread in threads)
    together.abort()


def test_one_at_a_time_needs_no_thread() -> None:
    """With a bound of one, the caller's thread does it all, as results are taken."""
    done = []
    before = active_count()
    results = in_parallel(lambda item: done.append(item) or current_thread(), range(9), 1)
    assert next(results) is current_thread()
    assert (done, active_count()) == ([0], before)
    with Pool(1) as pool:
        assert pool.start(current_thread).result(0) is current_thread()


def test_an_error_comes_in_its_turn() -> None:
    """What a job raises is raised when its turn comes, without waiting for those that hang."""
    over = Event()

    def job(item: int) -> int:
        if item == 2:
            over.wait(10)
        return 1 // (item - 1)

    results = in_parallel(job, range(3), 3)
    assert next(results) == -1
    with pytest.raises(ZeroDivisionError):
        next(results)
    over.set()


def test_threads_end_with_the_pool() -> None:
    """Whoever leaves a pool, or stops taking results, leaves no thread behind that waits for more."""
    threads = []
    results = in_parallel(lambda _: threads.append(current_thread()), range(100), 3)
    next(results)
    results.close()  # type: ignore[attr-defined]
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_all_done_waits_for_what_is_under_way() -> None:
    """After a failure, nothing more is begun, and the error comes once nothing is under way any more."""
    begun, ended = [], []
    both = Barrier(2)

    def job(item: int) -> None:
        begun.append(item)
        if item < 2:
            both.wait(5)
        if item == 0:
            raise ValueError(item)
        Event().wait(0.05)
        ended.append(item)

    with pytest.raises(ValueError, match="0"):
        all_done(job, range(100), 2)
    assert sorted(begun) == sorted([0, *ended])
    assert len(begun) < 10


def test_all_done() -> None:
    """The results come in the order of the items; one item alone needs no thread."""
    assert all_done(lambda item: item + 1, range(100), 8) == list(range(1, 101))
    assert all_done(lambda _: current_thread(), [0], 8) == [current_thread()]
    assert all_done(lambda item: item, [], 8) == []


def test_all_done_begins_others_while_one_takes_long() -> None:
    """One job that takes long holds up none that comes after it."""
    rest = Barrier(2)

    def job(item: int) -> int:
        if item in (0, 99):
            rest.wait(5)  # the last one begins while the first one is under way
        return item

    assert all_done(job, range(100), 2) == list(range(100))


@pytest.mark.parametrize("there", [0, 1, 3])
def test_all_done_with_fewer_threads(there: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system gives fewer threads than are asked for, those that there are do all jobs."""
    given = iter(range(there))

    def few(job: Callable[[], None]) -> Future[None]:
        if next(given, None) is None:
            raise RuntimeError("can't start new thread")
        return in_background(job)

    monkeypatch.setattr("tiles.parallel.in_background", few)
    assert all_done(lambda item: item + 1, range(100), 8) == list(range(1, 101))


def test_all_done_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller does not wait for what is under way, and nothing more is begun."""
    begun: list[int] = []
    go_on = Event()

    class Interrupted(Future[None]):
        def result(self, timeout: float | None = None) -> None:  # noqa: ARG002  as a Future has it
            raise KeyboardInterrupt

    workers: list[Future[None]] = []

    def background(job: Callable[[], None]) -> Future[None]:
        workers.append(in_background(job))
        return Interrupted()

    def job(item: int) -> None:
        begun.append(item)
        go_on.wait(5)

    monkeypatch.setattr("tiles.parallel.in_background", background)
    with pytest.raises(KeyboardInterrupt):
        all_done(job, range(100), 2)
    go_on.set()
    for worker in workers:
        worker.result(5)
    assert len(begun) <= 2
