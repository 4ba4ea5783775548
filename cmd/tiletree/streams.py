"""The standard streams of a command: none of them can end its work by being closed, full or absent.

What cannot be written is dropped, and why is remembered; `tiletree.cli` decides what that means for the exit code.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from tiles.errors import AccessError


class Writing:
    """Standard output or standard error. In everything but writing it acts as the stream that it is made of.

    stream    what is written to, text or bytes
    trouble   a list that holds the first error of writing, once there was one; shared with `buffer`
    """

    def __init__(self, stream: Any, trouble: list[OSError]) -> None:
        self._stream = stream
        self._trouble = trouble

    @property
    def trouble(self) -> OSError | None:
        """Why something was not written, if anything was not."""
        return self._trouble[0] if self._trouble else None

    @property
    def buffer(self) -> Writing:
        """The same, for bytes."""
        return Writing(self._stream.buffer, self._trouble)

    def write(self, data: Any) -> int:
        """Write text, or bytes, or drop them."""
        try:
            if not self._trouble:
                self._stream.write(data)
        except OSError as error:
            self._drop(error)
        return len(data)

    def flush(self) -> None:
        """Write what was held back, or drop it."""
        try:
            if not self._trouble:
                self._stream.flush()
        except OSError as error:
            self._drop(error)

    def _drop(self, error: OSError) -> None:
        self._trouble.append(error)
        with suppress(
            OSError
        ):  # what the stream still buffers is written when the program ends, and must not fail then
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _NoInput(io.StringIO):
    """Standard input that is closed: whoever asks a question gets no answer, and there are no bytes to read."""

    @property
    def buffer(self) -> Any:
        raise AccessError("standard input is closed")


@contextmanager
def standard_streams() -> Iterator[tuple[Writing, Writing]]:
    """Put standard output and error in place that never fail, and give them, as long as a command runs."""
    before = sys.stdin, sys.stdout, sys.stderr
    for number in range(3):  # a file of the log must not get the number of a closed stream, and so what is sent to it
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)
    output, error = _writing(sys.stdout), _writing(sys.stderr)
    sys.stdin, sys.stdout, sys.stderr = before[0] or _NoInput(), output, error
    try:
        yield output, error
    finally:
        for stream, given in ((output, before[1]), (error, before[2])):
            stream.flush()
            if given is None:
                stream.close()
        sys.stdin, sys.stdout, sys.stderr = before


def _writing(stream: TextIO | None) -> Writing:
    if stream is None:  # closed when the program began: writing fails, as it does with a file that is open for reading
        return Writing(os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8"), [])
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")  # a character that this terminal does not have is no error
    return Writing(stream, [])
