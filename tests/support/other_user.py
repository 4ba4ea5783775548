"""Doing something as another user of this machine, in a process of its own."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest

T = TypeVar("T")

LOG, EVE, ANN = 54321, 54322, 54323  # users without a name or a home; each is in the group of the same number
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can act as other users")


@contextmanager
def common_ground() -> Iterator[Path]:
    """Give a folder that every user may pass through and look into, which a test's own folder is not."""
    memory = Path("/dev/shm")
    where = memory if os.access(memory, os.W_OK) else None
    with TemporaryDirectory(prefix="tiletree-test-", dir=where) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def as_user(number: int, do: Callable[[], T], mask: int = 0o022) -> T:
    """Return what a function returns to a user without any rights but its own, or raise what it raises there.

    mask   the umask
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(_answer(number, do, mask))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    answer, error = pickle.loads(data)
    if error is not None:
        raise error
    result: T = answer
    return result


def _answer(number: int, do: Callable[[], T], mask: int) -> bytes:
    try:
        os.setgroups([])
        os.setgid(number)
        os.setuid(number)
        os.umask(mask)
        answer = do(), None
    except BaseException as error:  # noqa: BLE001  it is raised in the parent
        answer = None, _plain(error)  # type: ignore[assignment]
    sys.stdout.flush()
    return pickle.dumps(answer)


def _plain(error: BaseException) -> BaseException:
    """Return an error that can be handed to another process."""
    return AssertionError(f"{type(error).__name__}: {error} [{getattr(error, 'hint', '')}]")
