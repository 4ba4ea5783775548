"""Whether a checkpoint from elsewhere is of the history that a client reads: a kept one, or one of another copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tiles.errors import ForkError, LogError, TilesError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.policy import Policy
from tiles.read.client import LogClient
from tiles.read.histories import check_extends, forked
from tiles.read.memories import CheckpointMemory

SAME, BEHIND, AHEAD, FORK, UNKNOWN = "same", "behind", "ahead", "fork", "unknown"


def check_history(client: LogClient, signed: SignedCheckpoint) -> None:
    """Show that a checkpoint is of the history that a client reads, in either direction.

    signed   by the log, which is verified already
    Raises ForkError, with what proves that it is not; AccessError if the tiles that would show it cannot be read.
    """
    served = client.accepted.signed
    older, newer = (served, signed) if signed.tree.size > served.tree.size else (signed, served)
    check_extends(older, newer, client.tree_of(newer))


Opener = Callable[[CheckpointMemory | None], LogClient]  # with the memory that its visits are compared with


@dataclass(frozen=True, slots=True)
class Copy:
    """Another copy of a log.

    place      as it may be shown
    relation   to the log: SAME; BEHIND, AHEAD: one is shown to begin with the other; FORK: another history;
               UNKNOWN: it could not be read, or does not verify
    signed     its checkpoint, if it has one that the policy accepts
    error      why it is a FORK, or UNKNOWN
    """

    place: str
    relation: str
    signed: SignedCheckpoint | None = None
    error: TilesError | None = None


def compare(
    client: LogClient,
    others: Sequence[tuple[str, Opener]],
    policy: Policy,
    visits: CheckpointMemory | None,
) -> list[Copy]:
    """Return how other copies of a log stand to the one that a client reads.

    others    the name of each place, and what opens it; all read by the same policy, for the same origin
    visits    what was seen before, and where evidence is kept
    Each is compared with the log and with the largest copy: where all are beginnings of that, no two contradict.
    """
    client.visit()
    opened = [(place, _opened(open_)) for place, open_ in others]
    read = [client, *(one for _, one in opened if not isinstance(one, TilesError))]
    largest = max(read, key=lambda one: one.tree.size)
    copies = [_compared(place, one, client, largest, policy, visits) for place, one in opened]
    return [
        _seen(copy, open_, visits) if copy.relation == AHEAD else copy
        for copy, (_, open_) in zip(copies, others, strict=True)
    ]


def _seen(copy: Copy, open_: Opener, visits: CheckpointMemory | None) -> Copy:
    """Return a copy that is ahead, compared with what was seen before as well, which may be ahead of the log, too."""
    try:
        open_(visits).visit()
    except ForkError as fork:
        return replace(copy, relation=FORK, error=fork)
    except TilesError as error:
        return replace(copy, relation=UNKNOWN, error=error)
    return copy


def _opened(open_: Opener) -> LogClient | TilesError:
    try:
        client = open_(None)  # what was seen before may be larger, and this copy need not have its tiles
        client.visit()
    except TilesError as error:
        return error
    return client


def _compared(
    place: str,
    other: LogClient | TilesError,
    client: LogClient,
    largest: LogClient,
    policy: Policy,
    visits: CheckpointMemory | None,
) -> Copy:
    if isinstance(other, TilesError):
        return Copy(place, FORK if isinstance(other, ForkError) else UNKNOWN, error=other)
    signed = other.accepted.signed
    try:
        check_both(client, other)
        check_both(other, largest)
    except ForkError as fork:
        return Copy(place, FORK, signed, forked(fork, policy, visits) if visits is not None else fork)
    except TilesError as error:
        return Copy(place, UNKNOWN, signed, error)
    more = other.tree.size - client.tree.size
    return Copy(place, SAME if not more else AHEAD if more > 0 else BEHIND, signed)


def check_both(one: LogClient, other: LogClient) -> None:
    """Show that one of two copies begins with the other, by the tiles of the larger one; raises as `check_history`."""
    if one.tree == other.tree:
        return
    larger, smaller = (one, other) if one.tree.size >= other.tree.size else (other, one)
    check_history(larger, smaller.accepted.signed)


def worst(copies: Sequence[Copy]) -> TilesError | None:
    """Return the error that says most: a fork, then what does not verify, then what could not be read."""
    errors = [copy.error for copy in copies if copy.error is not None]
    for kind in (ForkError, LogError, TilesError):
        for error in errors:
            if isinstance(error, kind):
                return error
    return None
