"""One run of `tiletree sequence`, for a service that wakes it: options from the environment, an outcome as a value."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from tiles.errors import Refused, UsageError
from tiles.inbox.selection import Limits
from tiles.write.results import Sequenced
from tiletree.cli import guarded
from tiletree.commands.sequence import Run, sequence
from tiletree.jobs.record import Record
from tiletree.opening import open_sequencer
from tiletree.options import ADDRESSES, Writer
from tiletree.ui import EXIT_BELOW_QUORUM

LOG = "TILETREE_LOG"  # the variable that names the log's public part
# options of `sequence` that a job takes, each from the variable of that name or from a direct call
OPTIONS = ("max_entries", "max_bytes", "align", "max_hold")
_RESERVE = 5.0  # seconds that a run leaves for what is not a batch: its answer, and the index of the log


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run came to.

    code       its exit code, as in docs/outcomes.md
    document   what `tiletree sequence --json` prints
    error      what went wrong: its kind, a message, a hint; empty where nothing did
    """

    code: int
    document: Mapping[str, Any]
    error: Mapping[str, str]


class Deadline:
    """Tells a run to begin no further batch that might not end in time.

    left    returns the seconds that are left
    ended   returns whether the run has been told to end for another reason
    A batch may take twice as long as the longest one so far.
    """

    def __init__(
        self,
        left: Callable[[], float] = lambda: float("inf"),
        ended: Callable[[], bool] = lambda: False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._left, self._ended, self._now = left, ended, now
        self._began = now()
        self._longest = 0.0

    def is_over(self) -> bool:
        """Return whether to end. To be called after each batch."""
        now = self._now()
        self._longest, self._began = max(self._longest, now - self._began), now
        return self._ended() or self._left() < 2 * self._longest + _RESERVE


def arguments(environment: Mapping[str, str], given: Mapping[str, Any]) -> list[str]:
    """Return the arguments of `tiletree sequence`. Raises UsageError.

    given   options of this call, by the names of OPTIONS; they come before those of the environment
    """
    if not (log := environment.get(LOG)):
        raise UsageError(f"${LOG} is not set", hint="it names the log's public part, such as s3://BUCKET/PREFIX")
    if unknown := sorted(set(given) - set(OPTIONS)):
        raise UsageError(f"{unknown[0]!r} is no option of a job", hint=f"there are {', '.join(OPTIONS)}")
    words = []
    for name in OPTIONS:
        value = given.get(name, environment.get(f"TILETREE_{name.upper()}") or None)
        if value is None:
            continue
        option = f"--{name.replace('_', '-')}"
        where = name if name in given else f"$TILETREE_{name.upper()}"
        if name != "align" and name not in given and not _is_number(value):
            raise UsageError(f"{where} is {value!r}", hint="it is a number")
        if name != "align":
            words.append(f"{option}={value}")
        elif str(value).lower() in ("1", "true"):
            words.append(option)
        elif str(value).lower() not in ("0", "false"):
            raise UsageError(f"{where} is {value!r}", hint="it is true or false")
    return [*words, "--", log]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def run(record: Record, deadline: Deadline, given: Mapping[str, Any] | None = None, memory: int | None = None) -> Ran:
    """Decide what waits in the inbox, and say what came of it. Nothing leaves as an exception.

    record     what is told of the run, as it goes on
    deadline   asked after each batch whether it was the last one
    given      options of this call
    memory     bytes of memory that the service lets the run have; None if it does not say
    """
    began = time.monotonic()
    record.hidden.hide(os.environ.get(name, "") for name in (LOG, *ADDRESSES))
    code = guarded(lambda: _sequence(record, deadline, given or {}, memory), record)
    if code == EXIT_BELOW_QUORUM:  # whoever counts errors has to see it
        record.fail("BelowQuorum", "published below the quorum of the log's policy", "the next run asks again")
    record.end(time.monotonic() - began)
    return Ran(code, record.document, record.failure)


def _sequence(record: Record, deadline: Deadline, given: Mapping[str, Any], memory: int | None) -> None:
    with sequence.make_context("sequence", arguments(os.environ, given), obj=record) as context:
        said = context.params
    writer = Writer(**{field.name: said[field.name] for field in fields(Writer)})
    limits = Limits(
        entries=said["max_entries"],
        bytes=said["max_bytes"],
        align=said["align"],
        max_hold=said["max_hold"],
        memory=memory,
    )
    opened = open_sequencer(said["log"], writer, out=record)
    record.begin(opened.verifier.name)
    told = partial(_told, record)
    Run(record, said["log"], told=told).go(opened, limits, deadline.is_over)


def _told(record: Record, done: Sequenced) -> None:
    record.decided(done)
    if done.frozen:
        raise Refused(
            f"{done.checkpoint.origin} is frozen: nothing can be added any more", hint="remove what wakes this job"
        )
