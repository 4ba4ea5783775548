"""Who computes: the workers of a call that reads several logs are those of one log at a time."""

from __future__ import annotations

import time
from concurrent.futures import BrokenExecutor
from multiprocessing import active_children

import pytest

import tiles.native
from tiles.workers import HERE, RUN
from tiletree.computing import InTurns, Spread

LARGE = 4 * RUN


def test_one_log_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks while another log has the workers works alone; afterwards it gets them, also after an error."""
    monkeypatch.setattr(tiles.native, "compiled", object())  # then threads are the workers
    workers = InTurns(Spread(jobs=2))
    with workers.at_work(LARGE) as first, workers.at_work(LARGE) as second:
        assert first.count == 2
        assert second is HERE
    with pytest.raises(ZeroDivisionError), workers.at_work(LARGE):
        _ = 1 / 0
    with workers.at_work(LARGE) as third:
        assert third.count == 2
        workers.end()  # threads are not waited for


def test_small_work_is_done_alone() -> None:
    """Nothing is started for a few entries."""
    with InTurns(Spread()).at_work(RUN - 1) as workers:
        assert workers is HERE


def test_nobody_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the call ends the processes of a log that is still read."""
    monkeypatch.setattr(tiles.native, "compiled", None)
    workers = InTurns(Spread(jobs=2))
    with workers.at_work(LARGE) as processes:
        assert processes.executor is not None
        job = processes.executor.submit(time.sleep, 600)
        assert active_children()
        workers.end()
        with pytest.raises(BrokenExecutor):
            job.result(60)
    assert not active_children()
    workers.end()
