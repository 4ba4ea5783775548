"""Threads that nobody has to wait for: not the caller, who may lose interest, and not the end of the program."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


def in_background(job: Callable[[], Result]) -> Future[Result]:
    """Start a job in a thread of its own, and return what will hold its result or its exception."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(job())
        except BaseException as error:  # noqa: BLE001  raised again by future.result()
            future.set_exception(error)

    # daemon: the threads of an executor are joined when the program ends, however long a dead server takes
    Thread(target=run, name="fetch", daemon=True).start()
    return future
