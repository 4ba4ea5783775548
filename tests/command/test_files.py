"""Files that a call names, and standard input in their place."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

import pytest

from tests.support.command_line import Command
from tiletree.cli import run


class _Pipe(io.RawIOBase):
    """A pipe whose other end writes a piece when the one before has been read."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = list(pieces)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        piece = self._pieces.pop(0) if self._pieces else b""
        buffer[: len(piece)] = piece
        return len(piece)


def piped(monkeypatch: pytest.MonkeyPatch, *pieces: bytes) -> None:
    """Make standard input such a pipe."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(_Pipe(pieces))))


@pytest.mark.parametrize(
    ("pieces", "code"),
    [((b"content of a\n",), 0), ((b"content", b" of a\n"), 0), ((b"content of a\n", b"more"), 1), ((), 1)],
)
def test_standard_input_in_pieces(
    tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch, pieces: tuple[bytes, ...], code: int
) -> None:
    """All of it is verified: what begins as a file that was logged is not that file."""
    piped(monkeypatch, *pieces)
    assert run(["verify", "-", "--proof", "p", "--vkey", log]) == code


def test_standard_input_in_pieces_is_logged_whole(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are logged as they are come in pieces, too."""
    piped(monkeypatch, b"one, ", b"two")
    assert run(["add", "log", "-", "--raw", "--key", "k"]) == 0
    assert tiletree("get", "log", 2, "--vkey", log).out == "one, two"
