"""Entries that several clients want logged at once, logged together: one commit has all that wait.

    client → Desk.log → (waits) ─┐
    client → Desk.log → (waits) ─┼→ run → Writer.turn → proofs → each client its own
    client → Desk.log → (waits) ─┘

An entry that is asked for again, while it is waited for, is waited for together; afterwards the log itself says that it
is there. What a client is not told in time goes on all the same: it asks again, and is told then.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from threading import Condition
from typing import Protocol

from tiles.errors import AccessError, NotLogged
from tiles.notes.tlog_proof import TlogProof

PATIENCE = 25.0  # seconds that a client waits for its answer; sigstore-go, and so cosign, gives up after 30
MAX_WAITING = 1024  # entries that are waited for at a time
PAUSE = (2.0, 4.0)  # seconds between looks at a log that others write: a random number between these


class Writer(Protocol):
    """Has entries logged. Only one thread uses it."""

    trouble: str  # why nothing is known of those of earlier turns, or ""

    def turn(self, new: Sequence[bytes]) -> Mapping[bytes, TlogProof]:
        """Have new entries logged, and return the proofs of those, of these and of earlier turns, that are published.

        Raises whatever goes wrong; then nothing of these, or of earlier turns, is waited for any more.
        """
        ...

    def follow(self) -> None:
        """Do what is left to do once those of the last turn have been told. Raises nothing of this library."""
        ...


class Desk:
    """Takes entries from the threads of clients; the thread that is in `run` has them logged.

    patience   seconds that a client waits
    pause      seconds between turns while only entries of earlier turns are waited for: between these two numbers
    """

    def __init__(self, writer: Writer, *, patience: float = PATIENCE, pause: tuple[float, float] = PAUSE) -> None:
        self._writer = writer
        self._patience = patience
        self._pause = pause
        self._rng = random.SystemRandom()
        self._changed = Condition()
        self._new: list[bytes] = []
        self._waiting: dict[bytes, Future[TlogProof]] = {}
        self._closed = False

    def log(self, entry: bytes) -> TlogProof:
        """Return the proof that an entry is in the log, once that is published.

        Raises what the writer raises; NotLogged if it is not published in time; AccessError if it is not taken.
        """
        with self._changed:
            if self._closed:
                raise AccessError("the shim is ending")
            if (future := self._waiting.get(entry)) is None:
                if len(self._waiting) >= MAX_WAITING:
                    raise AccessError(f"{MAX_WAITING} entries are being logged; try again")
                future = self._waiting[entry] = Future()
                self._new.append(entry)
                self._changed.notify()
        try:
            return future.result(self._patience)
        except TimeoutError:
            trouble = f"; {self._writer.trouble}" if self._writer.trouble else ""
            message = (
                f"not published within {self._patience:.0f} seconds; ask again, and it is not logged twice{trouble}"
            )
            raise NotLogged(message) from None

    def run(self) -> None:
        """Have entries logged as they come, until `close`; those that had come by then are logged, too."""
        while (new := self._take()) is not None:
            try:
                proofs = self._writer.turn(new)
            except BaseException as error:
                self._give_up(error)
                if not isinstance(error, Exception):
                    raise
                continue
            self._answer(proofs)
            self._writer.follow()
        self._give_up(AccessError("the shim has ended; what it submitted may still be logged"))

    def close(self) -> None:
        """Take no more entries, and let `run` return."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _take(self) -> list[bytes] | None:
        """Return what is new, once there is something; [] if it is time to look for the rest; None at the end."""
        with self._changed:
            pause = self._rng.uniform(*self._pause) if self._waiting else None
            self._changed.wait_for(lambda: self._new or self._closed, pause)
            if self._closed and not self._new:
                return None
            new, self._new = self._new, []
            return new

    def _answer(self, proofs: Mapping[bytes, TlogProof]) -> None:
        with self._changed:
            futures = [(self._waiting.pop(entry), proof) for entry, proof in proofs.items() if entry in self._waiting]
        for future, proof in futures:
            future.set_result(proof)

    def _give_up(self, error: BaseException) -> None:
        """Tell those who wait, but for those that came since the last turn, that they need not wait any more."""
        with self._changed:
            new = set(self._new)
            futures = [self._waiting.pop(entry) for entry in list(self._waiting) if entry not in new]
        for future in futures:
            future.set_exception(error)
