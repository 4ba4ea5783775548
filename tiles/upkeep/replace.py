"""Replacing wrong objects of a log: the wrong one is set aside, then deleted, then the right one is created.

    private part: create set-aside/<time>/<path> → barrier → public part: delete <path> → create <path> → barrier

A run may die after any step. Before the barrier nothing public has changed. After it the wrong object can be deleted,
because its copy lasts. After the deletion readers miss an object that they could not have believed anyway; the next
run finds it missing, and creates it without setting anything aside. After the creation the next run finds nothing to
do. A right object is never deleted: each object is read again right before, and left alone if it is right by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from tiles.errors import AccessError, NotFound
from tiles.read.log_formats import MAX_BUNDLE_SIZE
from tiles.records.paths import SET_ASIDE
from tiles.store import Differs
from tiles.tree.blame import Finding
from tiles.write.parts import Parts

PUT_BACK, REPLACED, REMOVED = "put back", "replaced", "set aside"

_OBJECTS = 256  # at a time
_BYTES = 16 << 20  # of objects at a time, give or take one


class Restorer:
    """Puts right the objects of one log, some at a time, in the order they are named.

    now        seconds since the epoch; names what is set aside
    dry_run    change nothing, and tell what would be
    told       is called with what was done: the path, one of PUT_BACK, REPLACED and REMOVED, and how

    counts     how often each of the three was done
    failures   what could not be done, and why
    """

    def __init__(self, parts: Parts, now: float, *, dry_run: bool, told: Callable[[str, str, str], None]) -> None:
        self.counts: Counter[str] = Counter()
        self.failures: list[Finding] = []
        self.aside = f"{SET_ASIDE}{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%S.%fZ}/"
        self._public = parts.public
        self._private = parts.private
        self._dry_run = dry_run
        self._told = told
        self._waiting: dict[str, tuple[bytes | None, str]] = {}
        self._held = 0  # bytes

    def put(self, path: str, data: bytes, how: str) -> None:
        """Ask for an object to hold these bytes, which are proven to be the right ones.

        how   where the bytes are from
        """
        self._wait(path, data, how)

    def remove(self, path: str, why: str) -> None:
        """Ask for an object that should not be there to be set aside."""
        self._wait(path, None, why)

    def _wait(self, path: str, data: bytes | None, how: str) -> None:
        self._waiting[path] = data, how
        self._held += len(data or b"")
        if len(self._waiting) >= _OBJECTS or self._held >= _BYTES:
            self.flush()

    def undo(self, path: str) -> None:
        """Put back what was set aside, unless something is there by now."""
        with suppress(Differs):
            self._public.create({path: self._private.read(f"{self.aside}{path}").data})
        self.counts[REMOVED] -= 1

    def flush(self) -> None:
        """Do what was asked for so far."""
        waiting, self._waiting, self._held = self._waiting, {}, 0
        wrong: dict[str, bytes] = {}
        done: list[tuple[str, str, str]] = []
        right: dict[str, bytes] = {}
        for path, (data, how) in waiting.items():
            try:
                found = self._public.read(path, MAX_BUNDLE_SIZE).data
            except NotFound:
                found = None
            except AccessError as error:
                self.failures.append(Finding(path, f"cannot be set aside: {error.message}"))
                continue
            if found == data:
                continue  # as it should be: another run has done it
            if found is not None:
                wrong[path] = found
            if data is not None:
                right[path] = data
            done.append((path, REMOVED if data is None else PUT_BACK if found is None else REPLACED, how))
        if not self._dry_run:
            self._restore(wrong, right)
        for path, what, how in done:
            self.counts[what] += 1
            self._told(path, what, how)

    def _restore(self, wrong: dict[str, bytes], right: dict[str, bytes]) -> None:
        if wrong:
            self._private.create({f"{self.aside}{path}": data for path, data in wrong.items()})
            self._private.barrier()
            self._public.delete(wrong)
        if right:
            self._public.create(right)

    def close(self) -> None:
        """Do what is left to do, and make all of it last."""
        self.flush()
        if not self._dry_run:
            # what a dead run put right must last, too, before this run reports that all is right
            self._public.barrier()
