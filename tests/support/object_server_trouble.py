"""Runs of writers on a log on an object server, requests of which go wrong."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Literal

from tests.support.object_server import ObjectServer
from tests.support.object_server_http import Request
from tests.support.object_server_rules import Fault, Hook, possible
from tests.support.object_server_world import ObjectWorld
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.write.results import Appended, Sequenced
from tiles.write.sequencer import Sequencer

FOR_EVER = 10**9  # requests
PATIENCE = 20  # seconds until a test that hangs fails

Doing = list[bytes] | Literal["create", "finish", "sequence"]  # append these entries, or …
Done = Appended | Sequenced | SignedCheckpoint


@dataclass(frozen=True)
class Target:
    """The request of a run that goes wrong: the occurrence-th (from 0) of its kind there.

    where   bucket/key
    """

    kind: str
    where: str
    occurrence: int


@dataclass
class Trouble:
    """A hook: one request goes wrong.

    lasting   everything after it fails
    hit       whether the request came
    """

    target: Target
    fault: Fault
    lasting: bool = False
    hit: bool = False
    _before: int = 0
    _failed: int = field(default=0, repr=False)

    def __call__(self, _number: int, kind: str, where: str) -> Fault | None:
        if self.hit:
            self._failed += 1
            return (Fault.BUSY if self._failed % 2 else Fault.DROPPED) if self.lasting else None
        if (kind, where) != (self.target.kind, self.target.where):
            return None
        self._before += 1
        self.hit = self._before > self.target.occurrence
        return self.fault if self.hit else None

    def __str__(self) -> str:
        target = self.target
        what = f"{target.kind} {target.where} ({target.occurrence}): {self.fault.value}"
        return what + ", and nothing works after it" * self.lasting


@dataclass
class Unrest:
    """A hook: every request goes wrong with this probability, in a random way.

    happened   what went wrong so far
    """

    rng: random.Random
    probability: float
    happened: list[str] = field(default_factory=list)

    def __call__(self, number: int, kind: str, where: str) -> Fault | None:
        if self.rng.random() >= self.probability:
            return None
        fault = self.rng.choice(possible(kind))
        self.happened.append(f"{number} {kind} {where}: {fault.name}")
        return fault


def once(at: int, fault: Fault | None) -> Hook:
    """Return a hook: one request goes wrong."""
    return lambda number, _kind, _where: fault if number == at else None


class Ended:
    """A writer whose trouble, a hook of the server's, begins and ends with its run; what is late happens then."""

    def __init__(self, writer: Sequencer, server: ObjectServer, trouble: Hook) -> None:
        self._writer = writer
        self._server = server
        self._trouble = trouble

    def _run(self, run: Callable[[], Done]) -> Done:
        self._server.fault = self._trouble
        try:
            return run()
        finally:
            self._server.fault = None
            self._server.settle()

    def append(self, entries: Sequence[bytes]) -> Done:
        return self._run(lambda: self._writer.append(entries))

    def create(self) -> Done:
        return self._run(self._writer.create)

    def finish(self) -> Done:
        return self._run(self._writer.finish)

    def sequence(self) -> Done:
        return self._run(self._writer.sequence)


def act(writer: Sequencer | Ended, action: Doing) -> Done:
    """Take one run."""
    if isinstance(action, list):
        return writer.append(action)
    runs: dict[str, Callable[[], Done]] = {
        "create": writer.create,
        "finish": writer.finish,
        "sequence": writer.sequence,
    }
    return runs[action]()


def targets(world: ObjectWorld, action: Doing) -> list[Target]:
    """Return the requests of an undisturbed run."""
    before = len(world.server.requests)
    act(world.sequencer(), action)
    counts: Counter[tuple[str, str]] = Counter()
    found = []
    for each in world.server.requests[before:]:
        what = each.kind, f"{each.bucket}/{each.key}"
        found.append(Target(*what, counts[what]))
        counts[what] += 1
    return found


def schedules(world: ObjectWorld, action: Doing) -> Iterator[tuple[Target, Fault, bool]]:
    """Yield every way in which one request of a run can go wrong, alone and with everything after it."""
    for target in targets(world, action):
        for fault in possible(target.kind):
            yield target, fault, False
            if fault not in (Fault.BUSY, Fault.SLOW):
                yield target, fault, True


class Held:
    """A hook: holds one request of one writer back, before it is carried out or before it is answered.

    reached   set once it came; go, to be set for it to go on
    """

    def __init__(self, who: str, at: int, moment: str) -> None:
        self.reached = Event()
        self.go = Event()
        self.what = ""
        self._who = who
        self._left = at + 1
        self._moment = moment
        self._lock = Lock()

    def __call__(self, request: Request, moment: str) -> None:
        if (request.who, moment) != (self._who, self._moment):
            return
        with self._lock:
            self._left -= 1
            is_it = self._left == 0
        if is_it:
            self.what = f"{request.kind} {request.where}, held {moment}"
            self.reached.set()
            self.go.wait(PATIENCE)
