"""Store wrappers that record, count and break store operations, and stop writers at each of them.

    writer → FaultyStore or GatedStore → RecordingStore → a real store

A `create` of several objects counts as one operation for each of them, so that it can be cut in the middle.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

from tests.support.check_log import ObjectHistory
from tiles.errors import AccessError, OutcomeUnknown
from tiles.store import Listed, Object, Store, Version
from tiles.store.drafts import Beside, Contents, create_before_swap, forget_drafts, stage

T = TypeVar("T")


class Died(BaseException):
    """The process is gone. Not an Exception: nothing of a run may catch it, or do anything more."""


class Fault(Enum):
    """What goes wrong at one operation."""

    NOT_DONE = "it did not happen, and AccessError was reported"
    NOT_DONE_UNKNOWN = "it did not happen, and OutcomeUnknown was reported"
    DONE = "it happened, and AccessError was reported"
    DONE_UNKNOWN = "it happened, and OutcomeUnknown was reported"
    DIES = "it happened, and the process died"


READING = (Fault.NOT_DONE, Fault.DIES)
CHANGING = (Fault.NOT_DONE, Fault.DONE, Fault.DIES)
SWAPPING = tuple(Fault)  # the only operation whose outcome a store may not know


class Passing:
    """A store that hands everything on; base of the wrappers."""

    def __init__(self, inner: Store, role: str) -> None:
        self.inner = inner
        self.role = role
        self.url = inner.url
        self.parallel = inner.parallel
        self.patience = inner.patience

    def read(self, path: str, limit: int | None = None) -> Object:
        return self.inner.read(path, limit)

    def create(self, objects: Mapping[str, bytes]) -> None:
        self.inner.create(objects)

    def create_before_swap(self, objects: Mapping[str, bytes], path: str, data: bytes) -> None:
        """A wrapper that looks at what is created is not passed by; others hand on what is to be swapped in."""
        if type(self).create in (Passing.create, RecordingStore.create):
            create_before_swap(self.inner, objects, path, data)
        else:
            self.create(objects)

    def stage(self, objects: Contents, drafts: Contents, beside: Beside) -> None:
        """Likewise; other stores are wrapped, so nothing is prepared there."""
        if type(self).create in (Passing.create, RecordingStore.create):
            stage(self.inner, objects, drafts, beside)
        else:
            self.create(objects)
            self.barrier()

    def forget_drafts(self) -> None:
        forget_drafts([self.inner])

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        return self.inner.swap(path, data, expected)

    def list(self, prefix: str) -> Iterator[Listed]:
        return self.inner.list(prefix)

    def folders(self, prefix: str) -> Sequence[str]:
        return self.inner.folders(prefix)

    def delete(self, paths: Iterable[str]) -> None:
        self.inner.delete(paths)

    def barrier(self) -> None:
        self.inner.barrier()


class RecordingStore(Passing):
    """Tells the history of every write, whether it was reported as a success or not."""

    def __init__(self, inner: Store, role: str, history: ObjectHistory) -> None:
        super().__init__(inner, role)
        self._history = history

    def create(self, objects: Mapping[str, bytes]) -> None:
        with self._history.lock:
            try:
                super().create(objects)
            finally:
                self._history.wrote(self.inner, objects)

    def create_before_swap(self, objects: Mapping[str, bytes], path: str, data: bytes) -> None:
        with self._history.lock:
            try:
                super().create_before_swap(objects, path, data)
            finally:
                self._history.wrote(self.inner, objects)

    def stage(self, objects: Contents, drafts: Contents, beside: Beside) -> None:
        with self._history.lock:
            try:
                super().stage(objects, drafts, beside)
            finally:
                self._history.wrote(self.inner, objects)

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        with self._history.lock:
            try:
                return super().swap(path, data, expected)
            finally:
                self._history.wrote(self.inner, [path])


@dataclass
class Faults:
    """One run's operations, counted over all its stores, one of which goes wrong.

    at         the number of the operation, from 0; None only counts
    pick       chooses the fault, of those possible, when it comes to the operation
    again      the operation right after it does not happen either
    backward   a `create` makes its objects in the opposite order
    done       what was asked for, and what could go wrong there
    """

    at: int | None = None
    fault: Fault = Fault.DIES
    backward: bool = False
    pick: random.Random | None = None
    again: bool = False
    dead: bool = False
    done: list[tuple[str, tuple[Fault, ...]]] = field(default_factory=list)

    def wrap(self, store: Store, role: str) -> FaultyStore:
        """Return the store as the run is to see it."""
        return FaultyStore(store, role, self)

    def __str__(self) -> str:
        what = self.done[self.at][0] if self.at is not None and self.at < len(self.done) else "not reached"
        also = ", objects backward" * self.backward + ", and the next one does not happen" * self.again
        return f"operation {self.at} ({what}): {self.fault.value}{also}"

    def run(self, what: Sequence[str], kinds: tuple[Fault, ...], do: Callable[[int], T]) -> T:
        """Count one operation for each of `what`, and let `do` make that many of them, or fewer."""
        if self.dead:
            raise AssertionError(f"{what[0]} was asked for by a process that died before")
        first = len(self.done)
        self.done += [(each, kinds) for each in what]
        if self.at is not None and self.again and first == self.at + 1:
            raise AccessError(f"broken on purpose: what comes after {self}")
        if self.at is None or not first <= self.at < len(self.done):
            return do(len(what))
        if self.pick is not None:
            self.fault = self.pick.choice(kinds)
        assert self.fault in kinds, f"{self} cannot be"
        happened = self.fault not in (Fault.NOT_DONE, Fault.NOT_DONE_UNKNOWN)
        try:
            if count := self.at - first + happened:
                do(count)
        finally:
            if self.fault is Fault.DIES:
                self.dead = True
                raise Died(str(self))
        unknown = self.fault in (Fault.NOT_DONE_UNKNOWN, Fault.DONE_UNKNOWN)
        raise (OutcomeUnknown if unknown else AccessError)(f"broken on purpose: {self}")


class FaultyStore(Passing):
    """A store that breaks where `Faults` says."""

    def __init__(self, inner: Store, role: str, faults: Faults) -> None:
        super().__init__(inner, role)
        self._faults = faults

    def _one(self, what: str, kinds: tuple[Fault, ...], do: Callable[[], T]) -> T:
        return self._faults.run([f"{self.role} {what}"], kinds, lambda _: do())

    def read(self, path: str, limit: int | None = None) -> Object:
        return self._one(f"read {path}", READING, lambda: self.inner.read(path, limit))

    def create(self, objects: Mapping[str, bytes]) -> None:
        items = list(objects.items())[:: -1 if self._faults.backward else 1]
        what = [f"{self.role} create {path}" for path, _ in items]
        self._faults.run(what, CHANGING, lambda count: self.inner.create(dict(items[:count])))

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        return self._one(f"swap {path}", SWAPPING, lambda: self.inner.swap(path, data, expected))

    def list(self, prefix: str) -> Iterator[Listed]:
        return self._one(f"list {prefix}", READING, lambda: iter(list(self.inner.list(prefix))))

    def folders(self, prefix: str) -> Sequence[str]:
        return self._one(f"list {prefix}", READING, lambda: self.inner.folders(prefix))

    def delete(self, paths: Iterable[str]) -> None:
        every = list(paths)
        what = [f"{self.role} delete {path}" for path in every]
        self._faults.run(what, CHANGING, lambda count: self.inner.delete(every[:count]))

    def barrier(self) -> None:
        self._one("barrier", CHANGING, self.inner.barrier)


class GatedStore(Passing):
    """A store that calls `gate` before each operation, and before each object of a `create`."""

    def __init__(self, inner: Store, role: str, gate: Callable[[str], None]) -> None:
        super().__init__(inner, role)
        self._gate = gate

    def read(self, path: str, limit: int | None = None) -> Object:
        self._gate(f"{self.role} read {path}")
        return self.inner.read(path, limit)

    def create(self, objects: Mapping[str, bytes]) -> None:
        for path, data in objects.items():
            self._gate(f"{self.role} create {path}")
            self.inner.create({path: data})

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        self._gate(f"{self.role} swap {path}")
        return self.inner.swap(path, data, expected)

    def list(self, prefix: str) -> Iterator[Listed]:
        self._gate(f"{self.role} list {prefix}")
        return iter(list(self.inner.list(prefix)))

    def folders(self, prefix: str) -> Sequence[str]:
        self._gate(f"{self.role} list {prefix}")
        return self.inner.folders(prefix)

    def delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._gate(f"{self.role} delete {path}")
            self.inner.delete([path])

    def barrier(self) -> None:
        self._gate(f"{self.role} barrier")
        self.inner.barrier()


class Stepped(Thread, Generic[T]):
    """A writer in a thread of its own that runs only while `step` is called: from one gate to the next.

    result   what `body` returned, once finished
    error    what it raised
    trace    the operations it went through, the one it waits at last
    """

    def __init__(self, name: str, body: Callable[[Stepped[T]], T]) -> None:
        super().__init__(name=name, daemon=True)
        self._body = body
        self._go = SimpleQueue[None]()
        self._back = SimpleQueue[None]()
        self._stopped = False
        self._free = 0  # gates that it goes through without waiting
        self.finished = False
        self.result: T | None = None
        self.error: BaseException | None = None
        self.trace: list[str] = []
        self.start()
        self.step()  # up to its first gate

    def gate(self, what: str) -> None:
        """Wait for the next step; called by the writer before each operation."""
        self.trace.append(what)
        if self._free:
            self._free -= 1
            return
        self._back.put(None)
        self._go.get()
        if self._stopped:
            raise Died(self.name)

    def step(self, times: int = 1) -> None:
        """Let the writer make the operation it waits at, or so many, and go on to the next one."""
        self._free = times - 1
        waits = times == 0
        while not (waits or self.finished):
            self._go.put(None)
            self._back.get()
            waits = self._free == 0

    def finish(self, limit: int = 20_000) -> int:
        """Let the writer go on to its end; return how many operations it made on the way."""
        if self.finished:
            return 0
        before = len(self.trace)
        self.step(limit)
        assert self.finished, f"{self.name} does not come to an end: … {self.trace[-20:]}"
        return len(self.trace) - before + 1

    def kill(self) -> None:
        """Let the writer die before the operation it waits at."""
        self._stopped = True
        if not self.finished:
            for _ in range(100):  # threads that read for it wait too
                self._go.put(None)
        self.join()

    def run(self) -> None:
        """Run the body (Thread)."""
        self._go.get()
        try:
            self.result = self._body(self)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shall see it
            self.error = error
        finally:
            self.finished = True
            self._back.put(None)

    def outcome(self) -> T:
        """Return what the body returned; raise what it raised."""
        assert self.finished
        if self.error is not None:
            raise self.error
        assert self.result is not None
        return self.result
