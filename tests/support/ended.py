"""Telling a command that goes on by itself in this process to end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def told_to_end() -> Iterator[Callable[[], None]]:
    """Give what tells the command to end; where there is none by then, nothing happens."""
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        yield lambda: os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
