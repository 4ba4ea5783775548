"""What a run of the sequencer has done, for whoever called it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from tiles.inbox.selection import Backlog
from tiles.notes.checkpoint import SignedCheckpoint


@dataclass(frozen=True, slots=True)
class Appended:
    """Entries that are in the log, published: those at [first_index, first_index + count) are new.

    retries   how often another writer was first
    already   of what was to be logged, (position, index) of each entry that was in the log or came twice, by position
    once      False if what is new may be in the log elsewhere, because nobody could look; it was to be logged once
    """

    first_index: int
    count: int
    checkpoint: SignedCheckpoint = field(repr=False)
    retries: int = 0
    already: tuple[tuple[int, int], ...] = field(default=(), repr=False)
    once: bool = True

    @property
    def indexes(self) -> Sequence[int]:
        """Where each entry is, in the order in which they were to be logged."""
        return indexes(self.first_index, self.count, self.already)


def indexes(first_index: int, new: int, already: Sequence[tuple[int, int]]) -> Sequence[int]:
    """Return where entries are, `new` of which were appended. already: (position, index) of the others"""
    if not already:
        return range(first_index, first_index + new)
    there, fresh = dict(already), count(first_index)
    return [there[position] if position in there else next(fresh) for position in range(new + len(there))]


def runs(indexes: Sequence[int]) -> Sequence[tuple[int, int]]:
    """Return (first, count) of each run of successive indexes, in their order."""
    if isinstance(indexes, range):
        return [(indexes.start, len(indexes))] if indexes else []
    found: list[tuple[int, int]] = []
    for index in indexes:
        if found and sum(found[-1]) == index:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((index, 1))
    return found


@dataclass(frozen=True, slots=True)
class Made:
    """What somebody who writes to a log has published, and not only found there.

    checkpoints   how many checkpoints; none if what was to be published was published already
    finished      (first index, count) of each batch among them that an earlier run had committed
    """

    checkpoints: int = 0
    finished: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Sequenced:
    """What one batch from the inbox decided: [first_index, first_index + count) are the entries it logged.

    took      the submissions they are from, in order
    refused   the submissions that were refused, as a batch names them, each with the reason
    backlog   what still waits
    retries   how often another writer was first
    already   how many entries of these submissions were not logged, because they are in the log
    once      False if what was to be logged once may be in the log elsewhere, because nobody could look
    waited    how many seconds the oldest of these submissions had waited once it was published; None if there is none
    frozen    the log is closed for ever, so nothing was decided
    published  False if the batch is committed only: the next run publishes it
    """

    first_index: int
    count: int
    took: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    backlog: Backlog
    checkpoint: SignedCheckpoint = field(repr=False)
    retries: int = 0
    already: int = 0
    once: bool = True
    waited: float | None = None
    frozen: bool = False
    published: bool = True
